/* A small tokenizer, and files of texts, in a folder of their own. */
#ifndef THAW_TESTS_DATA_TEXTS_FIXTURE_H
#define THAW_TESTS_DATA_TEXTS_FIXTURE_H

#include "support/files.h"

/* The ids of the tokenizer's tokens, which are the lines of its vocab.txt. */
enum { PAD, UNK, CLS, SEP, GOOD, BAD, FOOD, VERY, TOKENS };

extern char texts_directory[SUPPORT_PATH_BYTES];

/* Makes the folder with its vocab.txt, and removes it. */
void texts_begin(void);
void texts_end(void);

/* Writes a file into the folder. */
void texts_write(const char *name, const char *text);

/* Replaces each $ by the folder: "text:$/a.tsv;tokenizer=$". Valid until the next call. */
const char *texts_describe(const char *description);

#endif
