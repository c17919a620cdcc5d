/* The kinds of images, and their decoders. */
#include "data/image.h"

#include <stdio.h>
#include <string.h>

typedef thaw_status decode_function(thaw_image *image, const uint8_t *bytes, size_t count,
                                    const thaw_image_request *request, char *message, size_t capacity);

/* The kind of an image shows in some of its first bytes. */
static const struct kind {
    const char *name;
    size_t offset;
    const char *magic;
    decode_function *decode; /* NULL: not supported */
} kinds[] = {
    { "JPEG", 0, "\xFF\xD8\xFF", thaw_jpeg_decode },
    { "PNG", 0, "\x89PNG\r\n\x1A\n", thaw_png_decode },
    { "GIF", 0, "GIF8", NULL },
    { "WebP", 8, "WEBP", NULL },
    { "TIFF", 0, "II*", NULL },
    { "TIFF", 0, "MM\0*", NULL },
    { "HEIF or AVIF", 4, "ftyp", NULL },
    { "JPEG XL", 4, "JXL ", NULL },
    { "JPEG 2000", 4, "jP  ", NULL },
};

static const struct kind *find_kind(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < THAW_COUNT(kinds); i++) {
        const size_t length = kinds[i].magic[2] ? strlen(kinds[i].magic) : 4;
        if (kinds[i].offset + length <= count && memcmp(bytes + kinds[i].offset, kinds[i].magic, length) == 0)
            return &kinds[i];
    }
    return NULL;
}

const char *thaw_image_kind(const uint8_t *bytes, size_t count, bool *readable)
{
    const struct kind *found = find_kind(bytes, count);
    *readable = found && found->decode;
    return found ? found->name : NULL;
}

thaw_status thaw_image_decode(thaw_image *image, const uint8_t *bytes, size_t count, const thaw_image_request *request,
                              char *message, size_t capacity)
{
    const struct kind *found = find_kind(bytes, count);
    if (found && found->decode)
        return found->decode(image, bytes, count, request, message, capacity);
    snprintf(message, capacity, found ? "is a %s image, must be JPEG or PNG" : "is neither JPEG nor PNG%s",
             found ? found->name : "");
    return THAW_BAD_FORMAT;
}
