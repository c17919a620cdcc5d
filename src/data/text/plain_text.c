#include "data/text/plain_text.h"

#include "core/allocation.h"
#include "core/context.h"
#include "data/limit.h"
#include "data/text/whole_file.h"

static thaw_status reserve(thaw_text_samples *samples, const char *path, size_t windows, size_t ids, bool narrow)
{
    const size_t bytes = narrow ? sizeof *samples->narrow : sizeof *samples->wide;
    const thaw_status status = thaw_data_allow(samples->context, path, windows + ids, bytes);
    if (status != THAW_OK)
        return status;
    samples->begins = thaw_allocate_array(samples->context, windows + 1, sizeof *samples->begins);
    void *made = thaw_allocate_array(samples->context, windows + ids, bytes); /* windows share their ends */
    samples->narrow = narrow ? made : NULL;
    samples->wide = narrow ? NULL : made;
    return samples->begins && made ? THAW_OK : THAW_OUT_OF_MEMORY;
}

static thaw_status cut(const thaw_encoded *encoded, const thaw_tokenizer *tokenizer, const char *path, size_t length,
                       thaw_text_samples *samples)
{
    if (encoded->count < 2)
        return thaw_fail(samples->context, THAW_BAD_FORMAT, "%s: has %zu tokens, must have at least 2", path,
                         encoded->count);
    const size_t windows = (encoded->count - 2) / length + 1;
    const thaw_status status =
        reserve(samples, path, windows, encoded->count, thaw_tokenizer_count(tokenizer) <= (size_t)UINT16_MAX + 1);
    for (size_t i = 0, at = 0; i < windows && status == THAW_OK; i++) {
        const size_t left = encoded->count - i * length, taken = left > length ? length + 1 : left;
        for (size_t k = 0; k < taken; k++, at++)
            if (samples->narrow)
                samples->narrow[at] = (uint16_t)encoded->ids[i * length + k];
            else
                samples->wide[at] = encoded->ids[i * length + k];
        samples->begins[i + 1] = at;
        samples->longest = taken > samples->longest ? taken : samples->longest;
        samples->count = i + 1;
    }
    return status;
}

thaw_status thaw_plain_text_read(const thaw_tokenizer *tokenizer, const char *path, size_t length,
                                 thaw_text_samples *samples)
{
    thaw_context *context = samples->context;
    const thaw_encode_options bare = { .bare = true };
    thaw_encoder *encoder = NULL;
    thaw_encoded encoded;
    char *text = NULL;
    size_t bytes = 0;
    if (length == 0)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: length is 0, must be at least 1", path);
    thaw_status status = thaw_whole_file_read(context, path, &text, &bytes);
    if (status == THAW_OK)
        status = thaw_encoder_create(tokenizer, &encoder);
    if (status == THAW_OK && thaw_encoder_encode(encoder, &bare, text, bytes, NULL, 0, &encoded) != THAW_OK)
        status = thaw_fail(context, THAW_OUT_OF_MEMORY, "%s: no memory for the ids of its text", path);
    if (status == THAW_OK)
        status = cut(&encoded, tokenizer, path, length, samples);
    if (status == THAW_OK && encoded.replaced)
        thaw_log(context, THAW_LOG_WARNING, "%s: %zu parts of the text are not UTF-8 and were replaced by U+FFFD", path,
                 encoded.replaced);
    samples->replaced = status == THAW_OK ? encoded.replaced : 0;
    thaw_encoder_destroy(encoder);
    thaw_release(context, text);
    return status;
}
