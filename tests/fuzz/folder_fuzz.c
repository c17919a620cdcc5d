/* Any bytes as a network's config.json, or as the index of its weights. The first byte chooses. What opens has a
   description of a network. */
#include <string.h>
#include <thaw/model_folder.h>
#include <thaw/zoo.h>

#include "fuzz/fuzz.h"
#include "io/safetensors.h"

enum { MOST_BYTES = 1 << 24 };

static void write_text(const char *name, const char *text, size_t bytes)
{
    fuzz_write(fuzz_path(name), (const uint8_t *)text, bytes);
}

/* Two tensors, which an index may name. */
static void write_weights(thaw_context *context, const char *name)
{
    static const float values[] = { 1, 2 };
    static const thaw_named_tensor tensors[] = { { "a", { 1, { 1 } }, values, THAW_F32 },
                                                 { "classifier.weight", { 2, { 2, 1 } }, values, THAW_F32 } };
    fuzz_demand(thaw_safetensors_write(context, fuzz_path(name), tensors, 2, NULL, 0, NULL) == THAW_OK,
                "weights are written");
}

static void open_folder(thaw_context *context)
{
    thaw_model_folder *folder;
    char path[4096];
    strncpy(path, fuzz_path("config.json"), sizeof path - 1);
    path[sizeof path - 1] = '\0';
    *strrchr(path, '/') = '\0';
    const thaw_status status = thaw_model_folder_open(context, path, &folder);
    fuzz_demand_message(context, status);
    fuzz_demand((status == THAW_OK) == (folder != NULL), "a folder, or none");
    if (folder)
        fuzz_demand(thaw_zoo_check(context, thaw_model_folder_description(folder)) == THAW_OK, "a network");
    thaw_model_folder_destroy(folder);
}

static void open_index(thaw_context *context)
{
    thaw_safetensors file;
    const thaw_status status = thaw_safetensors_open(context, fuzz_path("model.safetensors.index.json"), &file);
    fuzz_demand_message(context, status);
    if (status != THAW_OK)
        return;
    fuzz_demand(thaw_safetensors_find(&file, "a") && file.count == 2, "an index names all tensors");
    thaw_safetensors_close(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    thaw_context *context = fuzz_context(MOST_BYTES);
    const char *text = (const char *)data + (size > 0);
    const size_t bytes = size - (size > 0);
    if (size && data[0] % 2) {
        write_weights(context, "a.safetensors");
        write_text("model.safetensors.index.json", text, bytes);
        open_index(context);
    } else {
        write_weights(context, "model.safetensors");
        write_text("config.json", text, bytes);
        open_folder(context);
    }
    thaw_context_destroy(context);
    return 0;
}
