/* Training runs whose results are recorded to the bit, and the record. */
#ifndef THAW_TESTS_SUPPORT_SAME_BITS_H
#define THAW_TESTS_SUPPORT_SAME_BITS_H

#include "support/support.h"

enum { SAME_BITS_MOST_RULES = 4, SAME_BITS_KEY_BYTES = 64, SAME_BITS_DIGEST_BYTES = 33 };

/* A run: thaw_fit over a few random samples with two threads, each epoch followed by an evaluation. */
typedef struct same_bits_run {
    const char *name;
    thaw_model *(*build)(thaw_context *context, const char *argument);
    const char *argument;
    const char *frozen; /* a pattern; NULL: nothing */
    const char *trains; /* a pattern, and all else is frozen; NULL: what is not frozen */
    const char *optimizer;
    thaw_precision precision;
    bool recompute, unfused;
    int epochs; /* 0: 2 */
    size_t cache_bytes;
    double clip_norm;
    thaw_strategy_rule rules[SAME_BITS_MOST_RULES];
    size_t rule_count;
} same_bits_run;

extern const same_bits_run same_bits_runs[];
extern const size_t same_bits_run_count;

/* Trains, and writes the digest of all parameters, their optimizers' state and all losses, in hexadecimal digits.
   Returns false where the CPU, as oneDNN sees it, does not compute in the run's precision. */
bool same_bits_train(const same_bits_run *run, char digest[SAME_BITS_DIGEST_BYTES]);

/* The same step by step, without what the digest tells of the cache. After `cut` steps (0: never) the run is saved to
   `path` and everything is destroyed; a run that is built anew continues from there. *steps gets the steps of all
   epochs. */
bool same_bits_train_cut(const same_bits_run *run, size_t cut, const char *path, size_t *steps,
                         char digest[SAME_BITS_DIGEST_BYTES]);

/* What results may depend on besides the code: the compiler and its level of optimization, oneDNN's version, the
   instructions that oneDNN uses and the level of our own loops. */
void same_bits_key(char key[SAME_BITS_KEY_BYTES]);

#endif
