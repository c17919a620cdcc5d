/* Any bytes as the table of labels of a folder that has the images a.png and b.png, and as the rows of a trained network.
   The first byte chooses options. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/rows.h"
#include "fuzz/fuzz.h"

enum { MOST_BYTES = 1 << 20 };

static const char *const options[] = { "", ";unlisted=skip;val=0.5", ";label=1;file=2;header=no;unlisted=skip",
                                       ";task=regression;unlisted=skip;on-error=fail" };

/* The folder of images, without a slash at its end. */
static const char *make_folder(void)
{
    static const uint8_t image[] = "\x89PNG\r\n\x1a\n";
    static char folder[1024];
    static const char *const names[] = { "a.png", "b.png" };
    for (size_t i = 0; i < THAW_COUNT(names) && !*folder; i++)
        fuzz_write(fuzz_path(names[i]), image, sizeof image - 1);
    snprintf(folder, sizeof folder, "%s", fuzz_path("a.png"));
    *strrchr(folder, '/') = '\0';
    return folder;
}

static void check_targets(const thaw_dataset *dataset)
{
    double mean, deviation;
    fuzz_demand(thaw_dataset_count(dataset) >= 1 && thaw_dataset_count(dataset) <= 2, "the images are those there are");
    for (size_t i = 0; i < thaw_shape_count(thaw_dataset_target_shape(dataset)); i++)
        fuzz_demand(!thaw_dataset_target_scale(dataset, i, &mean, &deviation) ||
                        (isfinite(mean) && isfinite(deviation) && deviation > 0),
                    "targets are scaled by finite numbers");
}

static void open_labels(thaw_context *context, const char *path, const char *with)
{
    char text[2048];
    thaw_dataset *training, *test;
    snprintf(text, sizeof text, "folder:%s;size=2;threads=1;labels=%s%s", make_folder(), path, with);
    const thaw_status status = thaw_dataset_open(context, text, &training, &test);
    fuzz_demand_message(context, status);
    fuzz_demand((status == THAW_OK) == (training != NULL), "a data set, or none");
    if (training)
        check_targets(training);
    thaw_dataset_destroy(training);
    thaw_dataset_destroy(test);
}

static void read_rows(thaw_context *context, const char *path, bool array)
{
    char text[2 * FUZZ_PATH_BYTES];
    thaw_model *model;
    size_t *lines;
    thaw_samples samples = { .context = context };
    snprintf(text, sizeof text, array ? "npy:%s" : "csv:%s;missing=mean", path);
    fuzz_demand(thaw_model_create(context, &model) == THAW_OK, "there is memory for a model");
    thaw_model_set_note(model, "thaw.columns",
                        array ? "[\"x\",\"number\",\"1\",\"2\"]"
                              : "[\"file\",\"category\",\"2\",\"a.png\",\"b.png\",\"x\",\"number\",\"1\",\"2\"]");
    const thaw_status status = thaw_rows_read(thaw_model_notes(model), text, &samples, &lines);
    fuzz_demand_message(context, status);
    fuzz_demand((status == THAW_OK) == (samples.inputs.data != NULL), "samples, or none");
    fuzz_demand((status == THAW_OK && !array) == (lines != NULL), "lines of a table, or none");
    thaw_samples_release(&samples);
    thaw_release(context, lines);
    thaw_model_destroy(model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[FUZZ_PATH_BYTES];
    const size_t which = size ? data[0] % THAW_COUNT(options) : 0;
    const int file = fuzz_file(path, data + (size > 0), size - (size > 0));
    thaw_context *context = fuzz_context(MOST_BYTES);
    thaw_context_limit_data(context, MOST_BYTES / 2);
    open_labels(context, path, options[which]);
    read_rows(context, path, which % 2);
    thaw_context_destroy(context);
    close(file);
    return 0;
}
