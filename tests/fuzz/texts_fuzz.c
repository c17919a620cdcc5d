/* Any bytes as the options of a data set of texts, or as the note thaw.text, and behind a zero byte as its file. What
   opens can be read whole. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thaw/notes.h>
#include <unistd.h>

#include "fuzz/fuzz.h"

enum { MOST_BYTES = 1 << 22, TOKENS = 5, MOST_OPTIONS = 200, MOST_LENGTH = 512 };

static const char vocabulary[] = "[UNK]\n[CLS]\n[SEP]\na\nb\n";

static void read_all(thaw_context *context, thaw_dataset *dataset)
{
    const size_t values = thaw_shape_count(thaw_dataset_sample_shape(dataset)), length = (values - 1) / 2;
    const size_t labels = thaw_shape_count(thaw_dataset_target_shape(dataset)), classes = thaw_dataset_classes(dataset);
    float *row = malloc(values * sizeof *row);
    int32_t *targets = malloc(labels * sizeof *targets);
    fuzz_demand(row && targets, "there is memory for a sample");
    for (size_t i = 0; i < thaw_dataset_count(dataset); i++) {
        fuzz_demand(thaw_dataset_read(dataset, &i, 1, row, targets) == THAW_OK, thaw_context_message(context));
        fuzz_demand(row[length] >= 1 && row[length] <= (float)length, "lengths fit");
        for (size_t k = 0; k < length; k++) {
            fuzz_demand(row[k] >= 0 && row[k] < TOKENS, "ids are tokens");
            fuzz_demand(row[length + 1 + k] == 0 || row[length + 1 + k] == 1, "types are 0 or 1");
        }
        for (size_t k = 0; k < labels; k++)
            fuzz_demand(targets[k] == -100 || (targets[k] >= 0 && (size_t)targets[k] < classes), "labels are classes");
    }
    free(row);
    free(targets);
}

/* Long samples would take the time of many short ones. */
static void read_both(thaw_context *context, thaw_dataset *training, thaw_dataset *test)
{
    thaw_dataset *const parts[] = { training, test };
    for (size_t i = 0; i < THAW_COUNT(parts); i++)
        if (parts[i] && thaw_shape_count(thaw_dataset_sample_shape(parts[i])) <= 2 * MOST_LENGTH + 1)
            read_all(context, parts[i]);
    thaw_dataset_destroy(training);
    thaw_dataset_destroy(test);
}

static void open_all(thaw_context *context, const char *options, const char *path, const char *tokenizer)
{
    char text[MOST_OPTIONS + 2 * FUZZ_PATH_BYTES + 64], noted[FUZZ_PATH_BYTES + 64];
    thaw_model *model;
    thaw_dataset *training, *test;
    snprintf(text, sizeof text, "text:%s;tokenizer=%s;%s", path, tokenizer, options);
    thaw_status status = thaw_dataset_open(context, text, &training, &test);
    fuzz_demand_message(context, status);
    fuzz_demand((status == THAW_OK) == (training != NULL), "a data set, or none");
    read_both(context, training, test);
    fuzz_demand(thaw_model_create(context, &model) == THAW_OK, "there is memory for a model");
    snprintf(noted, sizeof noted, "[\"%s\",\"0123456789abcdef0123456789abcdef\"]", tokenizer);
    if (thaw_model_set_note(model, "thaw.text", options) == THAW_OK) {
        thaw_model_set_note(model, "thaw.tokenizer", noted);
        snprintf(text, sizeof text, "text:%s;label=1;text=2", path);
        status = thaw_dataset_open_noted(context, thaw_model_notes(model), text, &training, &test);
        fuzz_demand_message(context, status);
        fuzz_demand(status != THAW_OK, "the fingerprint is another");
    }
    thaw_model_destroy(model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[FUZZ_PATH_BYTES], options[MOST_OPTIONS] = "";
    const uint8_t *end = size ? memchr(data, 0, size) : NULL;
    const size_t length = end ? (size_t)(end - data) : size;
    if (length >= sizeof options)
        return 0;
    memcpy(options, data, length);
    const int file = fuzz_file(path, end ? end + 1 : data, end ? size - length - 1 : 0);
    const char *tokenizer = fuzz_path("vocab.txt");
    fuzz_write(tokenizer, (const uint8_t *)vocabulary, sizeof vocabulary - 1);
    thaw_context *context = fuzz_context(MOST_BYTES);
    open_all(context, options, path, tokenizer);
    thaw_context_destroy(context);
    close(file);
    return 0;
}
