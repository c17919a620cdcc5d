/* The runs of a comparison as event files. */
#include <math.h>
#include <string.h>

#include "report/page.h"
#include "report/record.h"
#include "report/write.h"

enum { LONGEST_NAME = 120 };

/* Turns a name into a folder's name. Characters with a meaning in paths are escaped as in a URL. A long name is cut
   and gets its number appended. */
static void append_folder(thaw_text *path, const char *name, size_t number)
{
    thaw_text_append(path, "/");
    const size_t begin = path->length;
    for (const char *c = name; *c; c++) {
        if (path->length - begin >= LONGEST_NAME) {
            thaw_text_append(path, "~%zu", number);
            return;
        }
        const bool special = *c == '/' || *c == '%' || (unsigned char)*c < ' ' || (c == name && *c == '.');
        thaw_text_append(path, special ? "%%%02X" : "%c", special ? (unsigned)(unsigned char)*c : (unsigned)*c);
    }
}

static size_t number_of(const json_t *list, const char *key, const char *name)
{
    size_t i = 0;
    while (i < json_array_size(list) && strcmp(thaw_report_string(json_array_get(list, i), key), name) != 0)
        i++;
    return i + 1;
}

static void append_path(thaw_text *path, const json_t *results, const json_t *run, const char *directory)
{
    const char *strategy = thaw_report_string(run, "strategy"), *optimizer = thaw_report_string(run, "optimizer");
    thaw_text_append(path, "%s/events", directory);
    append_folder(path, strategy, number_of(json_object_get(results, "strategies"), "name", strategy));
    append_folder(path, optimizer, number_of(json_object_get(results, "optimizers"), "description", optimizer));
    thaw_text_append(path, "/lr=%.6g/seed=%.0f", thaw_report_number(run, "learning_rate"),
                     thaw_report_number(run, "seed"));
}

/* The events' clock is the training time so far. */
static void append_epochs(thaw_event_file *file, const json_t *epochs)
{
    static const struct {
        const char *key, *tag;
    } scalars[] = {
        { "test_accuracy", "test/accuracy" },
        { "test_loss", "test/loss" },
        { "training_accuracy", "training/accuracy" },
        { "training_loss", "training/loss" },
        { "seconds", "epoch/seconds" },
        { "samples_per_second", "epoch/samples_per_second" },
        { "parameters_trained", "epoch/parameters" },
        { "joules", "epoch/joules" },
    };
    double seconds = 0;
    for (size_t e = 0; e < json_array_size(epochs); e++) {
        const json_t *epoch = json_array_get(epochs, e);
        const double passed = thaw_report_number(epoch, "seconds");
        seconds += isfinite(passed) ? passed : 0;
        for (size_t i = 0; i < THAW_COUNT(scalars); i++) {
            const double value = thaw_report_number(epoch, scalars[i].key);
            if (isfinite(value))
                thaw_event_scalar(file, seconds, (int64_t)e + 1, scalars[i].tag, value);
        }
    }
}

static thaw_status write_run(thaw_context *context, const json_t *results, const json_t *run, const char *directory)
{
    thaw_text text = { .context = context };
    char *path = NULL;
    append_path(&text, results, run, directory);
    const size_t length = text.length;
    thaw_text_append(&text, "/events.out.tfevents.0000000000.thaw");
    thaw_status status = thaw_text_finish(&text, &path);
    if (status != THAW_OK)
        return status;
    path[length] = '\0';
    status = thaw_report_make_directory(context, path);
    path[length] = '/';
    thaw_event_file file = { .context = context };
    thaw_event_begin(&file);
    append_epochs(&file, json_object_get(run, "epochs"));
    if (status == THAW_OK)
        status = file.failed ? THAW_OUT_OF_MEMORY : thaw_report_write_file(context, path, file.bytes, file.count);
    thaw_event_release(&file);
    thaw_text_destroy(context, path);
    return status;
}

thaw_status thaw_report_write_events(thaw_context *context, const json_t *results, const char *directory)
{
    const json_t *runs = json_object_get(results, "runs");
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < json_array_size(runs) && status == THAW_OK; i++)
        status = write_run(context, results, json_array_get(runs, i), directory);
    return status;
}
