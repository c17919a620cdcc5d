/* Encodes texts for tokenizers.py: tokenizer-worker TOKENIZER TEXTS IDS [LENGTH]. TEXTS holds for each sample the bytes
   of two texts as uint32 (of the second 2^32 - 1: there is none), then the texts; IDS gets the number of ids, the ids
   and the types. Prints the seconds of encoding. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <thaw/thaw.h>
#include <thaw/tokenizer.h>
#include <time.h>

typedef struct sample {
    uint32_t bytes[2];
    const char *texts[2];
} sample;

static void fail(const char *what)
{
    fprintf(stderr, "tokenizer-worker: %s\n", what);
    exit(1);
}

static char *read_file(const char *path, size_t *bytes)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        fail("cannot read the texts");
    *bytes = (size_t)ftell(file);
    rewind(file);
    char *content = malloc(*bytes + 1);
    if (!content || fread(content, 1, *bytes, file) != *bytes)
        fail("cannot read the texts");
    fclose(file);
    return content;
}

/* Cuts the file into samples; returns their number. */
static size_t cut(const char *content, size_t bytes, sample **samples)
{
    size_t count = 0, capacity = 0;
    for (size_t at = 0; at < bytes; count++) {
        if (count == capacity) {
            capacity = capacity ? 2 * capacity : 1024;
            *samples = realloc(*samples, capacity * sizeof **samples);
            if (!*samples)
                fail("no memory");
        }
        sample *next = &(*samples)[count];
        for (int i = 0; i < 2; i++, at += 4)
            next->bytes[i] = *(const uint32_t *)(const void *)(content + at);
        for (int i = 0; i < 2; i++) {
            next->texts[i] = next->bytes[i] == UINT32_MAX ? NULL : content + at;
            at += next->texts[i] ? (next->bytes[i] + 3) / 4 * 4 : 0;
        }
    }
    return count;
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static double encode(thaw_encoder *encoder, const thaw_encode_options *options, const sample *samples, size_t count,
                     FILE *out)
{
    double seconds = 0;
    for (size_t i = 0; i < count; i++) {
        thaw_encoded encoded;
        const double begin = now();
        if (thaw_encoder_encode(encoder, options, samples[i].texts[0], samples[i].bytes[0], samples[i].texts[1],
                                samples[i].bytes[1], &encoded) != THAW_OK)
            fail("a text cannot be encoded");
        seconds += now() - begin;
        const uint32_t ids = (uint32_t)encoded.count;
        fwrite(&ids, sizeof ids, 1, out);
        fwrite(encoded.ids, sizeof *encoded.ids, encoded.count, out);
        fwrite(encoded.types, sizeof *encoded.types, encoded.count, out);
    }
    return seconds;
}

int main(int count, char **arguments)
{
    if (count < 4)
        fail("usage: tokenizer-worker TOKENIZER TEXTS IDS [LENGTH]");
    const thaw_encode_options options = { .length = count > 4 ? strtoul(arguments[4], NULL, 10) : 0 };
    thaw_context *context;
    thaw_tokenizer *tokenizer;
    thaw_encoder *encoder = NULL;
    sample *samples = NULL;
    size_t bytes;
    if (thaw_context_create(NULL, &context) != THAW_OK)
        fail("no context");
    if (thaw_tokenizer_open(context, arguments[1], &tokenizer) != THAW_OK ||
        thaw_encoder_create(tokenizer, &encoder) != THAW_OK)
        fail(thaw_context_message(context));
    char *content = read_file(arguments[2], &bytes);
    const size_t texts = cut(content, bytes, &samples);
    FILE *out = fopen(arguments[3], "wb");
    if (!out)
        fail("cannot write the ids");
    printf("%.6f\n", encode(encoder, &options, samples, texts, out));
    if (fclose(out) != 0)
        fail("cannot write the ids");
    thaw_encoder_destroy(encoder);
    thaw_tokenizer_destroy(tokenizer);
    thaw_context_destroy(context);
    free(samples);
    free(content);
    return 0;
}
