/* Shared by tests of loading weights: a model that holds parameters, and files that hold some of them. */
#ifndef THAW_TESTS_IO_LOADING_H
#define THAW_TESTS_IO_LOADING_H

#include "io/fixture.h"
#include "io/safetensors.h"
#include "support/holder.h"

extern thaw_model *loading_model;
extern float loading_before[HOLDER_FLOATS]; /* what it held at first */

/* What the model wants, full of ones. */
enum { LOADING_MOST_FLOATS = 24 };
extern const float loading_ones[LOADING_MOST_FLOATS];
extern const thaw_named_tensor loading_whole[HOLDER_PARAMETERS];

void loading_begin(void);
void loading_end(void);

const float *loading_values_of(const char *name);
void loading_assert_unchanged(void);
void loading_assert_all(const char *name, size_t count, float value);

/* Writes some of what the model wants to io_path, and one tensor more unless it is NULL. */
void loading_write_some(size_t first, size_t count, const thaw_named_tensor *more);

/* Loads and takes the result apart; the lists are compared as texts. */
thaw_status loading_try(const thaw_load_options *options, size_t loaded, const char *missing, const char *unexpected,
                        const char *misshaped);

#endif
