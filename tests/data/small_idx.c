#include "data/small_idx.h"

const uint8_t small_pixels[PIXELS] = { 0, 1, 2, 3, 4, 5, 250, 251, 252, 253, 254, 255, 9, 8, 7, 6, 5, 4 };
const uint8_t small_classes[COUNT] = { 2, 0, 7 };

char small_images_path[SUPPORT_PATH_BYTES], small_labels_path[SUPPORT_PATH_BYTES];

void small_begin(void)
{
    folder_set_up();
    folder_join(small_images_path, "images");
    folder_join(small_labels_path, "labels");
}

small_file small_images(void)
{
    small_file made = { .count = 0 };
    made.count = support_idx(made.bytes, 3, (const uint32_t[]){ COUNT, ROWS, COLUMNS }, small_pixels);
    return made;
}

small_file small_labels(void)
{
    small_file made = { .count = 0 };
    made.count = support_idx(made.bytes, 1, (const uint32_t[]){ COUNT }, small_classes);
    return made;
}

small_file small_gzip(small_file plain)
{
    small_file made = { .count = 0 };
    made.count = support_gzip(made.bytes, sizeof made.bytes, plain.bytes, plain.count);
    return made;
}

thaw_status small_open(thaw_context *context, const small_file *images, const small_file *labels,
                       thaw_dataset **dataset)
{
    support_write_file(small_images_path, images->bytes, images->count);
    support_write_file(small_labels_path, labels->bytes, labels->count);
    return thaw_dataset_open_idx(context, small_images_path, small_labels_path, dataset);
}
