#include "data/broken_images.h"

#include <string.h>

#include "core/allocation.h"
#include "core/context.h"

struct thaw_broken_notice {
    thaw_broken_notice *next;
    size_t image;
    char reason[];
};

thaw_status thaw_broken_images_begin(thaw_broken_images *broken, thaw_context *context, size_t count)
{
    *broken = (thaw_broken_images){ .context = context };
    pthread_mutex_init(&broken->lock, NULL);
    broken->known = thaw_allocate_array(context, count, sizeof *broken->known);
    return broken->known ? THAW_OK : THAW_OUT_OF_MEMORY;
}

/* Takes the notices. */
static thaw_broken_notice *take(thaw_broken_images *broken, size_t *unnoted)
{
    pthread_mutex_lock(&broken->lock);
    thaw_broken_notice *first = broken->notices;
    *unnoted = broken->unnoted;
    broken->notices = NULL;
    broken->unnoted = 0;
    pthread_mutex_unlock(&broken->lock);
    return first;
}

void thaw_broken_images_end(thaw_broken_images *broken)
{
    size_t unnoted;
    for (thaw_broken_notice *next = take(broken, &unnoted), *notice; (notice = next);) {
        next = notice->next;
        thaw_release(broken->context, notice);
    }
    pthread_mutex_destroy(&broken->lock);
    thaw_release(broken->context, broken->known);
}

static void insert(thaw_broken_images *broken, thaw_broken_notice *made)
{
    thaw_broken_notice **place = &broken->notices;
    while (*place && (*place)->image < made->image)
        place = &(*place)->next;
    made->next = *place;
    *place = made;
}

void thaw_broken_images_note(thaw_broken_images *broken, size_t image, const char *reason)
{
    const size_t bytes = strlen(reason) + 1;
    thaw_broken_notice *made = thaw_allocate_quietly(broken->context, sizeof *made + bytes);
    if (made) {
        made->image = image;
        memcpy(made->reason, reason, bytes);
    }
    pthread_mutex_lock(&broken->lock);
    const bool first = !atomic_exchange(&broken->known[image], true);
    if (first && made)
        insert(broken, made);
    else if (first)
        broken->unnoted++;
    pthread_mutex_unlock(&broken->lock);
    if (!first)
        thaw_release(broken->context, made);
}

void thaw_broken_images_log(thaw_broken_images *broken, const char *path, const thaw_image_list *list)
{
    size_t unnoted;
    for (thaw_broken_notice *next = take(broken, &unnoted), *notice; (notice = next);) {
        next = notice->next;
        thaw_log(broken->context, THAW_LOG_WARNING, "%s/%s: %s; replaced by another image of its class", path,
                 thaw_image_list_name(list, notice->image), notice->reason);
        thaw_release(broken->context, notice);
    }
    if (unnoted)
        thaw_log(broken->context, THAW_LOG_WARNING, "%s: %zu more images are broken", path, unnoted);
}
