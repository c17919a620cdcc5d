/* A configuration's values by key, checked. A key that is missing or null has its default. */
#ifndef THAW_MODELS_FOLDER_CONFIG_H
#define THAW_MODELS_FOLDER_CONFIG_H

#include <stdint.h>
#include <thaw/context.h>

struct json_t;

typedef struct thaw_config {
    thaw_context *context;
    const char *path;          /* for messages */
    const struct json_t *root; /* an object */
} thaw_config;

enum { THAW_CONFIG_LARGEST_SIZE = 65536, THAW_CONFIG_MOST_ROWS = 1 << 24 };

/* All report THAW_BAD_FORMAT for another type or range, and THAW_UNSUPPORTED for a value that Thaw has nothing for. */

/* A whole number from 1 to `most`. `missing` 0: the key is required. */
thaw_status thaw_config_size(const thaw_config *config, const char *key, int64_t missing, int64_t most, int64_t *size);

/* One that is also written as [height, width], which must be equal. */
thaw_status thaw_config_side(const thaw_config *config, const char *key, int64_t missing, int64_t *side);

/* A number of at least 0 and below 1. */
thaw_status thaw_config_rate(const thaw_config *config, const char *key, double missing, double *rate);

/* One of the words, which end with NULL: its index. Missing: the first. */
thaw_status thaw_config_word(const thaw_config *config, const char *key, const char *const *words, size_t *index);

/* Demands the only value that Thaw computes with. */
thaw_status thaw_config_demand_word(const thaw_config *config, const char *key, const char *word);
thaw_status thaw_config_demand_truth(const thaw_config *config, const char *key, bool truth, bool missing);
thaw_status thaw_config_demand_number(const thaw_config *config, const char *key, double number, double missing);

/* Reports a value; NULL: that the key is missing. */
thaw_status thaw_config_refuse(const thaw_config *config, thaw_status status, const char *key,
                               const struct json_t *value, const char *wanted);

#endif
