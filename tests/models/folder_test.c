/* Folders as transformers and timm save them: tests/golden/hub.py made two, and what the package computes with them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <thaw/model_folder.h>
#include <unistd.h>

#include "support/files.h"
#include "support/golden.h"
#include "support/support.h"

enum { IMAGES = 2, MOST = 64 };

static thaw_context *context;
static char directory[SUPPORT_PATH_BYTES];

static void begin(void)
{
    context = support_context(2);
    support_make_directory(directory);
}

static void end(void)
{
    thaw_context_destroy(context);
    support_remove_tree(directory);
}

TestSuite(folder, .init = begin, .fini = end);

/* ---------------------------------------------------------------- beside transformers */

static thaw_model *load(const char *path, const char *description, size_t classes, thaw_load_result *result)
{
    thaw_model *model;
    thaw_node node;
    thaw_model_folder *folder;
    assert_ok(context, thaw_model_folder_open(context, path, &folder));
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_zoo_network(model, description ? description : thaw_model_folder_description(folder),
                                        classes ? classes : thaw_model_folder_classes(folder), &node));
    assert_ok(context, thaw_model_folder_load(folder, model, NULL, result));
    thaw_model_folder_destroy(folder);
    return model;
}

static void check_outputs(thaw_model *model, const char *which, const char *name, int64_t outputs)
{
    float found[MOST], expected[MOST];
    const thaw_shape *sample = thaw_model_node_shape(model, 0);
    const size_t elements = IMAGES * thaw_shape_count(sample);
    float *images = malloc(elements * sizeof *images);
    support_fill(images, elements, 11);
    const thaw_tensor inputs =
        thaw_view_f32(images, 4, (int64_t[]){ IMAGES, sample->dims[0], sample->dims[1], sample->dims[2] });
    const thaw_tensor answers = thaw_view_f32(found, 2, (int64_t[]){ IMAGES, outputs });
    assert_ok(context, thaw_predict(model, &inputs, &answers));
    FILE *golden = golden_open("hub/outputs.txt");
    while (strcmp(which, "vit") != 0 && fgetc(golden) != '\n') /* behind the case of vit */
        ;
    while (strcmp(which, "vit") != 0 && fgetc(golden) != '\n')
        ;
    golden_case(golden, which);
    golden_read(golden, name, expected, (size_t)(IMAGES * outputs));
    fclose(golden);
    free(images);
    for (int i = 0; i < IMAGES * outputs; i++)
        cr_assert(fabsf(found[i] - expected[i]) <= 1e-4F * fmaxf(1, fabsf(expected[i])), "output %d: %g, not %g", i,
                  (double)found[i], (double)expected[i]);
}

/* Of bfloat16, in two files. */
Test(folder, of_vit_computes_what_transformers_computes)
{
    char path[SUPPORT_PATH_BYTES];
    thaw_model *model = load(support_golden(path, "hub/vit"), NULL, 0, NULL);
    check_outputs(model, "vit", "logits", 3);
    thaw_model_destroy(model);
}

/* Of float16, without a head, and with a token for masks. */
Test(folder, of_dinov2_computes_what_transformers_computes)
{
    char path[SUPPORT_PATH_BYTES];
    thaw_model *model =
        load(support_golden(path, "hub/dinov2"),
             "dinov2:layers=2,width=8,heads=2,hidden=16,patch=14,epsilon=1e-6,size=28,head=none", 0, NULL);
    check_outputs(model, "dinov2", "features", 16);
    thaw_model_destroy(model);
}

Test(folder, tells_what_its_configuration_says)
{
    char path[SUPPORT_PATH_BYTES];
    thaw_model_folder *folder;
    assert_ok(context, thaw_model_folder_open(context, support_golden(path, "hub/vit"), &folder));
    const thaw_notes *notes = thaw_model_folder_notes(folder);
    cr_assert_str_eq(thaw_model_folder_description(folder),
                     "vit:layers=2,width=8,heads=2,hidden=12,patch=4,epsilon=1e-12,size=8");
    cr_assert_eq(thaw_model_folder_classes(folder), 3);
    cr_assert_str_eq(thaw_notes_find(notes, "thaw.outputs"), "3");
    cr_assert_str_eq(thaw_notes_find(notes, "thaw.classes"), "[\"cat\",\"dog\",\"crow\"]");
    cr_assert_str_eq(thaw_notes_find(notes, "thaw.images"),
                     "size=8;resize=8;channels=3;mean=0.5,0.25,0.5;std=0.5,0.5,1");
    cr_assert_null(thaw_model_folder_tokenizer(folder));
    thaw_model_folder_destroy(folder);
}

