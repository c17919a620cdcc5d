/* The space in which a comparison searches for an optimizer's hyper-parameters, and the points that it tries. The format
   of its file is described in thaw/compare.h. */
#ifndef THAW_COMPARE_SEARCH_H
#define THAW_COMPARE_SEARCH_H

#include <jansson.h>
#include <thaw/optimizer.h>

#include "compare/halton.h"

typedef enum thaw_search_form {
    THAW_SEARCH_LOG,       /* the logarithm is uniform from that of `low` to that of `high` */
    THAW_SEARCH_UNIFORM,   /* uniform from `low` to `high` */
    THAW_SEARCH_ONE_MINUS, /* 1 minus a number whose logarithm is */
    THAW_SEARCH_LIST       /* each of some values as often */
} thaw_search_form;

/* A hyper-parameter, and what it may be. */
typedef struct thaw_search_range {
    char *name;
    thaw_search_form form;
    double low, high;
    double *values; /* of a list, else NULL */
    size_t count;   /* of `values` */
} thaw_search_range;

/* The space of an optimizer: its learning rate first, then by name. */
typedef struct thaw_search_space {
    thaw_search_range ranges[THAW_MOST_COORDINATES];
    size_t count;
} thaw_search_space;

/* What is searched like a hyper-parameter, of every optimizer: the share of the epochs in which rates rise. */
#define THAW_SEARCH_WARMUP "warmup"

/* Finds the space of each optimizer in a file; `path` NULL: in the built-in one. `spaces` has room for all. The caller
   releases them, on failure too. Errors: THAW_IO_ERROR, THAW_BAD_FORMAT (the message says where), THAW_OUT_OF_MEMORY,
   those of thaw_optimizer_create. */
thaw_status thaw_search_read(thaw_context *context, const char *path, const char *const *optimizers, size_t count,
                             thaw_search_space *spaces);

void thaw_search_release(thaw_context *context, thaw_search_space *spaces, size_t count);

/* Reads a range that is described so; `own` is the value that the optimizer has by itself. Returns NULL, or why it is
   none, as the end of a sentence; THAW_SEARCH_NO_MEMORY if there is no memory. The caller releases it, on failure too. */
extern const char THAW_SEARCH_NO_MEMORY[];
const char *thaw_search_range_read(thaw_context *context, const json_t *described, double own,
                                   thaw_search_range *range);

/* The value of the range at a place from 0 to 1, of four significant digits: it can be typed in. */
double thaw_search_value(const thaw_search_range *range, double place);

/* The values of a trial, from 0, in the order of the ranges. Of all optimizers, trials of the same number are at the
   same places of their ranges. */
void thaw_search_draw(const thaw_context *context, const thaw_search_space *space, uint64_t seed, size_t trial,
                      double *values);

/* The space, for the file of results. */
json_t *thaw_search_json(const thaw_search_space *space);

/* The built-in file. */
extern const char thaw_search_builtin[];

#endif
