/* How images become samples, by preprocessor_config.json or by timm's config.json. */
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "io/json_file.h"
#include "models/folder/folder.h"

enum { CHANNELS = 3 };

/* What images become; 0: unknown. */
typedef struct form {
    int64_t size, resize;
    const json_t *mean, *std;
} form;

static int64_t side_of(const json_t *value)
{
    const json_int_t side = json_integer_value(value);
    return side >= 1 && side <= THAW_CONFIG_LARGEST_SIZE ? (int64_t)side : 0;
}

static bool is_levels(const json_t *levels)
{
    bool all = json_array_size(levels) == CHANNELS;
    for (size_t i = 0; all && i < CHANNELS; i++)
        all = json_is_number(json_array_get(levels, i));
    return all;
}

static void append_levels(thaw_text *text, const char *name, const json_t *levels)
{
    thaw_text_append(text, ";%s=", name);
    for (size_t i = 0; i < CHANNELS; i++)
        thaw_text_append(text, "%s%.9g", i ? "," : "", json_number_value(json_array_get(levels, i)));
}

/* Only what is known whole; the rest has a folder's defaults. */
static thaw_status note(thaw_model_folder *folder, const thaw_config *config, const form *found)
{
    char *written = NULL;
    thaw_text text = { .context = folder->context };
    thaw_folder_options checked;
    bool known;
    if (!found->size)
        return THAW_OK;
    thaw_text_append(&text, "size=%" PRId64 ";resize=%" PRId64 ";channels=3", found->size,
                     found->resize > found->size ? found->resize : found->size);
    if (is_levels(found->mean) && is_levels(found->std)) {
        append_levels(&text, "mean", found->mean);
        append_levels(&text, "std", found->std);
    }
    thaw_status status = thaw_text_finish(&text, &written);
    if (status == THAW_OK)
        status = thaw_notes_put(&folder->notes, "thaw.images", written);
    thaw_release(folder->context, written);
    if (status != THAW_OK || thaw_notes_images(&folder->notes, &checked, &known) == THAW_OK)
        return status;
    return thaw_fail(folder->context, THAW_BAD_FORMAT, "%s: mean and std of images must be finite, and std above 0",
                     config->path);
}

/* A size is a number, a height and a width, or the shorter side. */
static int64_t read_side(const json_t *value)
{
    const json_t *height = json_object_get(value, "height"), *shortest = json_object_get(value, "shortest_edge");
    if (json_is_integer(value))
        return side_of(value);
    if (height)
        return json_equal(height, json_object_get(value, "width")) ? side_of(height) : 0;
    return side_of(shortest);
}

static thaw_status note_preprocessor(thaw_model_folder *folder, const thaw_config *config)
{
    const json_t *root = config->root;
    const int64_t size = read_side(json_object_get(root, "size")), crop = read_side(json_object_get(root, "crop_size"));
    const bool crops = crop && !json_is_false(json_object_get(root, "do_center_crop"));
    form found = { .size = crops ? crop : size,
                   .resize = size,
                   .mean = json_object_get(root, "image_mean"),
                   .std = json_object_get(root, "image_std") };
    if (json_is_false(json_object_get(root, "do_normalize")))
        found.mean = found.std = NULL;
    return note(folder, config, &found);
}

/* timm resizes so that its crop is this share of the shorter side. */
static thaw_status note_timm(thaw_model_folder *folder, const thaw_config *config)
{
    const json_t *trained = json_object_get(config->root, "pretrained_cfg");
    const double share = json_number_value(json_object_get(trained, "crop_pct"));
    form found = { .size = side_of(json_array_get(json_object_get(trained, "input_size"), 1)),
                   .mean = json_object_get(trained, "mean"),
                   .std = json_object_get(trained, "std") };
    if (share > 0.01 && share <= 1)
        found.resize = (int64_t)((double)found.size / share);
    return note(folder, config, &found);
}

thaw_status thaw_folder_note_images(thaw_model_folder *folder, const thaw_config *config)
{
    static const char name[] = "preprocessor_config.json";
    char *path;
    json_t *root = NULL;
    if (folder->family->text)
        return THAW_OK;
    if (folder->family == &thaw_folder_timm)
        return note_timm(folder, config);
    if (!thaw_folder_has(folder->path, name))
        return THAW_OK;
    thaw_status status = thaw_folder_path(folder->context, folder->path, name, &path);
    if (status != THAW_OK)
        return status;
    status = thaw_json_read(folder->context, path, &root);
    if (status == THAW_OK)
        status = note_preprocessor(folder, &(thaw_config){ folder->context, path, root });
    json_decref(root);
    thaw_release(folder->context, path);
    return status;
}