Test(folder, without_a_head_gets_a_new_one)
{
    char path[SUPPORT_PATH_BYTES];
    thaw_load_result result;
    thaw_model *model = load(support_golden(path, "hub/dinov2"), NULL, 5, &result);
    cr_assert_str_eq(result.missing_names, "classifier.weight, classifier.bias");
    cr_assert_eq(result.unexpected, 0);
    thaw_load_result_destroy(context, &result);
    thaw_model_destroy(model);
}

/* The names on disk are those of transformers' network with a head. */
Test(folder, is_saved_under_the_names_of_its_files)
{
    char path[SUPPORT_PATH_BYTES], saved[SUPPORT_PATH_BYTES];
    thaw_model *model = load(support_golden(path, "hub/vit"), NULL, 0, NULL);
    assert_ok(context, thaw_weights_save(model, support_path(saved, directory, "model.safetensors")));
    static char indexed[1 << 14], text[1 << 16];
    char index[SUPPORT_PATH_BYTES];
    const long index_bytes =
        support_read_file(support_golden(index, "hub/vit/model.safetensors.index.json"), indexed, sizeof indexed - 1);
    const long bytes = support_read_file(saved, text, sizeof text - 1);
    cr_assert(index_bytes > 0 && bytes > 8);
    for (long i = 0; i < 8; i++)
        text[i] = ' '; /* the header's length */
    size_t names = 0;
    for (char *next = strstr(indexed, "weight_map") + sizeof "weight_map"; (next = strchr(next, '"')); names++) {
        char *past = strchr(next + 1, '"');
        char name[128];
        snprintf(name, sizeof name, "\"%.*s\":{", (int)(past - next - 1), next + 1);
        cr_assert(strstr(text, name), "%s is not saved", name);
        next = strchr(strchr(past + 1, '"') + 1, '"') + 1; /* behind the file */
    }
    cr_assert_eq(names, thaw_model_parameter_count(model));
    thaw_model_destroy(model);
}

/* ---------------------------------------------------------------- what is wrong with a folder */

static const char *put(const char *name, const char *text)
{
    static char path[SUPPORT_PATH_BYTES];
    support_write_file(support_path(path, directory, name), text, strlen(text));
    return directory;
}

static thaw_status open_config(const char *config)
{
    thaw_model_folder *folder;
    put("config.json", config);
    const thaw_status status = thaw_model_folder_open(context, directory, &folder);
    cr_assert((status == THAW_OK) == (folder != NULL));
    thaw_model_folder_destroy(folder);
    return status;
}

Test(folder, needs_a_configuration_and_weights)
{
    thaw_model_folder *folder;
    assert_fails(context, thaw_model_folder_open(context, directory, &folder), THAW_NOT_FOUND, "has no config.json");
    assert_fails(context, thaw_model_folder_open(context, "/nowhere", &folder), THAW_NOT_FOUND, "has no config.json");
    assert_fails(context, thaw_model_folder_open(context, NULL, &folder), THAW_INVALID_ARGUMENT, "is missing");
    assert_fails(context, open_config("{\"model_type\":\"vit\"}"), THAW_NOT_FOUND,
                 "has no weights, must have model.safetensors or model.safetensors.index.json");
    put("pytorch_model.bin", "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19");
    assert_fails(context, open_config("{\"model_type\":\"vit\"}"), THAW_BAD_FORMAT, "this is a PyTorch file");
}

Test(folder, of_another_kind_is_refused)
{
    assert_fails(context, open_config("{\"model_type\":\"llama\"}"), THAW_NOT_FOUND,
                 "unknown model_type \"llama\"; known: bert, distilbert, gpt2, vit, dinov2");
    assert_fails(context, open_config("{\"model_type\":\"vits\"}"), THAW_NOT_FOUND, "did you mean \"vit\"?");
    assert_fails(context, open_config("{\"architecture\":\"vit_small_patch16_clip_224\"}"), THAW_NOT_FOUND,
                 "unknown architecture of timm \"vit_small_patch16_clip_224\"");
    assert_fails(context, open_config("{\"architecture\":\"vit_small_patch16_\"}"), THAW_NOT_FOUND,
                 "unknown architecture");
    assert_fails(context, open_config("{\"architecture\":3}"), THAW_BAD_FORMAT, "architecture is 3, must be a text");
    assert_fails(context, open_config("{}"), THAW_BAD_FORMAT, "model_type is missing");
    assert_fails(context, open_config("{\"model_type\":1}"), THAW_BAD_FORMAT, "model_type is 1, must be a text");
    assert_fails(context, open_config("[1]"), THAW_BAD_FORMAT, "must be an object");
    assert_fails(context, open_config("{\"model_type\":"), THAW_BAD_FORMAT, "config.json");
}

