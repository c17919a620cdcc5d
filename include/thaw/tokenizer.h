/* Tokenizers: text to the ids that a network was trained on, and back. Two families are read:
   - WordPiece, with BERT's normalisation and words (BERT, DistilBERT, MiniLM);
   - byte-level BPE, with GPT-2's words (GPT-2, RoBERTa).
   Ids equal those of the `tokenizers` package (https://github.com/huggingface/tokenizers), which also defines the
   files.

   Text is UTF-8. Bytes that are not, and surrogates, are replaced by U+FFFD, once for each maximal part that cannot
   begin a character, as in Python's decode("utf-8", "replace"). BERT's normalisation then drops U+FFFD. Characters that
   are younger than the Unicode of the utf8proc in use count as neither letters nor numbers.

   A build without utf8proc or jansson cannot open tokenizers: thaw_tokenizer_open returns THAW_UNSUPPORTED. */
#ifndef THAW_TOKENIZER_H
#define THAW_TOKENIZER_H

#include <thaw/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A vocabulary and its rules. It does not change, so threads may share it. */
typedef struct thaw_tokenizer thaw_tokenizer;

/* The families. */
typedef enum thaw_tokenizer_kind { THAW_TOKENIZER_WORD_PIECE, THAW_TOKENIZER_BYTE_PAIR } thaw_tokenizer_kind;

/* Opens a tokenizer. `path` is a file, or a folder as people download it, of which the first of these is read:
     tokenizer.json           its model (WordPiece, BPE), normalizer (BertNormalizer), pre_tokenizer (BertPreTokenizer,
                              ByteLevel), post_processor (BertProcessing, RobertaProcessing, TemplateProcessing,
                              ByteLevel, or a Sequence of these), decoder (WordPiece, ByteLevel) and added_tokens.
                              Truncation and padding are ignored: thaw_encode_options decides.
     vocab.txt                WordPiece, one token a line; with tokenizer_config.json beside it: do_lower_case,
                              strip_accents and tokenize_chinese_chars. [UNK], [CLS] and [SEP] must be tokens; they,
                              [PAD] and [MASK] are special.
     vocab.json, merges.txt   byte-level BPE; no special tokens around texts; <|endoftext|> is special if it is a token.
   The caller owns *tokenizer, which is NULL after an error. The context must outlive it.
   Errors: THAW_IO_ERROR, THAW_NOT_FOUND (a folder without these files), THAW_BAD_FORMAT, THAW_UNSUPPORTED (the message
   names the part of the file that Thaw does not know), THAW_OUT_OF_MEMORY. */
THAW_API thaw_status thaw_tokenizer_open(thaw_context *context, const char *path, thaw_tokenizer **tokenizer);

/* NULL is allowed. Its encoders must be destroyed before. */
THAW_API void thaw_tokenizer_destroy(thaw_tokenizer *tokenizer);

/* The family. Thread-safe, as all of the following functions on a tokenizer. */
THAW_API thaw_tokenizer_kind thaw_tokenizer_kind_of(const thaw_tokenizer *tokenizer);

/* One more than the highest id. */
THAW_API size_t thaw_tokenizer_count(const thaw_tokenizer *tokenizer);

/* The id of a token as files write it, such as "##ing" or "\u0120the"; -1: there is no such token. */
THAW_API int32_t thaw_tokenizer_id(const thaw_tokenizer *tokenizer, const char *token);

/* The token of an id, as files write it; NULL: no token has it. Valid as long as the tokenizer. */
THAW_API const char *thaw_tokenizer_token(const thaw_tokenizer *tokenizer, int32_t id);

/* A fingerprint of all that ids depend on: vocabulary, rules and special tokens. Tokenizers with the same one make the
   same ids of a text. */
THAW_API void thaw_tokenizer_fingerprint(const thaw_tokenizer *tokenizer, uint64_t fingerprint[2]);

/* Text from ids, which the caller frees with thaw_text_destroy; NULL after an error. `skip_special` leaves out special
   tokens. The context is used, so one call at a time. Errors: THAW_NOT_FOUND (an id without a token),
   THAW_OUT_OF_MEMORY. */
THAW_API thaw_status thaw_tokenizer_decode(const thaw_tokenizer *tokenizer, const int32_t *ids, size_t count,
                                           bool skip_special, char **text);

/* Encodes texts, one at a time: each thread has its own. It keeps its memory from text to text. */
typedef struct thaw_encoder thaw_encoder;

/* Makes an encoder, which the caller owns. The tokenizer must outlive it. The context is used for a message alone.
   Errors: THAW_OUT_OF_MEMORY. */
THAW_API thaw_status thaw_encoder_create(const thaw_tokenizer *tokenizer, thaw_encoder **encoder);

/* NULL is allowed. */
THAW_API void thaw_encoder_destroy(thaw_encoder *encoder);

/* Which text loses its last tokens if there are too many. */
typedef enum thaw_truncation {
    THAW_TRUNCATE_LONGEST, /* the longer one, to what the shorter leaves, but not below half; then both */
    THAW_TRUNCATE_FIRST,   /* the first text alone */
    THAW_TRUNCATE_SECOND   /* the second text alone */
} thaw_truncation;

/* Zero everywhere means the defaults. */
typedef struct thaw_encode_options {
    size_t length;              /* at most this many ids, with the special tokens; 0: any number */
    thaw_truncation truncation; /* how texts are cut to that length */
    bool bare;                  /* no special tokens around the texts; those inside of a text are still found */
} thaw_encode_options;

/* What an encoder made. The arrays are the encoder's, until it encodes again. */
typedef struct thaw_encoded {
    const int32_t *ids;   /* of the tokens */
    const int32_t *types; /* of each id: 0 or 1, the text that it belongs to, as the tokenizer's file says */
    size_t count;         /* ids */
    size_t whole;         /* ids without truncation */
    size_t replaced;      /* U+FFFD in place of invalid UTF-8 */
} thaw_encoded;

/* Encodes a text of `bytes` bytes, or a pair; `second` is NULL if there is one text. `options` may be NULL. Several
   encoders may encode at once: the context's message is not set. Errors: THAW_INVALID_ARGUMENT (the length leaves no
   room for the special tokens, or the text to cut has too few), THAW_OUT_OF_MEMORY. */
THAW_API thaw_status thaw_encoder_encode(thaw_encoder *encoder, const thaw_encode_options *options, const char *text,
                                         size_t bytes, const char *second, size_t second_bytes, thaw_encoded *encoded);

#ifdef __cplusplus
}
#endif

#endif
