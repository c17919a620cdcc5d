#include "data/image_source.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/allocation.h"
#include "core/digest.h"
#include "core/open.h"
#include "core/workers.h"
#include "data/broken_images.h"
#include "data/dataset.h"

enum { REASON_BYTES = 256 };
_Static_assert(REASON_BYTES >= (int)THAW_IMAGE_REASON_BYTES, "reasons fit");

typedef struct images {
    thaw_context *context;
    thaw_image_source_options options;
    char *path;
    thaw_image_list list;
    int32_t *labels;      /* one per sample */
    float *targets;       /* numbers, of each listed image; NULL: there are classes */
    size_t *class_begins; /* in the list; one more than there are classes */
    thaw_workers *workers;
    thaw_image_reader *readers; /* one per thread */
    uint64_t epoch;
    thaw_broken_images broken;
} images;

/* ---------------------------------------------------------------- reading */

typedef struct job {
    images *from;
    const size_t *indices;
    float *samples;
    void *targets; /* labels or numbers */
    /* The first item that failed, or the number of items. All items before it are read, so that the message does not
       depend on timing. */
    atomic_size_t first_failed;
    pthread_mutex_t lock; /* of the message */
    char *message;
    size_t capacity;
} job;

static void put_target(const job *now, size_t item, size_t image)
{
    const images *from = now->from;
    const size_t columns = from->options.target_columns;
    if (from->targets)
        memcpy((float *)now->targets + item * columns, from->targets + image * columns, columns * sizeof(float));
    else
        ((int32_t *)now->targets)[item] = from->list.images[image].label;
}

static void fail_job(job *now, size_t item, size_t image, const char *reason)
{
    const images *from = now->from;
    pthread_mutex_lock(&now->lock);
    if (item < atomic_load(&now->first_failed)) {
        snprintf(now->message, now->capacity, "%s/%s: %s", from->path, thaw_image_list_name(&from->list, image),
                 reason);
        atomic_store(&now->first_failed, item);
    }
    pthread_mutex_unlock(&now->lock);
}

/* Ranks would train on different data. */
static bool is_as_told(const images *from, size_t image, char reason[THAW_IMAGE_REASON_BYTES])
{
    return !from->options.told ||
           thaw_image_is_as_listed(from->options.directory, thaw_image_list_name(&from->list, image),
                                   from->list.images[image].stamp, reason);
}

/* Reads the image, or the next intact one of its class. The choice depends only on the files. */
static void read_item(void *argument, size_t worker, size_t item)
{
    job *now = argument;
    images *from = now->from;
    const thaw_sample_form *form = &from->options.form;
    const size_t image = now->indices[item] % from->list.count;
    const size_t label = (size_t)from->list.images[image].label;
    const size_t first = from->class_begins[label], count = from->class_begins[label + 1] - first;
    float *sample = now->samples + item * form->size * form->size * form->channels;
    const thaw_augment_draw draw = { from->context, &from->options.augment, from->options.seed, from->epoch,
                                     now->indices[item] };
    char reason[REASON_BYTES];
    for (size_t i = 0; i < count; i++) {
        if (item > atomic_load(&now->first_failed))
            return;
        const size_t candidate = first + (image - first + i) % count;
        if (atomic_load(&from->broken.known[candidate]))
            continue;
        if (!is_as_told(from, candidate, reason)) {
            fail_job(now, item, candidate, reason);
            return;
        }
        const thaw_status status =
            thaw_image_reader_read(&from->readers[worker], from->options.directory,
                                   thaw_image_list_name(&from->list, candidate),
                                   thaw_augment_changes(draw.augment) ? &draw : NULL, sample, reason, sizeof reason);
        if (status == THAW_OK) {
            put_target(now, item, candidate);
            return;
        }
        if (status == THAW_OUT_OF_MEMORY || from->options.strict) {
            fail_job(now, item, candidate, reason);
            return;
        }
        thaw_broken_images_note(&from->broken, candidate, reason);
    }
    fail_job(now, item, image, "is broken, as are all images of its class");
}

static bool read_images(void *user, const size_t *indices, size_t count, float *samples, void *targets, char *message,
                        size_t capacity)
{
    job now = {
        .from = user,
        .indices = indices,
        .samples = samples,
        .targets = targets,
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .message = message,
        .capacity = capacity,
        .first_failed = count,
    };
    thaw_workers_run(now.from->workers, count, read_item, &now);
    pthread_mutex_destroy(&now.lock);
    return atomic_load(&now.first_failed) == count;
}

static void start_epoch(void *user, uint64_t epoch)
{
    ((images *)user)->epoch = epoch;
}

static void log_findings(void *user)
{
    images *from = user;
    thaw_broken_images_log(&from->broken, from->path, &from->list);
}

/* ---------------------------------------------------------------- life */

static void release(void *user)
{
    images *from = user;
    thaw_workers_destroy(from->workers);
    if (from->path && from->list.names)
        log_findings(from);
    for (int i = 0; from->readers && i < from->options.threads; i++)
        thaw_image_reader_end(&from->readers[i]);
    if (from->options.directory >= 0)
        close(from->options.directory);
    thaw_broken_images_end(&from->broken);
    thaw_image_list_release(&from->list);
    thaw_release(from->context, from->labels);
    thaw_release(from->context, from->targets);
    thaw_release(from->context, from->class_begins);
    thaw_release(from->context, from->readers);
    thaw_release(from->context, from->path);
    thaw_release(from->context, from);
}

