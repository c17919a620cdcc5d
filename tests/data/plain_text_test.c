/* Plain text for next-token training. */
#include "data/text/plain_text.h"

#include <string.h>

#include "support/allocator.h"
#include "support/files.h"
#include "support/support.h"

static char directory[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES];

static void begin(void)
{
    support_make_directory(directory);
    support_path(path, directory, "text.txt");
}

static void end(void)
{
    support_remove_directory(directory);
}

static thaw_status read_text(thaw_context *context, size_t length, thaw_tokenizer **tokenizer,
                             thaw_text_samples *samples)
{
    char golden[SUPPORT_PATH_BYTES];
    *samples = (thaw_text_samples){ .context = context };
    const thaw_status status = thaw_tokenizer_open(context, support_golden(golden, "tokens/vocab.json"), tokenizer);
    return status == THAW_OK ? thaw_plain_text_read(*tokenizer, path, length, samples) : status;
}

static const char text[] = "the quick brown fox\njumps over the lazy dog\n\xFF the end";

/* Each target is the id behind its own, and each id but the last is an input once. */
Test(plain_text, windows_share_their_ends, .init = begin, .fini = end)
{
    thaw_context *context = support_context(1);
    thaw_tokenizer *tokenizer;
    thaw_encoder *encoder;
    thaw_encoded whole;
    thaw_text_samples samples;
    support_write_file(path, text, sizeof text - 1);
    for (size_t length = 1; length < 60; length++) {
        int32_t ids[64];
        size_t inputs = 0;
        assert_ok(context, read_text(context, length, &tokenizer, &samples));
        assert_ok(context, thaw_encoder_create(tokenizer, &encoder));
        const thaw_encode_options bare = { .bare = true };
        assert_ok(context, thaw_encoder_encode(encoder, &bare, text, sizeof text - 1, NULL, 0, &whole));
        cr_assert_gt(whole.count, 10);
        cr_assert_eq(samples.replaced, 1);
        for (size_t i = 0; i < samples.count; i++) {
            const size_t taken = thaw_text_samples_length(&samples, i);
            cr_assert(taken >= 2 && taken <= length + 1, "length %zu: a window of %zu", length, taken);
            cr_assert(taken == length + 1 || i + 1 == samples.count);
            thaw_text_samples_read(&samples, i, -1, taken, ids, NULL);
            for (size_t k = 0; k < taken; k++)
                cr_assert_eq(ids[k], whole.ids[inputs + k], "length %zu, window %zu, id %zu", length, i, k);
            inputs += taken - 1;
        }
        cr_assert_eq(inputs, whole.count - 1, "length %zu", length);
        thaw_encoder_destroy(encoder);
        thaw_text_samples_release(&samples);
        thaw_tokenizer_destroy(tokenizer);
    }
    thaw_context_destroy(context);
}

Test(plain_text, says_what_is_wrong, .init = begin, .fini = end)
{
    thaw_context *context = support_context(1);
    thaw_tokenizer *tokenizer;
    thaw_text_samples samples;
    assert_fails(context, read_text(context, 4, &tokenizer, &samples), THAW_IO_ERROR, "text.txt: cannot open");
    thaw_tokenizer_destroy(tokenizer);
    support_write_file(path, "", 0);
    assert_fails(context, read_text(context, 4, &tokenizer, &samples), THAW_BAD_FORMAT, "text.txt: has 0 tokens");
    thaw_tokenizer_destroy(tokenizer);
    assert_fails(context, read_text(context, 0, &tokenizer, &samples), THAW_INVALID_ARGUMENT, "length is 0");
    thaw_tokenizer_destroy(tokenizer);
    thaw_context_destroy(context);
}

Test(plain_text, needs_memory_and_leaks_none, .init = begin, .fini = end)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    support_write_file(path, text, sizeof text - 1);
    for (size_t at = 0, calls = 1; at <= calls; at++) {
        thaw_tokenizer *tokenizer;
        thaw_text_samples samples;
        const size_t before = allocator.calls;
        allocator.fail_at = at ? allocator.calls + at : 0;
        const thaw_status status = read_text(context, 5, &tokenizer, &samples);
        cr_assert_eq(status, at ? THAW_OUT_OF_MEMORY : THAW_OK, "allocation %zu", at);
        calls = at ? calls : allocator.calls - before;
        thaw_text_samples_release(&samples);
        thaw_tokenizer_destroy(tokenizer);
        cr_assert_eq(allocator.live, 1, "allocation %zu leaks", at);
    }
    thaw_context_destroy(context);
}
