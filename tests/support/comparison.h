/* A comparison of small networks on numbers in memory, for tests. */
#ifndef THAW_TESTS_SUPPORT_COMPARISON_H
#define THAW_TESTS_SUPPORT_COMPARISON_H

#include <jansson.h>
#include <thaw/compare.h>

#include "support/files.h"
#include "support/network.h"

enum { COMPARISON_STRATEGIES = 4, COMPARISON_SEEDS = 3, COMPARISON_EPOCHS = 3 };

typedef struct comparison_fixture {
    char directory[SUPPORT_PATH_BYTES], results[SUPPORT_PATH_BYTES], journal[SUPPORT_PATH_BYTES];
    thaw_context *context;
    thaw_dataset *training, *test;
    thaw_strategy *strategies[COMPARISON_STRATEGIES];
    size_t strategy_count;
    size_t stop_at_run; /* in its second epoch; 0: never */
} comparison_fixture;

/* The one that a test uses. */
extern comparison_fixture comparison;

/* Before and after a test: a directory, a context of one thread, data. */
void comparison_begin(void);
void comparison_end(void);

/* Makes the directory, and in it the names of the results and their journal. */
void comparison_make_directory(void);

/* Adds a strategy, of the file where one is given. */
void comparison_use(const char *name, const char *path);

/* Of the strategies so far, with one optimizer. */
thaw_comparison_options comparison_options(void);

/* Of two strategies and two seeds. */
thaw_comparison_options comparison_of_four_runs(void);

/* Creates and runs; both must succeed. */
thaw_comparison *comparison_run(const thaw_comparison_options *options);

/* That creating it fails so, with this in the message. */
void comparison_assert_refused(const thaw_comparison_options *options, thaw_status status, const char *message);

thaw_configuration comparison_at(thaw_comparison *made, size_t index);

/* The file of results; it must be there, and of the schema. */
json_t *comparison_load(void);

/* The same without what may differ between two runs of one comparison. */
json_t *comparison_load_timeless(void);

/* Asserts that only the file of results is left. */
void comparison_assert_no_journal(void);

void comparison_assert_schema(const json_t *value);

#endif
