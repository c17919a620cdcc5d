/* Whether two data sets are the same, as far as that is cheap to tell. */
#include "core/allocation.h"
#include "data/dataset.h"

/* Fingerprints the first and the last sample. */
static thaw_status add_probe(thaw_dataset *dataset, thaw_digest *digest)
{
    const size_t indices[2] = { 0, dataset->source.count - 1 };
    float *samples = thaw_allocate_array(dataset->context, 2 * dataset->sample_elements, sizeof *samples);
    char *targets = thaw_allocate_array(dataset->context, 2, dataset->target_bytes);
    thaw_status status =
        samples && targets ? thaw_dataset_read(dataset, indices, 2, samples, targets) : THAW_OUT_OF_MEMORY;
    if (status == THAW_OK) {
        thaw_digest_add(digest, samples, 2 * dataset->sample_elements * sizeof *samples);
        thaw_digest_add(digest, targets, 2 * dataset->target_bytes);
    }
    thaw_release(dataset->context, samples);
    thaw_release(dataset->context, targets);
    return status;
}

thaw_status thaw_dataset_identify(thaw_dataset *dataset, thaw_digest *digest)
{
    const thaw_source *source = &dataset->source;
    thaw_digest_add(digest, source->identity, sizeof source->identity);
    if (source->identity[0] || source->identity[1])
        return THAW_OK;
    if (dataset->labels)
        thaw_digest_add(digest, dataset->labels, source->count * sizeof *dataset->labels);
    return source->random ? THAW_OK : add_probe(dataset, digest);
}