static thaw_status copy_targets(images *from)
{
    const size_t count = from->list.count * from->options.target_columns;
    from->targets = count ? thaw_allocate_array(from->context, count, sizeof *from->targets) : NULL;
    if (from->targets)
        memcpy(from->targets, from->options.targets, count * sizeof *from->targets);
    from->options.targets = NULL;
    return count && !from->targets ? THAW_OUT_OF_MEMORY : THAW_OK;
}

static thaw_status fill(images *from, int directory)
{
    thaw_context *context = from->context;
    const size_t threads = (size_t)from->options.threads;
    thaw_status status = thaw_broken_images_begin(&from->broken, context, from->list.count);
    if (status == THAW_OK)
        status = copy_targets(from);
    if (status != THAW_OK)
        return status;
    from->options.directory = thaw_duplicate(directory);
    if (from->options.directory < 0)
        return thaw_fail(context, THAW_IO_ERROR, "%s: cannot keep the folder open: %s", from->options.path,
                         strerror(errno));
    from->path = thaw_copy_text(context, from->options.path);
    from->class_begins = thaw_allocate_array(context, from->options.classes + 1, sizeof *from->class_begins);
    from->readers = thaw_allocate_array(context, threads, sizeof *from->readers);
    if (!from->path || !from->class_begins || !from->readers)
        return THAW_OUT_OF_MEMORY;
    thaw_image_list_begin_classes(&from->list, from->options.classes, from->class_begins);
    for (size_t i = 0; i < threads; i++)
        thaw_image_reader_begin(&from->readers[i], context, &from->options.form);
    return thaw_workers_create(context, from->options.threads, &from->workers);
}

static thaw_status label_samples(images *from, size_t *count)
{
    thaw_context *context = from->context;
    const size_t listed = from->list.count, repeat = from->options.repeat;
    if (!thaw_multiply_sizes(listed, repeat, count))
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: %zu images repeated %zu times overflow a size",
                         from->path, listed, repeat);
    from->labels = thaw_allocate_array(context, *count, sizeof *from->labels);
    if (!from->labels)
        return THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < *count; i++)
        from->labels[i] = from->list.images[i % listed].label;
    return THAW_OK;
}

/* Depends on the files' names, sizes and modification times, and on how they become samples, in all views. */
static void identify(const images *from, uint64_t identity[2])
{
    static const char version[] = "folder of images, 1";
    const thaw_sample_form *form = &from->options.form;
    thaw_digest digest = { 0 };
    thaw_digest_add_text(&digest, version);
    thaw_digest_add_number(&digest, form->size);
    thaw_digest_add_number(&digest, form->resize);
    thaw_digest_add_number(&digest, form->channels);
    thaw_digest_add_number(&digest, form->decode_fully);
    thaw_digest_add(&digest, form->levels, sizeof form->levels);
    thaw_digest_add_number(&digest, from->options.repeat);
    for (size_t i = 0; i < from->list.count; i++) {
        thaw_digest_add_text(&digest, thaw_image_list_name(&from->list, i));
        thaw_digest_add_number(&digest, from->list.images[i].stamp);
        thaw_digest_add_number(&digest, (uint64_t)from->list.images[i].label);
    }
    if (thaw_augment_changes(&from->options.augment)) {
        thaw_augment_digest(&from->options.augment, &digest);
        thaw_digest_add_number(&digest, from->options.seed);
        thaw_digest_add_number(&digest, from->options.views);
    }
    if (from->targets)
        thaw_digest_add(&digest, from->targets,
                        from->list.count * from->options.target_columns * sizeof *from->targets);
    memcpy(identity, digest.lane, sizeof digest.lane);
}

thaw_status thaw_image_source_create(thaw_context *context, thaw_image_list *list,
                                     const thaw_image_source_options *options, thaw_dataset **dataset)
{
    *dataset = NULL;
    images *made = thaw_allocate(context, sizeof *made);
    if (!made) {
        thaw_image_list_release(list);
        return THAW_OUT_OF_MEMORY;
    }
    made->context = context;
    made->list = *list;
    made->options = *options;
    made->options.directory = -1;
    made->options.class_names = NULL;
    *list = (thaw_image_list){ .context = context };
    thaw_source source = {
        .target_dtype = THAW_I32,
        .classes = options->classes,
        .class_names = options->class_names,
        .random = thaw_augment_changes(&options->augment),
        .views = options->views,
        .start_epoch = start_epoch,
        .read = read_images,
        .release = release,
        .user = made,
    };
    if (options->target_columns) {
        source.target_dtype = THAW_F32;
        source.target_shape = (thaw_shape){ .rank = 1, .dims = { (int64_t)options->target_columns } };
        source.classes = 0;
        source.class_names = NULL;
    }
    const int64_t side = (int64_t)options->form.size;
    source.sample_shape = (thaw_shape){ .rank = 3, .dims = { side, side, (int64_t)options->form.channels } };
    thaw_status status = fill(made, options->directory);
    if (status == THAW_OK)
        status = label_samples(made, &source.count);
    if (status != THAW_OK) {
        release(made);
        return status;
    }
    identify(made, source.identity);
    status = thaw_dataset_create(context, &source, dataset);
    if (status == THAW_OK) {
        (*dataset)->labels = made->targets ? NULL : made->labels;
        (*dataset)->log_findings = log_findings;
    }
    return status;
}
