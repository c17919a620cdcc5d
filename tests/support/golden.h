/* Reads golden values: text files of lines "name value value ...", in which a line "case SETTINGS" begins a case. */
#ifndef THAW_TESTS_GOLDEN_H
#define THAW_TESTS_GOLDEN_H

#include <stddef.h>
#include <stdio.h>

FILE *golden_open(const char *name);

/* Asserts that the next line begins the case `settings`. */
void golden_case(FILE *file, const char *settings);

/* Asserts that the next line is named so and holds `count` values, and reads them. */
void golden_read(FILE *file, const char *name, float *values, size_t count);

/* Reads the losses of a training run, from a file of lines "run: loss loss ...". */
void golden_losses(const char *name, const char *run, double *losses, size_t count);

#endif
