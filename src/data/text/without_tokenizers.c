/* Replaces the tokenizers if the library is built without utf8proc or jansson. */
#include <thaw/runtime.h>

#include "data/text/text_list.h"
#include "data/text/text_open.h"

thaw_status thaw_tokenizer_open(thaw_context *context, const char *path, thaw_tokenizer **tokenizer)
{
    *tokenizer = NULL;
    return thaw_fail(context, THAW_UNSUPPORTED,
                     "%s: this libthaw was built without utf8proc or jansson and cannot read tokenizers", path);
}

void thaw_tokenizer_destroy(thaw_tokenizer *tokenizer)
{
    (void)tokenizer;
}

thaw_tokenizer_kind thaw_tokenizer_kind_of(const thaw_tokenizer *tokenizer)
{
    (void)tokenizer;
    return THAW_TOKENIZER_WORD_PIECE;
}

size_t thaw_tokenizer_count(const thaw_tokenizer *tokenizer)
{
    (void)tokenizer;
    return 0;
}

int32_t thaw_tokenizer_id(const thaw_tokenizer *tokenizer, const char *token)
{
    (void)tokenizer, (void)token;
    return -1;
}

const char *thaw_tokenizer_token(const thaw_tokenizer *tokenizer, int32_t id)
{
    (void)tokenizer, (void)id;
    return NULL;
}

void thaw_tokenizer_fingerprint(const thaw_tokenizer *tokenizer, uint64_t fingerprint[2])
{
    (void)tokenizer;
    fingerprint[0] = fingerprint[1] = 0;
}

thaw_status thaw_tokenizer_decode(const thaw_tokenizer *tokenizer, const int32_t *ids, size_t count, bool skip_special,
                                  char **text)
{
    (void)tokenizer, (void)ids, (void)count, (void)skip_special;
    *text = NULL;
    return THAW_UNSUPPORTED;
}

thaw_status thaw_encoder_create(const thaw_tokenizer *tokenizer, thaw_encoder **encoder)
{
    (void)tokenizer;
    *encoder = NULL;
    return THAW_UNSUPPORTED;
}

void thaw_encoder_destroy(thaw_encoder *encoder)
{
    (void)encoder;
}

thaw_status thaw_encoder_encode(thaw_encoder *encoder, const thaw_encode_options *options, const char *text,
                                size_t bytes, const char *second, size_t second_bytes, thaw_encoded *encoded)
{
    (void)encoder, (void)options, (void)text, (void)bytes, (void)second, (void)second_bytes;
    *encoded = (thaw_encoded){ 0 };
    return THAW_UNSUPPORTED;
}

thaw_status thaw_texts_open(thaw_description *from, thaw_dataset **training, thaw_dataset **test)
{
    (void)training, (void)test;
    return thaw_fail(from->context, THAW_UNSUPPORTED,
                     "%s: this libthaw was built without utf8proc or jansson and cannot read texts", from->directory);
}

thaw_status thaw_texts_prepare(const thaw_description *from, thaw_text_form *form, thaw_tokenizer **tokenizer)
{
    *form = (thaw_text_form){ 0 };
    return thaw_tokenizer_open(from->context, "texts", tokenizer);
}

int32_t thaw_texts_padding(const thaw_tokenizer *tokenizer)
{
    (void)tokenizer;
    return 0;
}

thaw_status thaw_text_list_encode(thaw_text_samples *samples, const thaw_tokenizer *tokenizer, const char *const *texts,
                                  const char *const *seconds, size_t count, size_t length)
{
    (void)samples, (void)tokenizer, (void)texts, (void)seconds, (void)count, (void)length;
    return THAW_UNSUPPORTED;
}

void thaw_text_samples_read(const thaw_text_samples *samples, size_t index, int32_t padding, size_t capacity,
                            int32_t *ids, int32_t *types)
{
    (void)samples, (void)index, (void)padding, (void)capacity, (void)ids, (void)types;
}

void thaw_text_samples_release(thaw_text_samples *samples)
{
    (void)samples;
}
