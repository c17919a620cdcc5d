/* An option of a description: "size=64". */
#ifndef THAW_MODELS_NETWORK_OPTION_H
#define THAW_MODELS_NETWORK_OPTION_H

#include "models/zoo.h"

typedef struct thaw_network_option {
    const char *name;
    unsigned takes; /* which networks take it: any of these */
    bool (*set)(const char *text, size_t length, thaw_network_options *options);
    const char *wanted;
    const char *const *words; /* that the value begins with, up to a colon; NULL: anything */
} thaw_network_option;

/* Those that only networks of text take. NULL past the end. */
const thaw_network_option *thaw_text_option_at(size_t index);

#endif
