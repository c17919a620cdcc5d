/* The command on networks of texts as downloaded, in tests/golden/hub, which tests/golden/hub.py made. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <thaw/model_folder.h>
#include <thaw/train.h>
#include <thaw/zoo.h>

#include "cli/photos.h"
#include "support/support.h"

static char dinov2[SUPPORT_PATH_BYTES];

/* $e is a folder of a network of images without a head. */
static void begin(void)
{
    folder_set_up();
    folder_put_image("images/bright/1", 250);
    photos_begin("");
    photos_variables[4] = support_golden(dinov2, "hub/dinov2");
}

TestSuite(hub_texts, .init = begin, .fini = folder_tear_down);

/* Runs with $f for a text behind another one. */
static void command_with(const char *line, const char *text, const char *behind, int code)
{
    char both[SUPPORT_PATH_BYTES + 64];
    snprintf(both, sizeof both, "%s%s", text, behind);
    photos_variables[5] = both;
    photos_command(line, code);
    photos_variables[5] = NULL;
}

static char texts[SUPPORT_PATH_BYTES + 64], bert[SUPPORT_PATH_BYTES];

/* $d is the folder of bert, $f the data: the rows, and further options. */
static void put_texts(const char *rows, const char *options)
{
    char path[SUPPORT_PATH_BYTES];
    folder_put_text("texts.tsv", rows);
    folder_join(path, "texts.tsv");
    snprintf(texts, sizeof texts, "text:%.480s;%s", path, options);
    photos_variables[3] = support_golden(bert, "hub/bert");
    photos_variables[5] = texts;
}

Test(hub_texts, folders_of_texts_are_fine_tuned)
{
    put_texts("x\ta b c\ny\td e\nx\ta a a\ny\te e\n", "label=1;text=2;length=6");
    photos_command("summary --model $d", 0);
    support_assert_says(photos_run.output, "l2_normalise");
    photos_command("finetune --model $d --data $f --reset classifier --batch 2 --epochs 2 --threads 1 --save $b", 0);
    photos_command("evaluate --load $b --data $f --threads 1", 0);
    support_assert_says(photos_run.output, "accuracy");
    photos_command("predict --load $b --threads 1 --text b", 0);
    support_assert_says(photos_run.output, "b: ");
    photos_variables[5] = NULL;
}

/* Invalid UTF-8 and long texts are told of and taken, an empty one has the special tokens. */
Test(hub_texts, texts_of_any_bytes_and_lengths_are_taken)
{
    put_texts("x\ta \xff\xfe b\ny\t\nx\ta b c d e f g h i j k l\ny\te\n", "label=1;text=2;length=6");
    photos_command("finetune --model $d --data $f --reset classifier --batch 2 --epochs 1 --threads 1", 0);
    support_assert_says(photos_run.errors, "parts of texts are not UTF-8 and were replaced by U+FFFD");
    support_assert_says(photos_run.errors, "1 of 4 texts were cut to 6 tokens");
    photos_variables[5] = NULL;
}

Test(hub_texts, what_is_wrong_with_texts_for_a_folder_is_told)
{
    put_texts("x\ta b c\ny\td e\n", "label=1;text=2");
    photos_command("finetune --model $d --data $f --reset classifier", 2);
    support_assert_says(photos_run.errors, "length is 128, must be at most 9, the positions");
    put_texts("x\ta b c\ny\td e\n", "label=1;text=2;length=6;tokenizer=$");
    char vocabulary[SUPPORT_PATH_BYTES];
    folder_put_text("other/vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\nm\nn\n");
    snprintf(strrchr(texts, '$'), SUPPORT_PATH_BYTES, "%s", folder_join(vocabulary, "other"));
    photos_command("finetune --model $d --data $f --reset classifier", 1);
    support_assert_says(photos_run.errors, "has 18 tokens, but bert.embeddings.word_embeddings only 17");
    photos_variables[5] = NULL;
}

/* ---------------------------------------------------------------- vectors and answers */