typedef struct refusal {
    const char *rest, *message;
    thaw_status status;
} refusal;

static void refuse_all(const char *type, const refusal *refusals, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char config[400];
        snprintf(config, sizeof config, "{\"model_type\":\"%s\",%s}", type, refusals[i].rest);
        assert_fails(context, open_config(config), refusals[i].status, refusals[i].message);
    }
}

Test(folder, of_vit_with_other_parts_is_refused)
{
    static const refusal refusals[] = {
        { "\"hidden_size\":\"abc\"", "hidden_size is \"abc\", must be a whole number from 1 to 65536",
          THAW_BAD_FORMAT },
        { "\"hidden_size\":0", "hidden_size is 0, must be", THAW_BAD_FORMAT },
        { "\"hidden_size\":-768", "hidden_size is -768, must be", THAW_BAD_FORMAT },
        { "\"hidden_size\":1e308", "must be a whole number from 1 to 65536", THAW_BAD_FORMAT },
        { "\"hidden_size\":768.5", "hidden_size is 768.5, must be", THAW_BAD_FORMAT },
        { "\"hidden_size\":[768]", "hidden_size is [768], must be", THAW_BAD_FORMAT },
        { "\"num_hidden_layers\":65537", "num_hidden_layers is 65537, must be", THAW_BAD_FORMAT },
        { "\"num_attention_heads\":7", "hidden_size is 768, must be a multiple of num_attention_heads, 7",
          THAW_INVALID_ARGUMENT },
        { "\"image_size\":[224,196]", "image_size is [224,196], must be a square's", THAW_UNSUPPORTED },
        { "\"image_size\":[224]", "image_size is [224], must be a whole number, or height and width", THAW_BAD_FORMAT },
        { "\"image_size\":225", "image_size is 225, must be a multiple of patch_size, 16", THAW_INVALID_ARGUMENT },
        { "\"hidden_act\":\"relu\"", "hidden_act is \"relu\", must be \"gelu\"", THAW_UNSUPPORTED },
        { "\"hidden_act\":5", "hidden_act is 5, must be a text", THAW_BAD_FORMAT },
        { "\"qkv_bias\":false", "qkv_bias is false, must be true", THAW_UNSUPPORTED },
        { "\"qkv_bias\":\"yes\"", "qkv_bias is \"yes\", must be true or false", THAW_BAD_FORMAT },
        { "\"num_channels\":1", "num_channels is 1, must be 3", THAW_UNSUPPORTED },
        { "\"num_channels\":\"3\"", "num_channels is \"3\", must be 3", THAW_BAD_FORMAT },
        { "\"layer_norm_eps\":-1", "layer_norm_eps is -1, must be a number of at least 0 and below 1",
          THAW_BAD_FORMAT },
        { "\"layer_norm_eps\":1e308", "must be a number of at least 0 and below 1", THAW_BAD_FORMAT },
    };
    refuse_all("vit", refusals, THAW_COUNT(refusals));
}

Test(folder, of_dinov2_with_other_parts_is_refused)
{
    static const refusal refusals[] = {
        { "\"use_swiglu_ffn\":true", "use_swiglu_ffn is true, must be false", THAW_UNSUPPORTED },
        { "\"mlp_ratio\":1e308", "mlp_ratio is 1e308, must be a number that times hidden_size", THAW_BAD_FORMAT },
        { "\"mlp_ratio\":\"4\"", "mlp_ratio is \"4\", must be a number", THAW_BAD_FORMAT },
        { "\"mlp_ratio\":-4", "mlp_ratio is -4, must be a number", THAW_BAD_FORMAT },
        { "\"drop_path_rate\":0.1", "drop_path_rate is 0.1, must be 0", THAW_UNSUPPORTED },
    };
    refuse_all("dinov2", refusals, THAW_COUNT(refusals));
}

