#include "data/folder_fixture.h"

#include <png.h>
#include <stdio.h>
#include <string.h>

#include "support/max_cpu.h"
#include "support/support.h"

char folder_log[FOLDER_LOG_BYTES];

const int folder_class_sizes[FOLDER_CLASSES] = { 20, 11, 1 };

const thaw_folder_options folder_plain = { .size = 1, .resize = 1, .channels = 1, .validation = -1 };

void folder_put_image(const char *name, int brightness)
{
    char path[SUPPORT_PATH_BYTES];
    const png_byte pixel = (png_byte)brightness;
    png_image image = { .version = PNG_IMAGE_VERSION, .width = 1, .height = 1, .format = PNG_FORMAT_GRAY };
    folder_join(path, name);
    folder_make_way(path);
    cr_assert(png_image_write_to_file(&image, path, 0, &pixel, 1, NULL), "%s: %s", path, image.message);
}

void folder_put_copy(const char *name, const char *from, double kept)
{
    static char bytes[1 << 15];
    char path[SUPPORT_PATH_BYTES], whole[SUPPORT_PATH_BYTES];
    snprintf(whole, sizeof whole, "../data/images/%s", from);
    const long count = support_read_file(support_golden(path, whole), bytes, sizeof bytes);
    cr_assert(count > 0 && count <= (long)sizeof bytes, "%s", path);
    folder_put(name, bytes, (size_t)((double)count * kept));
}

static void keep_message(void *user, thaw_log_level level, const char *message)
{
    (void)user, (void)level;
    const size_t used = strlen(folder_log);
    snprintf(folder_log + used, sizeof folder_log - used, "%s\n", message);
}

thaw_context *folder_context(int threads)
{
    thaw_context *context = NULL;
    const thaw_context_options options = {
        .threads = threads, .max_cpu = support_max_cpu(), .seed = 1, .log = keep_message
    };
    cr_assert_eq(thaw_context_create(&options, &context), THAW_OK);
    return context;
}

void folder_put_classes(void)
{
    for (int c = 0; c < FOLDER_CLASSES; c++)
        for (int i = 0; i < folder_class_sizes[c]; i++) {
            char name[64];
            snprintf(name, sizeof name, "%c/%02d.png", 'a' + c, i);
            folder_put_image(name, 50 * c + i);
        }
}

const char *folder_list(thaw_context *context, thaw_dataset *dataset, char *text, size_t capacity)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < thaw_dataset_count(dataset); i++) {
        float pixel;
        int32_t label;
        assert_ok(context, thaw_dataset_read(dataset, &i, 1, &pixel, &label));
        used += (size_t)snprintf(text + used, capacity - used, "%s%.0f:%d", i ? " " : "", (double)pixel * 255, label);
        cr_assert_lt(used, capacity);
    }
    return text;
}

void folder_assert_samples(thaw_context *context, thaw_dataset *dataset, const char *wanted, size_t classes)
{
    char found[4096];
    cr_assert_not_null(dataset, "wanted \"%s\"", wanted);
    cr_assert_str_eq(folder_list(context, dataset, found, sizeof found), wanted);
    cr_assert_eq(thaw_dataset_classes(dataset), classes);
}
