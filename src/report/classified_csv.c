/* The figures of a classifier as a table: a row for each class. */
#include <string.h>

#include "report/classified.h"
#include "report/csv_field.h"
#include "report/write.h"

/* A column for each class: how many samples were taken for it. The word before the name keeps columns apart. */
static void append_heads(thaw_text *table, const thaw_classified *classified)
{
    thaw_context *context = table->context;
    thaw_text_append(table, "class,name,precision,recall,f1,roc_auc,samples,predicted,correct");
    for (size_t i = 0; i < thaw_classification_classes(classified->counts); i++) {
        thaw_text head = { .context = context };
        char *name = NULL;
        thaw_text_append(&head, "as %s", classified->names[i]);
        thaw_text_append(table, ",");
        if (thaw_text_finish(&head, &name) == THAW_OK)
            thaw_csv_append_text(table, name);
        else
            table->failed = true;
        thaw_text_destroy(context, name);
    }
    thaw_text_append(table, "\r\n");
}

static void append_row(thaw_text *table, const thaw_classified *classified, size_t index)
{
    const thaw_class_figures *one = &classified->classes[index];
    const double rates[] = { one->rates.precision, one->rates.recall, one->rates.f1, one->roc_auc };
    thaw_text_append(table, "%zu,", index);
    thaw_csv_append_text(table, classified->names[index]);
    for (size_t i = 0; i < THAW_COUNT(rates); i++) {
        thaw_text_append(table, ",");
        thaw_csv_append_number(table, rates[i]);
    }
    thaw_text_append(table, ",%zu,%zu,%zu", one->support, one->predicted, one->correct);
    for (size_t i = 0; i < thaw_classification_classes(classified->counts); i++)
        thaw_text_append(table, ",%zu", thaw_classification_count(classified->counts, index, i));
    thaw_text_append(table, "\r\n");
}

thaw_status thaw_classified_write_csv(thaw_context *context, const thaw_classified *classified, const char *path)
{
    thaw_text table = { .context = context };
    char *content = NULL;
    append_heads(&table, classified);
    for (size_t i = 0; i < thaw_classification_classes(classified->counts); i++)
        append_row(&table, classified, i);
    thaw_status status = thaw_text_finish(&table, &content);
    if (status == THAW_OK)
        status = thaw_report_write_file(context, path, content, strlen(content));
    thaw_text_destroy(context, content);
    return status;
}
