/* Features of folders of texts, without training: tests/golden/hub.py made the folders, and what sentence-transformers
   computes with them. */
#include <stdio.h>
#include <string.h>
#include <thaw/model_folder.h>
#include <thaw/predictor.h>

#include "support/files.h"
#include "support/golden.h"
#include "support/support.h"

enum { TEXTS = 2, LONGEST = 6, VOCABULARY = 17 };

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

TestSuite(text_features, .init = begin, .fini = end);

static void put_copy(const char *name, const char *golden)
{
    static char bytes[1 << 16];
    char from[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES];
    const long count = support_read_file(support_golden(from, golden), bytes, sizeof bytes);
    cr_assert(count > 0 && count <= (long)sizeof bytes, "%s", from);
    support_write_file(support_path(path, directory, name), bytes, (size_t)count);
}

Test(text_features, features_are_those_without_a_head)
{
    char path[SUPPORT_PATH_BYTES];
    float found[TEXTS * 8], expected[TEXTS * 8];
    int32_t ids[TEXTS * LONGEST], lengths[TEXTS] = { 6, 3 };
    for (int32_t i = 0; i < TEXTS * LONGEST; i++)
        ids[i] = (i * 5 + 3) % VOCABULARY;
    const thaw_tensor inputs[3] = { thaw_view_i32(ids, 2, (int64_t[]){ TEXTS, LONGEST }),
                                    thaw_view_i32(lengths, 1, (int64_t[]){ TEXTS }) };
    thaw_model_folder *folder;
    thaw_predictor *predictor;
    assert_ok(context, thaw_model_folder_open(context, support_golden(path, "hub/bert"), &folder));
    cr_assert_eq(thaw_model_folder_length(folder), 9);
    const thaw_predictor_options features = { .folder = folder, .features = true }, answers = { .folder = folder };
    assert_ok(context, thaw_predictor_open(context, NULL, &features, &predictor));
    cr_assert(thaw_predictor_takes_texts(predictor) && !thaw_predictor_takes_pairs(predictor));
    cr_assert_null(thaw_predictor_answer_name(predictor, 0));
    assert_ok(context, thaw_predictor_samples(predictor, inputs, found));
    FILE *golden = golden_open("hub/outputs.txt");
    char line[40];
    while (fgets(line, sizeof line, golden) && strcmp(line, "case bert\n") != 0)
        ;
    golden_read(golden, "outputs", expected, TEXTS * 8);
    fclose(golden);
    assert_close(found, expected, TEXTS * 8, 1e-5, "features");
    ids[7] = VOCABULARY;
    assert_fails(context, thaw_predictor_samples(predictor, inputs, found), THAW_INVALID_ARGUMENT,
                 "value 1 of token_ids of sample 1 of the batch is 17, must be from 0 to 16: "
                 "bert.embeddings.word_embeddings has 17 rows");
    thaw_predictor_destroy(predictor);
    assert_fails(context, thaw_predictor_open(context, NULL, &answers, &predictor), THAW_UNSUPPORTED,
                 "has no head that tells classes");
    thaw_model_folder_destroy(folder);
    assert_fails(context, thaw_predictor_open(context, path, &(thaw_predictor_options){ .features = true }, &predictor),
                 THAW_INVALID_ARGUMENT, "features are of a folder's network");
}

/* Where sentence-transformers cuts texts. */
Test(text_features, tells_the_length_of_texts)
{
    static const struct {
        const char *sentence;
        size_t length;
    } cases[] = { { "{\"max_seq_length\":7}", 7 },
                  { "{\"max_seq_length\":40}", 9 },
                  { "{\"max_seq_length\":null}", 9 },
                  { "{\"max_seq_length\":0}", 0 },
                  { "[]", 0 } };
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        thaw_model_folder *folder = NULL;
        put_copy("config.json", "hub/bert/config.json");
        put_copy("model.safetensors", "hub/bert/model.safetensors");
        char path[SUPPORT_PATH_BYTES];
        support_write_file(support_path(path, directory, "sentence_bert_config.json"), cases[i].sentence,
                           strlen(cases[i].sentence));
        const thaw_status status = thaw_model_folder_open(context, directory, &folder);
        cr_assert_eq(status, cases[i].length ? THAW_OK : THAW_BAD_FORMAT, "%s", cases[i].sentence);
        cr_assert(!folder || thaw_model_folder_length(folder) == cases[i].length, "%s", cases[i].sentence);
        thaw_model_folder_destroy(folder);
    }
}

/* A pooler that features need must be in the file. */
Test(text_features, features_are_not_of_initial_values)
{
    static const char config[] = "{\"model_type\":\"distilbert\",\"vocab_size\":17,\"dim\":8,\"n_layers\":2,"
                                 "\"n_heads\":2,\"hidden_dim\":12,\"max_position_embeddings\":9}";
    char path[SUPPORT_PATH_BYTES];
    thaw_model_folder *folder;
    thaw_predictor *predictor;
    support_write_file(support_path(path, directory, "config.json"), config, strlen(config));
    put_copy("model.safetensors", "hub/distilbert/model.safetensors");
    assert_ok(context, thaw_model_folder_open(context, directory, &folder));
    const thaw_predictor_options features = { .folder = folder, .features = true };
    assert_fails(context, thaw_predictor_open(context, NULL, &features, &predictor), THAW_NOT_FOUND,
                 "has no pre_classifier.weight, which the network's features depend on");
    thaw_model_folder_destroy(folder);
}
