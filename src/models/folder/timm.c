/* Networks by timm's configurations. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "core/nearest.h"
#include "models/folder/folder.h"

typedef struct architecture {
    const char *name; /* with a * at its end: sizes follow */
    const char *description, *pool;
} architecture;

static const architecture known[] = {
    { "vit_tiny_patch16_*", "vit-tiny:", "token" },
    { "vit_small_patch16_*", "vit-small:", "token" },
    { "vit_base_patch16_*", "vit-base:", "token" },
    { "vit_large_patch16_*", "vit-base:layers=24,width=1024,heads=16,", "token" },
    { "vit_small_patch32_*", "vit-small:patch=32,", "token" },
    { "vit_base_patch32_*", "vit-base:patch=32,", "token" },
    { "vit_base_patch8_*", "vit-base:patch=8,", "token" },
    { "deit_tiny_patch16_*", "vit-tiny:", "token" },
    { "deit_small_patch16_*", "deit-small:", "token" },
    { "deit_base_patch16_*", "vit-base:", "token" },
    { "vit_small_patch14_dinov2", "dinov2-small:", "token" },
    { "vit_base_patch14_dinov2", "dinov2-small:width=768,heads=12,", "token" },
    { "vit_large_patch14_dinov2", "dinov2-small:layers=24,width=1024,heads=16,", "token" },
    { "convnext_tiny", "convnext-tiny:", "avg" },
    { "resnet18", "resnet18:", "avg" },
    { "resnet34", "resnet34:", "avg" },
    { "resnet50", "resnet50:", "avg" },
    { "efficientnet_lite0", "efficientnet-lite0:", "avg" },
    { "mobilenetv2_100", "mobilenetv2-100:", "avg" },
};

/* Whether `name`, up to the tag of its weights, is the architecture. */
static bool is_same(const char *name, const architecture *which)
{
    const size_t length = strcspn(name, "."), stem = strcspn(which->name, "*");
    if (!which->name[stem])
        return length == stem && strncmp(name, which->name, stem) == 0;
    return length > stem && strncmp(name, which->name, stem) == 0 && strspn(name + stem, "0123456789") == length - stem;
}

static thaw_status find(const thaw_config *c, const architecture **found)
{
    const char *names[THAW_COUNT(known)];
    const json_t *value = json_object_get(c->root, "architecture");
    const char *name = json_string_value(value);
    if (!name)
        return thaw_config_refuse(c, THAW_BAD_FORMAT, "architecture", value, "a text");
    for (size_t i = 0; i < THAW_COUNT(known); i++) {
        names[i] = known[i].name;
        if (is_same(name, &known[i])) {
            *found = &known[i];
            return THAW_OK;
        }
    }
    return thaw_fail_unknown(c->context, "architecture of timm", name, names, THAW_COUNT(known));
}

/* Arguments of the network's function: what the zoo cannot follow is refused. */
static thaw_status check_arguments(const thaw_config *c, const architecture *found)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)c->root, key, value)
    {
        static const char *const allowed[] = { "num_classes", "in_chans", "global_pool", "img_size",
                                               "dynamic_img_size" };
        bool is_known = json_is_null(value);
        for (size_t i = 0; i < THAW_COUNT(allowed); i++)
            is_known |= strcmp(key, allowed[i]) == 0;
        if (!is_known)
            return thaw_config_refuse(c, THAW_UNSUPPORTED, key, value, "left out of model_args");
    }
    const thaw_status status = thaw_config_demand_number(c, "in_chans", 3, 3);
    return status == THAW_OK ? thaw_config_demand_word(c, "global_pool", found->pool) : status;
}

/* Of what the weights were trained on, [3, height, width]; 0: unknown. */
static thaw_status find_input(const thaw_config *c, const json_t *trained, int64_t *side)
{
    const json_t *value = json_object_get(trained, "input_size");
    const json_t *height = json_array_get(value, 1), *width = json_array_get(value, 2);
    *side = 0;
    if (!value || json_is_null(value))
        return THAW_OK;
    if (json_array_size(value) != 3 || json_integer_value(json_array_get(value, 0)) != 3 || !json_is_integer(height) ||
        !json_is_integer(width) || json_integer_value(height) != json_integer_value(width) ||
        json_integer_value(height) < 1 || json_integer_value(height) > THAW_CONFIG_LARGEST_SIZE)
        return thaw_config_refuse(c, THAW_UNSUPPORTED, "pretrained_cfg.input_size", value, "[3, N, N]");
    *side = json_integer_value(height);
    return THAW_OK;
}

static thaw_status describe(const thaw_config *c, const char *folder, thaw_text *into)
{
    const architecture *found = NULL;
    int64_t trained = 0, side = 0;
    json_t *nothing = json_object();
    const json_t *given = json_object_get(c->root, "model_args");
    const thaw_config arguments = { c->context, c->path, json_is_object(given) ? given : nothing };
    (void)folder;
    thaw_status status = find(c, &found);
    if (status == THAW_OK && given && !json_is_object(given) && !json_is_null(given))
        status = thaw_config_refuse(c, THAW_BAD_FORMAT, "model_args", given, "an object");
    if (status == THAW_OK)
        status = check_arguments(&arguments, found);
    if (status == THAW_OK)
        status = thaw_config_demand_word(c, "global_pool", found->pool);
    if (status == THAW_OK)
        status = find_input(c, json_object_get(c->root, "pretrained_cfg"), &trained);
    if (status == THAW_OK)
        status = thaw_config_side(&arguments, "img_size", trained ? trained : 224, &side);
    if (status == THAW_OK)
        thaw_text_append(into, "%ssize=%lld", found->description, (long long)side);
    json_decref(nothing);
    return status;
}

const thaw_folder_family thaw_folder_timm = { .type = NULL, .prefix = "", .describe = describe };
