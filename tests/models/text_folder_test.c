/* Folders of texts as transformers and sentence-transformers save them: tests/golden/hub.py made three, and what the
   packages compute with them. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <thaw/model_folder.h>
#include <thaw/train.h>

#include "io/safetensors.h"
#include "support/files.h"
#include "support/golden.h"
#include "support/support.h"

enum { TEXTS = 2, LONGEST = 6, VOCABULARY = 17, MOST = 256 };

static thaw_context *context;
static char directory[SUPPORT_PATH_BYTES], warning[512];

static void keep_warning(void *user, thaw_log_level level, const char *message)
{
    (void)user;
    if (level == THAW_LOG_WARNING)
        snprintf(warning, sizeof warning, "%s", message);
}

static void begin(void)
{
    const thaw_context_options options = { .threads = 2, .log = keep_warning };
    cr_assert_eq(thaw_context_create(&options, &context), THAW_OK);
    support_make_directory(directory);
    *warning = '\0';
}

static void end(void)
{
    thaw_context_destroy(context);
    support_remove_tree(directory);
}

TestSuite(text_folder, .init = begin, .fini = end);

/* ---------------------------------------------------------------- beside the packages */

/* The folder's description for texts of LONGEST tokens; for one without a head also without dropout before that. */
static void describe(const thaw_model_folder *folder, bool head, char description[400])
{
    const char *whole = thaw_model_folder_description(folder), *dropout = head ? NULL : strstr(whole, ",dropout=");
    const size_t begin = dropout ? (size_t)(dropout - whole) : strlen(whole);
    snprintf(description, 400, "%.*s%s,length=%d%s", (int)begin, whole,
             dropout ? dropout + 1 + strcspn(dropout + 1, ",") : "", LONGEST, head ? "" : ",head=none");
}

static thaw_model *load(const char *path, bool head)
{
    thaw_model *model;
    thaw_node node;
    thaw_model_folder *folder;
    char description[400];
    assert_ok(context, thaw_model_folder_open(context, path, &folder));
    describe(folder, head, description);
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_zoo_network(model, description, 0, &node));
    assert_ok(context, thaw_model_folder_load(folder, model, NULL, NULL));
    thaw_model_folder_destroy(folder);
    return model;
}

static void check_outputs(thaw_model *model, const char *name, int64_t texts, size_t elements)
{
    float found[MOST], expected[MOST];
    int32_t ids[TEXTS * LONGEST], lengths[TEXTS] = { 6, 3 };
    for (int32_t i = 0; i < TEXTS * LONGEST; i++)
        ids[i] = (i * 5 + 3) % VOCABULARY;
    const thaw_tensor inputs[3] = { thaw_view_i32(ids, 2, (int64_t[]){ texts, LONGEST }),
                                    thaw_view_i32(lengths, 1, &texts) };
    const thaw_shape *shape = thaw_model_node_shape(model, thaw_model_output(model));
    const thaw_tensor outputs =
        thaw_view_f32(found, 1 + shape->rank, (int64_t[]){ texts, shape->dims[0], shape->dims[1] });
    cr_assert_eq(thaw_shape_count(&outputs.shape), elements);
    assert_ok(context, thaw_predict(model, inputs, &outputs));
    FILE *golden = golden_open("hub/outputs.txt");
    char wanted[40], line[40];
    snprintf(wanted, sizeof wanted, "case %s\n", name);
    while (fgets(line, sizeof line, golden) && strcmp(line, wanted) != 0)
        ;
    golden_read(golden, "outputs", expected, elements);
    fclose(golden);
    assert_close(found, expected, elements, 1e-5, name);
}

/* The first token, normalised. Normalisations have the names of old files, gamma and beta. */
Test(text_folder, of_bert_embeds_as_sentence_transformers_does)
{
    char path[SUPPORT_PATH_BYTES];
    thaw_model *model = load(support_golden(path, "hub/bert"), false);
    check_outputs(model, "bert", TEXTS, TEXTS * 8);
    thaw_model_destroy(model);
}

/* The mean. */
Test(text_folder, of_distilbert_embeds_as_sentence_transformers_does)
{
    char path[SUPPORT_PATH_BYTES];
    thaw_model *model = load(support_golden(path, "hub/distilbert"), false);
    check_outputs(model, "distilbert", TEXTS, TEXTS * 8);
    thaw_model_destroy(model);
}

