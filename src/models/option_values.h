/* Values of a network's options, as a description writes them. */
#ifndef THAW_MODELS_OPTION_VALUES_H
#define THAW_MODELS_OPTION_VALUES_H

#include "models/zoo.h"

/* All read `length` characters, and return false if they are anything else. */

/* A whole number from 1 to 65536. */
bool thaw_read_size(const char *text, size_t length, int64_t *size);

/* A whole number from 1 to 2^24, the most rows of an embedding. */
bool thaw_read_rows(const char *text, size_t length, int64_t *rows);

/* A number of at least 0 and below 1. */
bool thaw_read_rate(const char *text, size_t length, double *rate);

/* Sizes joined by 'x', "64x32", or "none" for an empty list. */
bool thaw_read_sizes(const char *text, size_t length, thaw_size_list *sizes);

/* Columns of categories joined by 'x', each the index of its first feature and their count: "3:5x9:2". */
bool thaw_read_columns(const char *text, size_t length, thaw_column_list *columns);

/* The shape of a sample: a number of features, "30", or height, width and channels, "28x28x1". */
bool thaw_read_input(const char *text, size_t length, thaw_shape *shape);

/* One of the words, which end with NULL: its index. */
bool thaw_read_word(const char *text, size_t length, const char *const *words, size_t *index);

/* none, linear, or mlp:UNITS with sizes of hidden layers. */
bool thaw_read_head(const char *text, size_t length, thaw_head_kind *kind, thaw_size_list *units);

/* An initializer by PyTorch's name. */
bool thaw_read_initializer(const char *text, size_t length, thaw_initializer *initializer);

bool thaw_read_activation(const char *text, size_t length, thaw_hidden_function *activation);
bool thaw_read_norm(const char *text, size_t length, thaw_norm *norm);

/* The words of the last four, for messages; they end with NULL. */
extern const char *const thaw_head_words[], *const thaw_initializer_words[], *const thaw_activation_words[],
                                                                                 *const thaw_norm_words[];

#endif