Test(folder, of_text_with_other_parts_is_refused)
{
#define BERT "\"num_hidden_layers\":1,\"hidden_size\":8,\"num_attention_heads\":2,\"intermediate_size\":8,"
    static const refusal refusals[] = {
        { "\"hidden_size\":8", "num_hidden_layers is missing, must be a whole number", THAW_BAD_FORMAT },
        { BERT "\"vocab_size\":16777217", "vocab_size is 16777217, must be a whole number from 1 to 16777216",
          THAW_BAD_FORMAT },
        { "\"position_embedding_type\":\"relative_key\"",
          "position_embedding_type is \"relative_key\", must be "
          "\"absolute\"",
          THAW_UNSUPPORTED },
        { "\"is_decoder\":true", "is_decoder is true, must be false", THAW_UNSUPPORTED },
        { "\"hidden_act\":\"swish\"", "hidden_act is \"swish\", must be one of \"gelu\", \"gelu_new\"",
          THAW_UNSUPPORTED },
    };
    refuse_all("bert", refusals, THAW_COUNT(refusals));
}

Test(folder, of_timm_with_other_arguments_is_refused)
{
#define TIMM(rest) "{\"architecture\":\"vit_tiny_patch16_224\"," rest "}"
    assert_fails(context, open_config(TIMM("\"model_args\":{\"reg_tokens\":4}")), THAW_UNSUPPORTED,
                 "reg_tokens is 4, must be left out of model_args");
    assert_fails(context, open_config(TIMM("\"model_args\":3")), THAW_BAD_FORMAT, "model_args is 3, must be an object");
    assert_fails(context, open_config(TIMM("\"model_args\":{\"in_chans\":1}")), THAW_UNSUPPORTED,
                 "in_chans is 1, must be 3");
    assert_fails(context, open_config(TIMM("\"global_pool\":\"avg\"")), THAW_UNSUPPORTED,
                 "global_pool is \"avg\", must be \"token\"");
    assert_fails(context, open_config(TIMM("\"pretrained_cfg\":{\"input_size\":[1,224,224]}")), THAW_UNSUPPORTED,
                 "pretrained_cfg.input_size is [1,224,224], must be [3, N, N]");
}

/* ---------------------------------------------------------------- with weights of its own */

static void copy_golden(const char *from, const char *to)
{
    static char bytes[1 << 16];
    char path[SUPPORT_PATH_BYTES], into[SUPPORT_PATH_BYTES];
    const long count = support_read_file(support_golden(path, from), bytes, sizeof bytes);
    cr_assert(count > 0 && count <= (long)sizeof bytes, "%s", from);
    support_write_file(support_path(into, directory, to), bytes, (size_t)count);
}

static void copy_dinov2(char config[4096])
{
    char path[SUPPORT_PATH_BYTES];
    copy_golden("hub/dinov2/model.safetensors", "model.safetensors");
    const long count = support_read_file(support_golden(path, "hub/dinov2/config.json"), config, 4095);
    cr_assert(count > 0 && count < 4096);
    config[count] = '\0';
}

/* Weights of another configuration: the message names the tensor and both shapes. */
Test(folder, whose_weights_have_other_sizes_is_refused)
{
    char config[4096];
    copy_dinov2(config);
    char *width = strstr(config, "\"hidden_size\": 8");
    cr_assert_not_null(width);
    memcpy(width + strlen("\"hidden_size\": "), "6", 1);
    assert_ok(context, open_config(config));
    thaw_model *model;
    thaw_model_folder *folder;
    assert_ok(context, thaw_model_folder_open(context, directory, &folder));
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_zoo_build(model, thaw_model_folder_description(folder), 3));
    assert_fails(context, thaw_model_folder_load(folder, model, NULL, NULL), THAW_SHAPE_MISMATCH,
                 "has shape [8, 3, 14, 14], must have [6, 3, 14, 14]");
    thaw_model_destroy(model);
    thaw_model_folder_destroy(folder);
}

/* Each byte of a configuration changed: it opens, or says why not. */
Test(folder, survives_damage_to_its_configuration)
{
    char config[4096];
    copy_dinov2(config);
    for (size_t i = 0; config[i]; i++) {
        static const char wrong[] = { '"', '9', '-', '{', 'e', '\x01' };
        const char kept = config[i];
        for (size_t k = 0; k < sizeof wrong; k++) {
            config[i] = wrong[k];
            if (open_config(config) != THAW_OK)
                cr_assert(*thaw_context_message(context), "byte %zu fails without a message", i);
        }
        config[i] = kept;
    }
}