Test(text_folder, of_gpt2_computes_what_transformers_computes)
{
    char path[SUPPORT_PATH_BYTES];
    thaw_model *model = load(support_golden(path, "hub/gpt2"), true);
    check_outputs(model, "gpt2", 1, LONGEST * VOCABULARY);
    thaw_model_destroy(model);
}

Test(text_folder, tells_what_its_configuration_says)
{
    char path[SUPPORT_PATH_BYTES];
    thaw_model_folder *folder;
    assert_ok(context, thaw_model_folder_open(context, support_golden(path, "hub/bert"), &folder));
    cr_assert_str_eq(thaw_model_folder_description(folder),
                     "bert-base:layers=2,width=8,heads=2,hidden=12,vocabulary=17,positions=9,activation=gelu,"
                     "hidden-dropout=0.1,attention-dropout=0.1,types=2,epsilon=1e-12,dropout=0.1,pooling=cls,"
                     "normalise=yes");
    cr_assert_str_eq(thaw_model_folder_tokenizer(folder), path);
    cr_assert_eq(thaw_model_folder_classes(folder), 0);
    thaw_model_folder_destroy(folder);
}

/* ---------------------------------------------------------------- tied weights */

/* Saves the weights of a network with a tied head, and the head beside them, with one element changed by `change`. */
static const char *save_tied(const char *name, float change)
{
    enum { MOST_TENSORS = 40 };
    static char saved[SUPPORT_PATH_BYTES];
    static thaw_named_tensor tensors[MOST_TENSORS];
    float head[VOCABULARY * 8];
    char path[SUPPORT_PATH_BYTES];
    size_t count = 0;
    thaw_model *model = load(support_golden(path, "hub/gpt2"), true);
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++) {
        const thaw_parameter *parameter = thaw_model_parameter(model, i);
        const float *values = thaw_parameter_data(parameter);
        tensors[i] = (thaw_named_tensor){ .name = thaw_parameter_name(parameter), .data = values };
        tensors[i].shape = *thaw_parameter_shape(parameter);
        if (tensors[i].shape.rank == 2 && strstr(tensors[i].name, ".h."))
            tensors[i].shape = (thaw_shape){ 2, { tensors[i].shape.dims[1], tensors[i].shape.dims[0] } };
        if (strcmp(tensors[i].name, "transformer.wte.weight") == 0)
            memcpy(head, values, sizeof head);
        if (strcmp(tensors[i].name, "lm_head.weight") == 0)
            tensors[i].data = head;
        count++;
    }
    head[9] += change;
    assert_ok(context,
              thaw_safetensors_write(context, support_path(saved, directory, name), tensors, count, NULL, 0, NULL));
    thaw_model_destroy(model);
    return saved;
}

Test(text_folder, tells_when_a_tied_head_has_other_values)
{
    thaw_model *model;
    thaw_node node;
    char path[SUPPORT_PATH_BYTES];
    thaw_model_folder *folder;
    assert_ok(context, thaw_model_folder_open(context, support_golden(path, "hub/gpt2"), &folder));
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_zoo_network(model, thaw_model_folder_description(folder), 0, &node));
    assert_ok(context, thaw_model_folder_load(folder, model, NULL, NULL));
    cr_assert_str_eq(warning, "", "the folder's head is equal");
    assert_ok(context, thaw_weights_load(model, save_tied("equal", 0), NULL, NULL));
    cr_assert_str_eq(warning, "");
    assert_ok(context, thaw_weights_load(model, save_tied("other", 1), NULL, NULL));
    cr_assert(strstr(warning, "tensor \"lm_head.weight\" differs from \"transformer.wte.weight\", to which the model "
                              "ties it, and is not loaded"),
              "%s", warning);
    thaw_model_destroy(model);
    thaw_model_folder_destroy(folder);
}

/* ---------------------------------------------------------------- modules that are not known */

static void put(const char *name, const char *text)
{
    char path[SUPPORT_PATH_BYTES];
    support_write_file(support_path(path, directory, name), text, strlen(text));
}

