#include "data/text/text_source.h"

#include <string.h>

#include "core/allocation.h"
#include "data/dataset.h"

enum { IGNORED = -100 /* PyTorch's label that a loss ignores */ };

typedef struct texts {
    thaw_text_samples samples;
    size_t length; /* capacity of a sample in tokens */
    int32_t padding;
    bool lm;
} texts;

/* The tokens of a sample; the last of a window is only a target. */
static size_t count_tokens(const texts *all, size_t index)
{
    return thaw_text_samples_length(&all->samples, index) - all->lm;
}

static size_t length_of(void *user, size_t index)
{
    return count_tokens(user, index);
}

static float *write_sample(const texts *all, size_t index, float *into)
{
    const thaw_text_samples *samples = &all->samples;
    const size_t begin = samples->begins[index], length = count_tokens(all, index);
    for (size_t i = 0; i < length; i++)
        *into++ = (float)thaw_text_samples_id(samples, begin + i);
    for (size_t i = length; i < all->length; i++)
        *into++ = (float)all->padding;
    *into++ = (float)length;
    for (size_t i = 0; i < all->length; i++)
        *into++ = i < length && samples->types ? (float)samples->types[begin + i] : 0;
    return into;
}

static int32_t *write_next(const texts *all, size_t index, int32_t *into)
{
    const size_t begin = all->samples.begins[index], length = count_tokens(all, index);
    for (size_t i = 0; i < all->length; i++)
        *into++ = i < length ? thaw_text_samples_id(&all->samples, begin + i + 1) : IGNORED;
    return into;
}

static bool read_texts(void *user, const size_t *indices, size_t count, float *samples, void *targets, char *message,
                       size_t capacity)
{
    const texts *all = user;
    int32_t *labels = targets;
    (void)message, (void)capacity;
    for (size_t i = 0; i < count; i++) {
        samples = write_sample(all, indices[i], samples);
        if (all->lm)
            labels = write_next(all, indices[i], labels);
        else
            *labels++ = all->samples.labels[indices[i]];
    }
    return true;
}

static void release_texts(void *user)
{
    texts *all = user;
    thaw_context *context = all->samples.context;
    thaw_text_samples_release(&all->samples);
    thaw_release(context, all);
}

/* All that samples and targets are made of. */
static void identify(const texts *all, uint64_t identity[2])
{
    const thaw_text_samples *samples = &all->samples;
    const size_t ids = samples->begins[samples->count];
    thaw_digest digest = { 0 };
    thaw_digest_add_text(&digest, "texts");
    thaw_digest_add_number(&digest, all->length);
    thaw_digest_add_number(&digest, (uint64_t)all->padding);
    thaw_digest_add(&digest, samples->begins, (samples->count + 1) * sizeof *samples->begins);
    if (samples->narrow)
        thaw_digest_add(&digest, samples->narrow, ids * sizeof *samples->narrow);
    else
        thaw_digest_add(&digest, samples->wide, ids * sizeof *samples->wide);
    if (samples->types)
        thaw_digest_add(&digest, samples->types, ids);
    if (samples->labels)
        thaw_digest_add(&digest, samples->labels, samples->count * sizeof *samples->labels);
    memcpy(identity, digest.lane, sizeof digest.lane);
}

/* Shorter windows have targets that are ignored. */
static void find_ignored(const texts *all, thaw_dataset *dataset)
{
    dataset->outside_label = IGNORED;
    for (dataset->outside = 0; dataset->outside < all->samples.count; dataset->outside++)
        if (count_tokens(all, dataset->outside) < all->length)
            return;
}

static thaw_status make(texts *all, const thaw_text_form *form, const thaw_words *classes, thaw_dataset **dataset)
{
    const thaw_shape sequence = { 1, { (int64_t)form->length } };
    const thaw_field fields[] = { { "token_ids", THAW_I32, sequence },
                                  { "lengths", THAW_I32, { 1, { 1 } } },
                                  { "token_types", THAW_I32, sequence } };
    thaw_source source = {
        .count = all->samples.count,
        .fields = fields,
        .field_count = THAW_COUNT(fields),
        .target_dtype = THAW_I32,
        .target_shape = all->lm ? sequence : (thaw_shape){ 0 },
        .classes = all->lm ? form->vocabulary : classes->count,
        .class_names = all->lm ? NULL : (const char *const *)classes->items,
        .read = read_texts,
        .release = release_texts,
        .user = all,
        .length = length_of,
    };
    identify(all, source.identity);
    thaw_status status = thaw_dataset_create(all->samples.context, &source, dataset);
    if (status != THAW_OK)
        return status;
    status = thaw_text_form_copy(all->samples.context, form, &(*dataset)->texts);
    (*dataset)->labels = all->lm ? NULL : all->samples.labels;
    if (all->lm)
        find_ignored(all, *dataset);
    if (status != THAW_OK) {
        thaw_dataset_destroy(*dataset);
        *dataset = NULL;
    }
    return status;
}

thaw_status thaw_text_source_create(thaw_text_samples *samples, const thaw_text_form *form, int32_t padding,
                                    const thaw_words *classes, thaw_dataset **dataset)
{
    thaw_context *context = samples->context;
    texts *all = thaw_allocate(context, sizeof *all);
    *dataset = NULL;
    if (!all) {
        thaw_text_samples_release(samples);
        return THAW_OUT_OF_MEMORY;
    }
    *all = (texts){ .samples = *samples, .length = form->length, .padding = padding, .lm = form->lm };
    *samples = (thaw_text_samples){ .context = context };
    return make(all, form, classes, dataset);
}