enum { WIDTH = 8 };

/* The vector of the last line of output. */
static void read_vector(float vector[WIDTH])
{
    json_t *line = support_json_line(&photos_run, -1), *values = json_object_get(line, "vector");
    cr_assert_eq(json_array_size(values), WIDTH, "%s", photos_run.output);
    for (size_t i = 0; i < WIDTH; i++)
        vector[i] = (float)json_number_value(json_array_get(values, i));
    json_decref(line);
}

/* The tokens of "b" are [CLS] b [SEP], ids 2, 6 and 3. */
static void compute_vector(float vector[WIDTH])
{
    static const char more[] = ",length=3,head=none";
    const int32_t ids[3] = { 2, 6, 3 }, length = 3;
    const int64_t one = 1, ids_shape[2] = { 1, 3 }, shape[2] = { 1, WIDTH };
    const thaw_tensor inputs[3] = { thaw_view_i32(ids, 2, ids_shape), thaw_view_i32(&length, 1, &one) };
    const thaw_tensor outputs = thaw_view_f32(vector, 2, shape);
    thaw_context *context = folder_context(1);
    thaw_model_folder *folder;
    thaw_model *model;
    thaw_node node;
    char description[400];
    assert_ok(context, thaw_model_folder_open(context, bert, &folder));
    snprintf(description, sizeof description, "%s", thaw_model_folder_description(folder));
    char *dropout = strstr(description, ",dropout=");
    memmove(dropout, dropout + strlen(",dropout=0.1"), strlen(dropout + strlen(",dropout=0.1")) + 1);
    strcat(description, more);
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_zoo_network(model, description, 0, &node));
    assert_ok(context, thaw_model_folder_load(folder, model, NULL, NULL));
    assert_ok(context, thaw_predict(model, inputs, &outputs));
    thaw_model_destroy(model);
    thaw_model_folder_destroy(folder);
    thaw_context_destroy(context);
}

static void assert_vector(const char *line, const float expected[WIDTH])
{
    float found[WIDTH];
    photos_command(line, 0);
    cr_assert(!strstr(photos_run.errors, "new with"), "%s", photos_run.errors);
    read_vector(found);
    for (size_t i = 0; i < WIDTH; i++)
        cr_assert(fabsf(found[i] - expected[i]) < 1e-6F, "%s: %zu: %g, must be %g", line, i, (double)found[i],
                  (double)expected[i]);
}

/* tests/models/text_folder_test.c compares these with sentence-transformers'. */
Test(hub_texts, untrained_folders_of_texts_have_vectors)
{
    float expected[WIDTH];
    put_texts("", "");
    compute_vector(expected);
    photos_variables[5] = "b";
    assert_vector("embed --model $d --threads 1 --json --text $f", expected);
    assert_vector("embed --model $d --threads 1 --json --layer l2_normalise1 --text $f", expected);
    photos_variables[5] = NULL;
    command_with("embed --model $f --threads 1 --json --text b", bert, ":head=none,length=5", 0);
}

/* There are nine positions, two of them for [CLS] and [SEP]. */
Test(hub_texts, texts_are_cut_where_the_folder_says)
{
    float whole[WIDTH], cut[WIDTH];
    put_texts("", "");
    photos_variables[5] = "a b c d e f g";
    photos_command("embed --model $d --threads 1 --json --text $f", 0);
    read_vector(whole);
    photos_variables[5] = "a b c d e f g h i j";
    photos_command("embed --model $d --threads 1 --json --text $f", 0);
    read_vector(cut);
    cr_assert_arr_eq(whole, cut, sizeof whole);
    photos_variables[5] = NULL;
}

Test(hub_texts, answers_need_a_head_that_was_trained)
{
    put_texts("cat\ta b c\ndog\td e\ncat\ta a a\ndog\te e\n", "label=1;text=2;length=6");
    photos_command("predict --model $d --text b", 1);
    support_assert_says(photos_run.errors, "--model: ");
    support_assert_says(photos_run.errors, "has no head that tells classes: train one first (thaw finetune --save)");
    photos_command("predict --model $e $c", 1);
    support_assert_says(photos_run.errors, "has no head that tells classes");
    photos_command("finetune --model $d --data $f --reset classifier --batch 2 --epochs 2 --threads 1 --save $b", 0);
    photos_variables[5] = NULL;
}

