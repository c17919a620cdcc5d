/* A data set whose samples are drawn anew in each epoch, each class with the same probability. */
#include <string.h>

#include "core/allocation.h"
#include "core/philox.h"
#include "data/dataset.h"

enum { WORDS = 4 };

__extension__ typedef unsigned __int128 wide;

typedef struct balanced {
    thaw_context *context;
    thaw_dataset *from;
    size_t *members; /* samples of `from`, by class */
    size_t *begins;  /* of each class that has samples, in `members`, and the end */
    size_t classes;  /* of those */
    uint64_t seed, epoch;
} balanced;

/* A number in [0, bound), see data/shuffle.c. */
static size_t scale(const uint32_t words[2], size_t bound)
{
    return (size_t)((wide)((uint64_t)words[0] << 32 | words[1]) * bound >> 64);
}

/* First the class, then one of its samples: as weights of 1 / (samples of the class), with replacement. */
static size_t draw(const void *user, size_t place)
{
    const balanced *b = user;
    const thaw_stream stream = { .seed = b->seed, .purpose = THAW_PURPOSE_SAMPLING, .step = b->epoch };
    uint32_t words[WORDS];
    thaw_random_fill(b->context, &stream, WORDS * (uint64_t)place, WORDS, words);
    const size_t class = scale(words, b->classes);
    const size_t begin = b->begins[class], end = b->begins[class + 1];
    return b->members[begin + scale(words + 2, end - begin)];
}

static bool read_balanced(void *user, const size_t *indices, size_t count, float *samples, void *targets, char *message,
                          size_t capacity)
{
    const balanced *b = user;
    return thaw_dataset_fetch_mapped(b->from, b->epoch, draw, b, indices, count, samples, targets, message, capacity);
}

static size_t length_of_balanced(void *user, size_t index)
{
    const balanced *b = user;
    size_t length;
    thaw_dataset_lengths(b->from, b->epoch, &(size_t){ draw(b, index) }, 1, &length);
    return length;
}

static void start_balanced(void *user, uint64_t epoch)
{
    ((balanced *)user)->epoch = epoch;
}

static void log_balanced(void *user)
{
    thaw_dataset_log_findings(((const balanced *)user)->from);
}

static void release_balanced(void *user)
{
    balanced *b = user;
    thaw_release(b->context, b->members);
    thaw_release(b->context, b->begins);
    thaw_release(b->context, b);
}

/* Sorts the samples by class; those outside of the classes are left out. */
static thaw_status group(balanced *b, const int32_t *labels, size_t count)
{
    const size_t classes = b->from->source.classes;
    size_t *next = thaw_allocate_array(b->context, classes + 1, sizeof *next);
    b->begins = thaw_allocate_array(b->context, classes + 1, sizeof *b->begins);
    b->members = thaw_allocate_array(b->context, count, sizeof *b->members);
    if (!next || !b->begins || !b->members) {
        thaw_release(b->context, next);
        return THAW_OUT_OF_MEMORY;
    }
    for (size_t i = 0; i < count; i++)
        if (labels[i] >= 0 && (size_t)labels[i] < classes)
            next[labels[i] + 1]++;
    for (size_t class = 0; class < classes; class ++) {
        next[class + 1] += next[class];
        if (next[class + 1] > next[class])
            b->begins[++b->classes] = next[class + 1];
    }
    for (size_t i = 0; i < count; i++)
        if (labels[i] >= 0 && (size_t)labels[i] < classes)
            b->members[next[labels[i]]++] = i;
    thaw_release(b->context, next);
    return b->classes
               ? THAW_OK
               : thaw_fail(b->context, THAW_NOT_FOUND, "data set: no sample has one of its %zu classes", classes);
}

static thaw_status fill(balanced *b)
{
    const size_t count = b->from->source.count;
    int32_t *labels = thaw_allocate_array(b->context, count, sizeof *labels);
    thaw_status status = labels ? thaw_dataset_collect_labels(b->from, labels) : THAW_OUT_OF_MEMORY;
    if (status == THAW_OK)
        status = group(b, labels, count);
    thaw_release(b->context, labels);
    return status;
}

static thaw_status identify(const balanced *b, uint64_t identity[2])
{
    thaw_digest digest = { 0 };
    const thaw_status status = thaw_dataset_identify(b->from, &digest);
    thaw_digest_add_text(&digest, "balanced");
    thaw_digest_add_number(&digest, b->seed);
    memcpy(identity, digest.lane, sizeof digest.lane);
    return status;
}

thaw_status thaw_dataset_balance(thaw_context *context, thaw_dataset *from, uint64_t seed, thaw_dataset **dataset)
{
    *dataset = NULL;
    thaw_status status = thaw_dataset_check_labels(from, "balanced");
    if (status != THAW_OK)
        return status;
    balanced *b = thaw_allocate(context, sizeof *b);
    if (!b)
        return THAW_OUT_OF_MEMORY;
    *b = (balanced){ .context = context, .from = from, .seed = seed ? seed : thaw_context_seed(context) };
    thaw_source source = from->source;
    status = fill(b);
    if (status == THAW_OK)
        status = identify(b, source.identity);
    if (status != THAW_OK) {
        release_balanced(b);
        return status;
    }
    source.random = true;
    source.views = 0;
    source.start_epoch = start_balanced;
    source.read = read_balanced;
    source.length = thaw_dataset_has_lengths(from) ? length_of_balanced : NULL;
    source.release = release_balanced;
    source.user = b;
    status = thaw_dataset_derive(context, &source, from, dataset);
    if (status != THAW_OK)
        return status;
    (*dataset)->log_findings = log_balanced;
    (*dataset)->drawn = true;
    return THAW_OK;
}
