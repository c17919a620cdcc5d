#include "cli/target_output.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/epoch_table.h"
#include "cli/failure.h"
#include "cli/json.h"
#include "cli/shown.h"
#include "data/dataset.h"
#include "io/name_list.h"

static void put_figures(json_t *object, const thaw_target_figures *figures, thaw_task task)
{
    if (task == THAW_TASK_LABELS) {
        json_object_set_new(object, "accuracy", cli_json_real(figures->accuracy));
        return;
    }
    json_object_set_new(object, "mae", cli_json_real(figures->mae));
    json_object_set_new(object, "rmse", cli_json_real(figures->rmse));
    json_object_set_new(object, "r2", cli_json_real(figures->r2));
}

static void print_line(const char *name, const thaw_target_figures *figures, thaw_task task)
{
    char share[CLI_SHARE_BYTES];
    if (name)
        printf("%s: ", cli_show(name).text);
    if (task == THAW_TASK_LABELS)
        printf("%s %s\n", name ? "accuracy" : "accuracy over all labels", cli_format_share(share, figures->accuracy));
    else if (isnan(figures->r2))
        printf("MAE %.6g, RMSE %.6g, no R2: the targets are all the same\n", figures->mae, figures->rmse);
    else
        printf("MAE %.6g, RMSE %.6g, R2 %.4f\n", figures->mae, figures->rmse, figures->r2);
}

/* `names` may be NULL: columns are then numbers, from 1. */
static void print_lines(const thaw_target_figures *columns, size_t count, const thaw_target_figures *all,
                        char *const *names, thaw_task task)
{
    print_line(NULL, all, task);
    for (size_t i = 0; i < count && count > 1; i++) {
        char number[32];
        snprintf(number, sizeof number, "column %zu", i + 1);
        print_line(names ? names[i] : number, &columns[i], task);
    }
}

static int print_json(const thaw_target_figures *columns, size_t count, const thaw_target_figures *all,
                      char *const *names, thaw_task task)
{
    json_t *object = json_object(), *list = json_array();
    json_object_set_new(object, "event", json_string("targets"));
    put_figures(object, all, task);
    for (size_t i = 0; i < count; i++) {
        json_t *column = json_object();
        json_object_set_new(column, "name", names ? cli_json_text(names[i]) : json_null());
        put_figures(column, &columns[i], task);
        json_array_append_new(list, column);
    }
    json_object_set_new(object, "columns", list);
    return cli_json_print(object);
}

int cli_print_target_figures(cli_session *session, thaw_dataset *dataset)
{
    if (!dataset || thaw_dataset_classes(dataset))
        return CLI_DONE;
    thaw_context *context = session->context;
    const thaw_task task = thaw_dataset_task(dataset);
    const size_t count = thaw_shape_count(thaw_dataset_target_shape(dataset));
    thaw_target_figures all, *columns = calloc(count, sizeof *columns);
    char **names = NULL;
    size_t named = 0;
    if (!columns)
        return cli_fail("evaluation", "out of memory");
    thaw_status status =
        thaw_evaluate_targets(session->model, dataset, (int64_t)session->options->batch, columns, &all);
    if (status == THAW_OK && dataset->label_columns)
        status = thaw_name_list_read(context, "thaw.labels", dataset->label_columns, &names, &named);
    int code = cli_check(context, status, "evaluation");
    if (code == CLI_DONE && session->options->json)
        code = print_json(columns, count, &all, named == count ? names : NULL, task);
    else if (code == CLI_DONE)
        print_lines(columns, count, &all, named == count ? names : NULL, task);
    thaw_release(context, (void *)names);
    free(columns);
    return code;
}
