#include "params/foreign_names.h"

#include <stdio.h>
#include <string.h>

#include "core/context.h"
#include "params/parameter.h"

enum { LONGEST_NAME = 128 };

static bool begins(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* ---------------------------------------------------------------- wrappers */

/* Of DataParallel and DistributedDataParallel, torch.compile, and what people call the network in a module of theirs.
   */
static const char *const wrappers[] = { "module.", "_orig_mod.", "model.", "backbone." };

/* Whether all tensors have this beginning, and no parameter does. */
static bool wraps(thaw_model *model, const thaw_safetensors *file, const char *wrapper)
{
    for (size_t i = 0; i < file->count; i++)
        if (!begins(file->tensors[i].name, wrapper))
            return false;
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++)
        if (begins(thaw_parameter_name(thaw_model_parameter(model, i)), wrapper))
            return false;
    return file->count > 0;
}

/* A name without its wrappers, of which one may be in another. */
static const char *bare(const char *name)
{
    for (size_t i = 0; i < THAW_COUNT(wrappers);) {
        const bool wrapped = begins(name, wrappers[i]);
        name += wrapped ? strlen(wrappers[i]) : 0;
        i = wrapped ? 0 : i + 1;
    }
    return name;
}

/* Whether some tensor would then be the model's. Otherwise messages should show the file's names. */
static bool is_worth_unwrapping(thaw_model *model, const thaw_safetensors *file)
{
    for (size_t i = 0; i < file->count; i++) {
        const char *name = bare(file->tensors[i].name);
        if (thaw_model_find_parameter(model, name) || begins(name, "_conv_stem."))
            return true;
    }
    return false;
}

static thaw_status unwrap(thaw_model *model, thaw_safetensors *file)
{
    thaw_status status = THAW_OK;
    if (!is_worth_unwrapping(model, file))
        return THAW_OK;
    for (size_t i = 0; i < THAW_COUNT(wrappers) && status == THAW_OK;) {
        if (!wraps(model, file, wrappers[i])) {
            i++;
            continue;
        }
        status = thaw_safetensors_rename(file, wrappers[i], "");
        i = 0;
    }
    return status;
}

/* ---------------------------------------------------------------- efficientnet_pytorch */

/* A layer there, and in timm. */
typedef struct layer_names {
    const char *theirs, *ours;
} layer_names;

static const layer_names ends[] = {
    { "_conv_stem.", "conv_stem." }, { "_bn0.", "bn1." }, { "_conv_head.", "conv_head." }, { "_bn1.", "bn2." },
    { "_fc.", "classifier." },
};

/* The layers of a block that begins with an expansion, and of one that does not. */
static const layer_names expanding[] = { { "_expand_conv.", "conv_pw." },    { "_bn0.", "bn1." },
                                         { "_depthwise_conv.", "conv_dw." }, { "_bn1.", "bn2." },
                                         { "_project_conv.", "conv_pwl." },  { "_bn2.", "bn3." } };
static const layer_names plain[] = {
    { "_depthwise_conv.", "conv_dw." }, { "_bn1.", "bn1." }, { "_project_conv.", "conv_pw." }, { "_bn2.", "bn2." }
};

static bool has_layer(const thaw_safetensors *file, const char *block, const char *layer)
{
    char beginning[LONGEST_NAME];
    snprintf(beginning, sizeof beginning, "%s%s", block, layer);
    for (size_t i = 0; i < file->count; i++)
        if (begins(file->tensors[i].name, beginning))
            return true;
    return false;
}

/* Layers that the file does not have, such as a head that was left out, stay missing. */
static thaw_status rename_layers(thaw_safetensors *file, const char *theirs, const char *ours, const layer_names *names,
                                 size_t count)
{
    char old[LONGEST_NAME], replacement[LONGEST_NAME];
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < count && status == THAW_OK; i++) {
        snprintf(old, sizeof old, "%s%s", theirs, names[i].theirs);
        snprintf(replacement, sizeof replacement, "%s%s", ours, names[i].ours);
        if (has_layer(file, theirs, names[i].theirs))
            status = thaw_safetensors_rename(file, old, replacement);
    }
    return status;
}

static thaw_status rename_block(thaw_safetensors *file, size_t number, const char *ours)
{
    char theirs[LONGEST_NAME];
    snprintf(theirs, sizeof theirs, "_blocks.%zu.", number);
    return has_layer(file, theirs, "_expand_conv.")
               ? rename_layers(file, theirs, ours, expanding, THAW_COUNT(expanding))
               : rename_layers(file, theirs, ours, plain, THAW_COUNT(plain));
}

/* Blocks are numbered through there, and by stage here: "blocks.STAGE.BLOCK.". */
static thaw_status rename_blocks(thaw_model *model, thaw_safetensors *file)
{
    char current[LONGEST_NAME] = "";
    size_t number = 0;
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < thaw_model_parameter_count(model) && status == THAW_OK; i++) {
        const char *name = thaw_parameter_name(thaw_model_parameter(model, i));
        int length = 0;
        sscanf(name, "blocks.%*u.%*u.%n", &length);
        if (length == 0 || length >= LONGEST_NAME || (*current && begins(name, current)))
            continue;
        snprintf(current, sizeof current, "%.*s", length, name);
        status = rename_block(file, number++, current);
    }
    return status;
}

thaw_status thaw_foreign_names_replace(thaw_model *model, thaw_safetensors *file)
{
    thaw_status status = unwrap(model, file);
    if (status != THAW_OK || !thaw_model_find_parameter(model, "conv_stem.weight") ||
        !has_layer(file, "", "_conv_stem."))
        return status;
    thaw_log(file->context, THAW_LOG_WARNING,
             "%s: has the names of efficientnet_pytorch, whose batch normalisation has an epsilon of 0.001",
             file->path);
    status = rename_layers(file, "", "", ends, THAW_COUNT(ends));
    return status == THAW_OK ? rename_blocks(model, file) : status;
}
