/* Writes a comparison as a folder for people and for programs. */
#include "compare/comparison.h"
#include "core/text.h"
#include "report/write.h"

static thaw_status write_beside(thaw_comparison *comparison, const json_t *root, const char *directory)
{
    thaw_context *context = comparison->context;
    thaw_text text = { .context = context }, table = { .context = context };
    char *path = NULL, *table_path = NULL;
    thaw_text_append(&text, "%s/results.json", directory);
    thaw_text_append(&table, "%s/results.csv", directory);
    thaw_status status = thaw_text_finish(&text, &path);
    const thaw_status finished = thaw_text_finish(&table, &table_path);
    if (status == THAW_OK)
        status = finished;
    if (status == THAW_OK)
        status = thaw_results_write_json(context, path, root);
    if (status == THAW_OK)
        status = thaw_comparison_write_csv(comparison, table_path);
    thaw_text_destroy(context, path);
    thaw_text_destroy(context, table_path);
    return status;
}

thaw_status thaw_comparison_write_report(thaw_comparison *comparison, const char *directory)
{
    thaw_context *context = comparison->context;
    json_t *root;
    pthread_mutex_lock(&comparison->keeping);
    thaw_status status = thaw_results_json(comparison, &root);
    pthread_mutex_unlock(&comparison->keeping);
    if (status == THAW_OK)
        status = thaw_report_make_directory(context, directory);
    if (status == THAW_OK)
        status = write_beside(comparison, root, directory);
    if (status == THAW_OK)
        status = thaw_report_write_events(context, root, directory);
    if (status == THAW_OK)
        status = thaw_report_write_page(context, root, NULL, directory);
    json_decref(root);
    return status;
}
