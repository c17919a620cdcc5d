/* The figures of a classifier by class, as tables on the terminal. */
#ifndef THAW_CLI_CLASS_TABLES_H
#define THAW_CLI_CLASS_TABLES_H

#include "report/classified.h"

/* A line of all classes' figures together. */
void cli_print_class_totals(const thaw_classified *classified);

/* A row for each class, then two of means. */
void cli_print_class_table(const thaw_classified *classified);

/* The confusion matrix where it fits the terminal, otherwise the most frequent confusions. */
void cli_print_confusions(const thaw_classified *classified);

#endif
