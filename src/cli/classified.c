#include "cli/classified.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/class_tables.h"
#include "cli/failure.h"
#include "cli/json.h"
#include "cli/shown.h"
#include "io/new_file.h"

/* ---------------------------------------------------------------- measuring */

static bool is_asked(const cli_options *options)
{
    return options->confusion || options->per_class || options->csv || options->html;
}

/* Checks before a long evaluation that a file can be written. */
static int check_place(const cli_session *session, const char *path, const char *option)
{
    thaw_new_file file;
    if (!path)
        return CLI_DONE;
    const thaw_status status = thaw_new_file_create(session->context, path, 1, &file);
    if (status == THAW_OK)
        thaw_new_file_discard(&file);
    return cli_check(session->context, status, option);
}

static int name_classes(cli_classified *classified, const thaw_dataset *data, size_t count)
{
    classified->classes = calloc(count, sizeof *classified->classes);
    classified->names = calloc(count, sizeof(char *));
    classified->numbers = calloc(count, sizeof *classified->numbers);
    if (!classified->classes || !classified->names || !classified->numbers)
        return cli_fail("evaluation", "no memory for the figures of %zu classes", count);
    for (size_t i = 0; i < count; i++) {
        snprintf(classified->numbers[i], sizeof classified->numbers[i], "%zu", i);
        classified->names[i] = thaw_dataset_class_name(data, i);
        if (!classified->names[i])
            classified->names[i] = classified->numbers[i];
    }
    return CLI_DONE;
}

int cli_classified_begin(cli_classified *classified, const cli_session *session)
{
    const cli_options *options = session->options;
    const size_t count = thaw_shape_count(thaw_model_node_shape(session->model, thaw_model_output(session->model)));
    if (!is_asked(options))
        return CLI_DONE;
    int code = check_place(session, options->csv, "--csv");
    if (code == CLI_DONE)
        code = check_place(session, options->html, "--html");
    if (code == CLI_DONE)
        code = name_classes(classified, session->test, count);
    if (code == CLI_DONE)
        code = cli_check(session->context, thaw_classification_create(session->context, count, &classified->counts),
                         "evaluation");
    return code;
}

int cli_classified_finish(cli_classified *classified, const cli_session *session, const thaw_evaluation *found)
{
    thaw_context *context = session->context;
    const cli_options *options = session->options;
    if (!classified->counts)
        return CLI_DONE;
    classified->found = (thaw_classified){
        .counts = classified->counts,
        .classes = classified->classes,
        .names = classified->names,
        .loss = found->loss,
        .model = options->model,
        .data = options->data,
        .weights = options->load,
        .command = options->line,
    };
    thaw_status status = thaw_classification_totals(classified->counts, &classified->found.all);
    for (size_t i = 0; i < thaw_classification_classes(classified->counts) && status == THAW_OK; i++)
        status = thaw_classification_class(classified->counts, i, &classified->classes[i]);
    int code = cli_check(context, status, "evaluation");
    if (code == CLI_DONE && options->csv)
        code = cli_check(context, thaw_classified_write_csv(context, &classified->found, options->csv), "--csv");
    if (code == CLI_DONE && options->html)
        code = cli_check(context, thaw_classified_write_page(context, &classified->found, options->html), "--html");
    return code;
}

void cli_classified_end(cli_classified *classified)
{
    thaw_classification_destroy(classified->counts);
    free(classified->classes);
    free((void *)classified->names);
    free(classified->numbers);
}

/* ---------------------------------------------------------------- JSON */

static void put_rates(json_t *object, const thaw_class_rates *rates)
{
    json_object_set_new(object, "precision", cli_json_real(rates->precision));
    json_object_set_new(object, "recall", cli_json_real(rates->recall));
    json_object_set_new(object, "f1", cli_json_real(rates->f1));
}

void cli_classified_describe(const cli_classified *classified, json_t *event)
{
    const thaw_classification_figures *all = &classified->found.all;
    json_t *macro = json_object(), *weighted = json_object();
    put_rates(macro, &all->macro);
    put_rates(weighted, &all->weighted);
    json_object_set_new(event, "top5_accuracy", cli_json_real(all->top5));
    json_object_set_new(event, "roc_auc", cli_json_real(all->roc_auc));
    json_object_set_new(event, "macro", macro);
    json_object_set_new(event, "weighted", weighted);
}

static json_t *name_of(const cli_classified *classified, size_t index)
{
    return cli_json_text(cli_show(classified->names[index]).text);
}

static int print_class(const cli_classified *classified, size_t index)
{
    const thaw_class_figures *one = &classified->classes[index];
    json_t *object = json_object();
    json_object_set_new(object, "event", json_string("class"));
    json_object_set_new(object, "class", cli_json_count(index));
    json_object_set_new(object, "name", name_of(classified, index));
    put_rates(object, &one->rates);
    json_object_set_new(object, "roc_auc", cli_json_real(one->roc_auc));
    json_object_set_new(object, "samples", cli_json_count(one->support));
    json_object_set_new(object, "predicted", cli_json_count(one->predicted));
    json_object_set_new(object, "correct", cli_json_count(one->correct));
    return cli_json_print(object);
}

static int print_matrix(const cli_classified *classified)
{
    json_t *object = json_object(), *names = json_array(), *rows = json_array();
    const size_t classes = thaw_classification_classes(classified->counts);
    for (size_t i = 0; i < classes; i++) {
        json_t *row = json_array();
        json_array_append_new(names, name_of(classified, i));
        for (size_t k = 0; k < classes; k++)
            json_array_append_new(row, cli_json_count(thaw_classification_count(classified->counts, i, k)));
        json_array_append_new(rows, row);
    }
    json_object_set_new(object, "event", json_string("confusion"));
    json_object_set_new(object, "names", names);
    json_object_set_new(object, "counts", rows);
    return cli_json_print(object);
}

static int print_json(const cli_classified *classified, const cli_options *options)
{
    int code = CLI_DONE;
    for (size_t i = 0; options->per_class && i < thaw_classification_classes(classified->counts); i++)
        if (code == CLI_DONE)
            code = print_class(classified, i);
    return code == CLI_DONE && options->confusion ? print_matrix(classified) : code;
}

/* ---------------------------------------------------------------- printing */

int cli_classified_print(const cli_classified *classified, const cli_options *options)
{
    if (!classified->counts)
        return CLI_DONE;
    if (options->json)
        return print_json(classified, options);
    cli_print_class_totals(&classified->found);
    if (options->per_class)
        cli_print_class_table(&classified->found);
    if (options->confusion)
        cli_print_confusions(&classified->found);
    if (options->csv)
        printf("saved %s\n", cli_show(options->csv).text);
    if (options->html)
        printf("saved %s\n", cli_show(options->html).text);
    return CLI_DONE;
}
