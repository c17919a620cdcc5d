/* Files of texts with labels: one sample a row. */
#ifndef THAW_DATA_TEXT_TEXT_FILE_H
#define THAW_DATA_TEXT_TEXT_FILE_H

#include "data/text/text_samples.h"
#include "data/words.h"

typedef struct thaw_text_options {
    const char *path, *test;           /* of the training file and the test file; test NULL: none */
    const char *text, *second, *label; /* columns, by name or number from 1; second and label NULL: none */
    size_t length;                     /* of a sample in tokens, at most; 0: any */
    double split;                      /* without a test file: the share of test data, drawn by `seed`; 0: none */
    uint64_t seed;
} thaw_text_options;

/* Reads training and test data. Files whose names end in .csv or .csv.gz are tables of RFC 4180, and those in .jsonl or
   .jsonl.gz have an object of JSON on each line, whose keys are columns. In others, lines of
   fields between tabs, quotation marks are characters. Either may be gzip. The first line has the columns' names if one
   of the options names a column; if all are numbers, it is a sample. Labels are numbered by sorted name: those of the
   training data are appended to `classes`, unless it has some, which a file of weights notes. Invalid UTF-8 becomes
   U+FFFD, with a warning that counts. `test` stays empty without test data. The caller releases all in every case.
   Errors: THAW_NOT_FOUND (no such column, with the nearest name; a label that `classes` lacks, with its line),
   THAW_BAD_FORMAT (also an empty file, and a text without tokens, with its line), THAW_INVALID_ARGUMENT, THAW_IO_ERROR,
   THAW_OUT_OF_MEMORY. */
thaw_status thaw_text_file_read(const thaw_tokenizer *tokenizer, const thaw_text_options *options, thaw_words *classes,
                                thaw_text_samples *training, thaw_text_samples *test);

#endif