static thaw_status open_network(const char *type)
{
    static char config[400];
    thaw_model_folder *folder;
    snprintf(config, sizeof config,
             "{\"model_type\":\"%s\",\"num_hidden_layers\":1,\"hidden_size\":8,\"num_attention_heads\":2,"
             "\"intermediate_size\":8,\"vocab_size\":17,\"max_position_embeddings\":9,\"n_layer\":1,\"n_embd\":8,"
             "\"n_head\":2,\"n_positions\":9}",
             type);
    put("config.json", config);
    const thaw_status status = thaw_model_folder_open(context, directory, &folder);
    thaw_model_folder_destroy(folder);
    return status;
}

static void refuse_modules(const char *modules, thaw_status status, const char *message)
{
    put("modules.json", modules);
    assert_fails(context, open_network("bert"), status, message);
}

#define MODULE(name, path) "{\"type\":\"sentence_transformers.models." name "\",\"path\":\"" path "\"}"

Test(text_folder, with_other_modules_is_refused)
{
    refuse_modules("[" MODULE("Transformer", "") "," MODULE("Pooling", "1_Pooling") "," MODULE("Dense", "2_Dense") "]",
                   THAW_UNSUPPORTED, "modules.json: module 3 is \"Dense\"; known are a Transformer, a Pooling after");
    refuse_modules("[" MODULE("Pooling", "1_Pooling") "]", THAW_UNSUPPORTED, "module 1 is \"Pooling\"");
    refuse_modules("[" MODULE("Transformer", "") "," MODULE("Normalize", "1") "," MODULE("Pooling", "2") "]",
                   THAW_UNSUPPORTED, "module 3 is \"Pooling\"");
    refuse_modules("[" MODULE("Transformer", "") "," MODULE("Normalize", "1") "]", THAW_UNSUPPORTED,
                   "has a Normalize without a Pooling");
    refuse_modules("[" MODULE("Transformer", "0_Transformer") "]", THAW_UNSUPPORTED,
                   "the Transformer is in \"0_Transformer\", must be in the folder itself");
    refuse_modules("[3]", THAW_BAD_FORMAT, "module 1 must have a \"type\" and a \"path\"");
    refuse_modules("{}", THAW_BAD_FORMAT, "modules.json: must be an array");
    refuse_modules("[", THAW_BAD_FORMAT, "modules.json");
    put("modules.json", "[" MODULE("Transformer", "") "," MODULE("Pooling", "1") "]");
    assert_fails(context, open_network("gpt2"), THAW_UNSUPPORTED, "has a Pooling, which is known of bert and distil");
}

Test(text_folder, that_pools_in_another_way_is_refused)
{
    static const struct {
        const char *config, *message;
        thaw_status status;
    } cases[] = {
        { "{\"pooling_mode\":\"max\"}", "pooling_mode is \"max\", must be \"mean\" or \"cls\"", THAW_UNSUPPORTED },
        { "{\"pooling_mode\":[\"cls\",\"mean\"]}", "pooling_mode is [\"cls\",\"mean\"], must be", THAW_UNSUPPORTED },
        { "{\"pooling_mode_max_tokens\":true}", "pooling_mode_max_tokens is true, must be false", THAW_UNSUPPORTED },
        { "{\"pooling_mode_cls_token\":true,\"pooling_mode_mean_tokens\":true}", "is true, must be false: only",
          THAW_UNSUPPORTED },
        { "[]", "must be an object", THAW_BAD_FORMAT },
        /* Known, and so the first thing that is missing are the weights. */
        { "{\"pooling_mode\":[\"cls\"]}", "has no weights", THAW_NOT_FOUND },
        { "{\"pooling_mode_cls_token\":true,\"pooling_mode_mean_tokens\":false}", "has no weights", THAW_NOT_FOUND },
        { "{}", "has no weights", THAW_NOT_FOUND },
    };
    char path[SUPPORT_PATH_BYTES];
    cr_assert_eq(mkdir(support_path(path, directory, "pooling"), 0777), 0);
    put("modules.json", "[" MODULE("Transformer", "") "," MODULE("Pooling", "pooling") "]");
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        put("pooling/config.json", cases[i].config);
        assert_fails(context, open_network("bert"), cases[i].status, cases[i].message);
    }
}
