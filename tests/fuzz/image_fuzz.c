/* Any bytes as an image: what decodes has pixels that can all be read, what does not says why, and nothing is kept. */
#include "data/resample.h"
#include "fuzz/fuzz.h"

enum { SIZE = 5, MOST_PIXELS = 1 << 20 };

static double frame_middle(void *argument, size_t width, size_t height)
{
    thaw_frame *frame = argument;
    *frame = thaw_frame_center(width, height, SIZE + 1, SIZE);
    return thaw_frame_scale(frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Large images take time and show no more than small ones. */
    thaw_context *context = fuzz_context((size_t)3 * MOST_PIXELS + 4096);
    thaw_frame frame;
    thaw_image image = { .pixels.context = context };
    thaw_resampler resampler = { .across.context = context, .down.context = context, .rows.context = context };
    const thaw_image_request request = { frame_middle, &frame };
    char message[256] = "";
    const thaw_status status = thaw_image_decode(&image, data, size, &request, message, sizeof message);
    fuzz_demand(status == THAW_OK || message[0], "a failure has a reason");
    if (status == THAW_OK) {
        uint8_t result[SIZE * SIZE * THAW_IMAGE_CHANNELS];
        fuzz_demand(image.width * image.height * THAW_IMAGE_CHANNELS <= image.pixels.capacity,
                    "there are so many pixels");
        fuzz_demand(thaw_resample(&resampler, &image, &frame, SIZE, result), "what was decoded is resized");
    }
    thaw_scratch_trim(&image.pixels, 0);
    thaw_resampler_trim(&resampler, 0);
    thaw_context_destroy(context);
    return 0;
}
