#include "cli/class_tables.h"

#include <math.h>
#include <stdio.h>

#include "cli/epoch_table.h"
#include "cli/name_cell.h"

enum { LONGEST_NAME = 28, LONGEST_HEAD = 9, MOST_CONFUSIONS = 15 };

/* The widest name, of at most `most` characters. */
static size_t widest_name(const thaw_classified *classified, size_t most)
{
    size_t widest = 0;
    for (size_t i = 0; i < thaw_classification_classes(classified->counts); i++) {
        const size_t width = cli_name_width(classified->names[i]);
        widest = width > widest ? width : widest;
    }
    return widest < most ? widest : most;
}

static size_t digits_of(size_t number)
{
    return (size_t)snprintf(NULL, 0, "%zu", number);
}

void cli_print_class_totals(const thaw_classified *classified)
{
    const thaw_classification_figures *all = &classified->all;
    char top5[CLI_SHARE_BYTES], f1[CLI_SHARE_BYTES];
    printf("top-5 accuracy %s, F1 %s (mean over the classes), ROC AUC ", cli_format_share(top5, all->top5),
           cli_format_share(f1, all->macro.f1));
    printf(isnan(all->roc_auc) ? "-\n" : "%.4f\n", all->roc_auc);
}

/* ---------------------------------------------------------------- figures */

static void print_rates(const thaw_class_rates *rates, double area)
{
    char precision[CLI_SHARE_BYTES], recall[CLI_SHARE_BYTES], f1[CLI_SHARE_BYTES], shown[16] = "-";
    if (!isnan(area))
        snprintf(shown, sizeof shown, "%.4f", area);
    printf(" %10s %10s %10s %9s", cli_format_share(precision, rates->precision),
           cli_format_share(recall, rates->recall), cli_format_share(f1, rates->f1), shown);
}

void cli_print_class_table(const thaw_classified *classified)
{
    static const char macro[] = "mean", weighted[] = "weighted mean";
    const thaw_classification_figures *all = &classified->all;
    size_t width = widest_name(classified, LONGEST_NAME);
    width = width < sizeof weighted - 1 ? sizeof weighted - 1 : width;
    putchar('\n');
    cli_print_name("class", width, 0);
    printf(" %10s %10s %10s %9s %9s\n", "precision", "recall", "F1", "ROC AUC", "samples");
    for (size_t i = 0; i < thaw_classification_classes(classified->counts); i++) {
        const thaw_class_figures *one = &classified->classes[i];
        cli_print_name(classified->names[i], width, 0);
        print_rates(&one->rates, one->roc_auc);
        printf(" %9zu\n", one->support);
    }
    cli_print_name(macro, width, 0);
    print_rates(&all->macro, all->roc_auc);
    printf(" %9zu\n", all->samples);
    cli_print_name(weighted, width, 0);
    print_rates(&all->weighted, NAN);
    printf(" %9zu\n", all->samples);
}

/* ---------------------------------------------------------------- confusions */

/* A column is named by its class where all names are short, otherwise by the class's number, which rows then have
   too. */
typedef struct matrix {
    const thaw_classified *classified;
    size_t classes;
    size_t number, name, cell; /* widths: number 0 where rows have none */
} matrix;

static matrix lay_out(const thaw_classified *classified)
{
    matrix m = { .classified = classified, .classes = thaw_classification_classes(classified->counts) };
    const size_t widest = widest_name(classified, LONGEST_NAME);
    size_t most = 0;
    for (size_t i = 0; i < m.classes * m.classes; i++) {
        const size_t count = thaw_classification_count(classified->counts, i / m.classes, i % m.classes);
        most = count > most ? count : most;
    }
    m.number = widest > LONGEST_HEAD ? digits_of(m.classes - 1) : 0;
    m.name = widest;
    m.cell = digits_of(most);
    m.cell = m.cell < (m.number ? m.number : widest) ? (m.number ? m.number : widest) : m.cell;
    return m;
}

static size_t width_of(const matrix *m)
{
    return (m->number ? m->number + 1 : 0) + m->name + m->classes * (m->cell + 1);
}

static void print_matrix(const matrix *m)
{
    const thaw_classified *classified = m->classified;
    printf("\nright class in rows, answer in columns\n");
    if (m->number)
        printf("%*s ", (int)m->number, "");
    cli_print_name("", m->name, 0);
    for (size_t i = 0; i < m->classes; i++) {
        putchar(' ');
        if (m->number)
            printf("%*zu", (int)m->cell, i);
        else
            cli_print_name(classified->names[i], m->cell, 1);
    }
    putchar('\n');
    for (size_t i = 0; i < m->classes; i++) {
        if (m->number)
            printf("%*zu ", (int)m->number, i);
        cli_print_name(classified->names[i], m->name, 0);
        for (size_t k = 0; k < m->classes; k++) {
            const size_t count = thaw_classification_count(classified->counts, i, k);
            if (count)
                printf(" %*zu", (int)m->cell, count);
            else
                printf(" %*s", (int)m->cell, ".");
        }
        putchar('\n');
    }
}

static void print_most_frequent(const matrix *m)
{
    const thaw_classified *classified = m->classified;
    thaw_confusion found[MOST_CONFUSIONS];
    const size_t count = thaw_classification_confusions(classified->counts, found, MOST_CONFUSIONS);
    printf("\nThe confusion matrix of %zu classes is too wide for the terminal; --csv, --html and --json have it.\n",
           m->classes);
    if (count == 0) {
        printf("No sample was taken for another class.\n");
        return;
    }
    printf("Most frequent confusions:\n");
    cli_print_name("class", m->name, 0);
    printf("  ");
    cli_print_name("taken for", m->name, 0);
    printf(" %9s %10s\n", "samples", "of class");
    for (size_t i = 0; i < count; i++) {
        char share[CLI_SHARE_BYTES];
        cli_print_name(classified->names[found[i].actual], m->name, 0);
        printf("  ");
        cli_print_name(classified->names[found[i].predicted], m->name, 0);
        printf(" %9zu %10s\n", found[i].count,
               cli_format_share(share, (double)found[i].count / (double)classified->classes[found[i].actual].support));
    }
}

void cli_print_confusions(const thaw_classified *classified)
{
    const matrix m = lay_out(classified);
    if (width_of(&m) <= cli_output_columns())
        print_matrix(&m);
    else
        print_most_frequent(&m);
}
