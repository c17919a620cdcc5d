/* Any bytes as a file of texts with labels. The first byte chooses options. What opens can be read whole. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/text/text_file.h"
#include "fuzz/fuzz.h"

enum { MOST_BYTES = 1 << 22 };

static const char vocabulary[] = "{\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},\"model\":{\"type\":\"WordPiece\","
                                 "\"vocab\":{\"[UNK]\":0,\"a\":1,\"##b\":2,\"b\":3}}}";

static const thaw_text_options choices[] = {
    { .text = "1" },
    { .text = "2", .label = "1", .split = 0.5 },
    { .text = "text", .second = "1", .label = "sort", .length = 3 },
    { .text = "2", .second = "1", .label = "1", .length = 2, .split = 0.1, .seed = 7 },
    { .text = "text", .label = "sort" }, /* of JSON lines */
};

static void read_all(const thaw_text_samples *samples, const thaw_words *classes)
{
    int32_t *ids = malloc((samples->longest + 1) * sizeof *ids),
            *types = malloc((samples->longest + 1) * sizeof *types);
    fuzz_demand(ids && types, "there is memory for a sample");
    for (size_t i = 0; i < samples->count; i++) {
        thaw_text_samples_read(samples, i, 0, samples->longest, ids, types);
        for (size_t k = 0; k < samples->longest; k++)
            fuzz_demand(ids[k] >= 0 && ids[k] <= 3 && (types[k] == 0 || types[k] == 1), "ids are tokens");
        fuzz_demand(!samples->labels || (size_t)samples->labels[i] < classes->count, "labels are classes");
    }
    free(ids);
    free(types);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[FUZZ_PATH_BYTES], tokens[FUZZ_PATH_BYTES];
    const size_t which = size ? data[0] % THAW_COUNT(choices) : 0;
    thaw_text_options options = choices[which];
    const int file = fuzz_file(path, data + (size > 0), size - (size > 0));
    const int tokenizer_file = fuzz_file(tokens, (const uint8_t *)vocabulary, sizeof vocabulary - 1);
    thaw_context *context = fuzz_context(MOST_BYTES);
    thaw_tokenizer *tokenizer;
    thaw_words classes = { .context = context };
    thaw_text_samples training = { .context = context }, test = { .context = context };
    fuzz_demand(thaw_tokenizer_open(context, tokens, &tokenizer) == THAW_OK, "the tokenizer opens");
    options.path = which == 4 ? fuzz_path("texts.jsonl") : path;
    if (which == 4)
        fuzz_write(options.path, data + 1, size - 1);
    const thaw_status status = thaw_text_file_read(tokenizer, &options, &classes, &training, &test);
    fuzz_demand_message(context, status);
    if (status == THAW_OK) {
        fuzz_demand(training.count > 0, "there are samples");
        read_all(&training, &classes);
        read_all(&test, &classes);
    }
    thaw_text_samples_release(&training);
    thaw_text_samples_release(&test);
    thaw_words_release(&classes);
    thaw_tokenizer_destroy(tokenizer);
    thaw_context_destroy(context);
    close(file);
    close(tokenizer_file);
    return 0;
}