/* Of the first of two classes. */
static double first_probability(const char *first, const char *second)
{
    json_t *line = support_json_line(&photos_run, -1), *best = json_array_get(json_object_get(line, "classes"), 0);
    const char *name = json_string_value(json_object_get(best, "name"));
    const double probability = support_json_number(best, "probability");
    cr_assert(strcmp(name, first) == 0 || strcmp(name, second) == 0, "%s", photos_run.output);
    const bool is_first = strcmp(name, first) == 0;
    json_decref(line);
    return is_first ? probability : 1 - probability;
}

/* What Thaw saved, beside the configuration, whose id2label names the classes. */
Test(hub_texts, folders_with_a_head_tell_classes)
{
    static const char config[] =
        "{\"model_type\":\"bert\",\"num_hidden_layers\":2,\"hidden_size\":8,\"num_attention_heads\":2,"
        "\"intermediate_size\":12,\"vocab_size\":17,\"max_position_embeddings\":9,\"id2label\":{\"0\":\"feline\","
        "\"1\":\"canine\"}}";
    static char headed[SUPPORT_PATH_BYTES], saved[SUPPORT_PATH_BYTES], whole[SUPPORT_PATH_BYTES + 64];
    put_texts("cat\ta b c\ndog\td e\ncat\ta a a\ndog\te e\n", "label=1;text=2;length=6");
    folder_put_text("headed/config.json", config);
    folder_put_text("headed/vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\n");
    folder_join(headed, "headed");
    photos_variables[4] = folder_join(saved, "headed/model.safetensors");
    snprintf(whole, sizeof whole, "%s:pooling=token,normalise=no", bert);
    photos_variables[3] = whole;
    photos_command("finetune --model $d --data $f --reset classifier --batch 2 --epochs 2 --threads 1 --save $e", 0);
    photos_variables[5] = headed;
    photos_command("predict --load $e --threads 1 --json --text b", 0);
    const double cat = first_probability("cat", "dog");
    photos_command("predict --model $f --threads 1 --json --text b", 0);
    cr_assert_float_eq(first_probability("feline", "canine"), cat, 1e-6);
    photos_variables[5] = NULL;
}

Test(hub_texts, without_a_head_can_be_looked_at)
{
    static const char *const names[] = { "hub/bert", "hub/distilbert", "hub/gpt2" };
    for (size_t i = 0; i < 3; i++) {
        photos_variables[3] = support_golden(bert, names[i]);
        command_with("summary --model $f", bert, ":head=none", 0);
        photos_command("summary --model $d --head none", 0);
        cr_assert(!strstr(photos_run.output, "classifier") && !strstr(photos_run.output, "lm_head"), "%s",
                  photos_run.output);
        command_with("plan --model $f --inference --batch 2 --threads 1", bert, ":head=none", 0);
        command_with("plan --model $f --batch 2 --threads 1", bert, ":head=none", 2);
        support_assert_says(photos_run.errors, "head=none leaves nothing to compute a loss of");
    }
}

Test(hub_texts, of_texts_need_a_tokenizer)
{
    photos_variables[3] = support_golden(bert, "hub/distilbert");
    photos_command("embed --model $d --json --text b", 1);
    support_assert_says(photos_run.errors, "--model: the folder has no tokenizer, must have tokenizer.json, vocab.txt");
}

Test(hub_texts, of_gpt2_has_a_loss_over_tokens)
{
    photos_variables[3] = support_golden(bert, "hub/gpt2");
    photos_command("summary --model $d", 0);
    support_assert_says(photos_run.output, "token_cross_entropy");
    photos_command("plan --model $d --batch 2 --threads 1", 0);
}
