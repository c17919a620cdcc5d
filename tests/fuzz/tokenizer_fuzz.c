/* Any bytes as a tokenizer.json, or as a text for a small tokenizer. The first byte chooses. What opens encodes any
   text, and its ids decode. */
#include <stdlib.h>
#include <string.h>
#include <thaw/tokenizer.h>
#include <unistd.h>

#include "fuzz/fuzz.h"

enum { MOST_BYTES = 1 << 24 };

#define VOCABULARY                                                                        \
    "\"vocab\":{\"[UNK]\":0,\"a\":1,\"b\":2,\"ab\":3,\"##b\":4,\"\xC4\xA0\":5,\"\xC4\xA0" \
    "a\":6}"
#define MASK \
    "\"added_tokens\":[{\"id\":7,\"content\":\"<m>\",\"lstrip\":true,\"special\":true},{\"id\":8,\"content\":\"Ba\"}]"

static const char *const known[] = {
    "{" MASK ",\"normalizer\":{\"type\":\"BertNormalizer\"},\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},"
    "\"model\":{\"type\":\"WordPiece\"," VOCABULARY "}}",
    "{" MASK
    ",\"pre_tokenizer\":{\"type\":\"ByteLevel\"},\"model\":{\"type\":\"BPE\",\"unk_token\":\"[UNK]\"," VOCABULARY
    ",\"merges\":[\"a b\",\"\xC4\xA0 a\"]}}",
};

static void encode(thaw_context *context, const thaw_tokenizer *tokenizer, const char *text, size_t bytes)
{
    thaw_encoder *encoder;
    thaw_encoded encoded;
    char *decoded;
    fuzz_demand(thaw_encoder_create(tokenizer, &encoder) == THAW_OK, "an encoder is made");
    const thaw_encode_options options = { .length = bytes % 16 };
    const thaw_status status = thaw_encoder_encode(encoder, &options, text, bytes, text, bytes / 2, &encoded);
    fuzz_demand(status == THAW_OK || status == THAW_INVALID_ARGUMENT || status == THAW_OUT_OF_MEMORY, "texts have ids");
    fuzz_demand(!options.length || encoded.count <= options.length, "texts are cut");
    for (size_t i = 0; i < encoded.count; i++)
        fuzz_demand(thaw_tokenizer_token(tokenizer, encoded.ids[i]) != NULL, "ids have tokens");
    if (thaw_tokenizer_decode(tokenizer, encoded.ids, encoded.count, true, &decoded) == THAW_OK)
        thaw_text_destroy(context, decoded);
    thaw_encoder_destroy(encoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char usual[] = "A b\xC3\xA1 <m> [UNK]\xE6\x97\xA5'll \xFF 12";
    char path[FUZZ_PATH_BYTES];
    const size_t which = size ? data[0] % 3 : 0;
    const char *bytes = (const char *)data + (size > 0);
    const size_t count = size - (size > 0);
    const int file = which < 2 ? fuzz_file(path, (const uint8_t *)known[which], strlen(known[which]))
                               : fuzz_file(path, (const uint8_t *)bytes, count);
    thaw_context *context = fuzz_context(MOST_BYTES);
    thaw_tokenizer *tokenizer;
    const thaw_status status = thaw_tokenizer_open(context, path, &tokenizer);
    fuzz_demand_message(context, status);
    fuzz_demand(which == 2 || status == THAW_OK, "the known tokenizers open");
    fuzz_demand((status == THAW_OK) == (tokenizer != NULL), "a tokenizer, or none");
    if (tokenizer)
        encode(context, tokenizer, which < 2 ? bytes : usual, which < 2 ? count : sizeof usual - 1);
    thaw_tokenizer_destroy(tokenizer);
    thaw_context_destroy(context);
    close(file);
    return 0;
}
