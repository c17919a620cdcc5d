/* Any bytes as an image: what decodes has pixels that can all be read, what does not says why, and nothing is kept.

   With clang:  CC=clang meson setup build-fuzz -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false
                ninja -C build-fuzz tests/fuzz/image
                build-fuzz/tests/fuzz/image -max_total_time=60 tests/fuzz/corpus/image tests/data/images
   In every other build this is linked with replay.c, and the tests run it over the corpus. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/resample.h"
#include "fuzz/fuzz.h"
#include "support/max_cpu.h"

enum { SIZE = 5, MOST_PIXELS = 1 << 20 };

static void demand(bool truth, const char *what)
{
    if (truth)
        return;
    fprintf(stderr, "not so: %s\n", what);
    abort();
}

/* Large images take time and show no more than small ones. */
static void *allocate(void *user, size_t bytes, size_t alignment)
{
    (void)user;
    return bytes > (size_t)3 * MOST_PIXELS + 4096
               ? NULL
               : aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
}

static void release(void *user, void *memory, size_t bytes)
{
    (void)user, (void)bytes;
    free(memory);
}

static double frame_middle(void *argument, size_t width, size_t height)
{
    thaw_frame *frame = argument;
    *frame = thaw_frame_center(width, height, SIZE + 1, SIZE);
    return thaw_frame_scale(frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    thaw_context *context = NULL;
    const thaw_context_options options = { .threads = 1,
                                           .max_cpu = support_max_cpu(),
                                           .allocator = { .allocate = allocate, .release = release } };
    demand(thaw_context_create(&options, &context) == THAW_OK, "a context is made");
    thaw_frame frame;
    thaw_image image = { .pixels.context = context };
    thaw_resampler resampler = { .across.context = context, .down.context = context, .rows.context = context };
    const thaw_image_request request = { frame_middle, &frame };
    char message[256] = "";
    const thaw_status status = thaw_image_decode(&image, data, size, &request, message, sizeof message);
    demand(status == THAW_OK || message[0], "a failure has a reason");
    if (status == THAW_OK) {
        uint8_t result[SIZE * SIZE * THAW_IMAGE_CHANNELS];
        demand(image.width * image.height * THAW_IMAGE_CHANNELS <= image.pixels.capacity, "there are so many pixels");
        demand(thaw_resample(&resampler, &image, &frame, SIZE, result), "what was decoded is resized");
    }
    thaw_scratch_trim(&image.pixels, 0);
    thaw_resampler_trim(&resampler, 0);
    thaw_context_destroy(context);
    return 0;
}
