/* The command with texts: training, evaluation and answers of a network in a shared object. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/texts_fixture.h"
#include "support/command.h"

enum { ROWS = 120 };

static support_run run;
static char network[SUPPORT_PATH_BYTES], model[2 * SUPPORT_PATH_BYTES], weights[SUPPORT_PATH_BYTES];

static void begin(void)
{
    static char text[ROWS * 100];
    size_t length = 0;
    texts_begin();
    for (int i = 0; i < ROWS; i++)
        length +=
            (size_t)sprintf(text + length, "%s\t%s%.*s\n", i % 3 ? "nice" : "nasty", i % 3 ? "good" : "bad",
                            5 * (i % 13), " food very food very food very food very food very food very food very");
    texts_write("a.tsv", text);
    snprintf(network, sizeof network, "%s/text_network.so", getenv("THAW_MODULES"));
    snprintf(model, sizeof model, "%s:vocabulary=8,width=8,heads=2", network);
    support_path(weights, texts_directory, "weights.safetensors");
}

TestSuite(texts, .init = begin, .fini = texts_end);

/* In the line: $a the network's description, $b its shared object alone, $c the weights, $d `data` (in which $ is the
   folder), $e `text`. */
static void command_on(const char *line, const char *data, const char *text, int code)
{
    char whole[2048];
    snprintf(whole, sizeof whole, "%s", texts_describe(data));
    support_command(&run, texts_directory, line, (const char *const[]){ model, network, weights, whole, text });
    cr_assert_eq(run.code, code, "%s: %d: %s", line, run.code, run.errors);
}

static void train(void)
{
    command_on("train --model $a --data $d --epochs 6 --batch 8 --optimizer adam:lr=3e-2 --threads 1 --json --save $c",
               "text:$/a.tsv;label=1;text=2;length=16;tokenizer=$;split=0.2", "", 0);
}

static double last_number(const char *key)
{
    json_t *line = support_json_line(&run, -1);
    const double number = support_json_number(line, key);
    json_decref(line);
    return number;
}

/* The probability of a class in an event of a prediction. */
static double probability(const json_t *event, const char *name)
{
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(event, "classes"), i, entry)
    {
        if (strcmp(json_string_value(json_object_get(entry, "name")), name) == 0)
            return support_json_number(entry, "probability");
    }
    cr_assert(false, "no class %s", name);
    return NAN;
}

Test(texts, are_trained_on_and_evaluated)
{
    train();
    const double accuracy = last_number("test_accuracy");
    cr_assert_float_eq(accuracy, 1, 1e-9, "%g", accuracy);
    command_on("evaluate --model $b --load $c --data $d --json", "text:$/a.tsv", "", 0);
    cr_assert_float_eq(last_number("accuracy"), 1, 1e-9);
    cr_assert_float_eq(last_number("samples"), ROWS, 0);
    command_on("plan --model $a --data $d --batch 8", "text:$/a.tsv;label=1;text=2;length=16;tokenizer=$", "", 0);
    support_assert_says(run.output, "embedding");
}

Test(texts, are_told_apart)
{
    train();
    texts_write("lines", "good food very food\nvery bad\r\n\ngood");
    command_on("predict --model $b --load $c --text $e --json --top 2", "", "very bad", 0);
    json_t *event = support_json_line(&run, 0);
    const double alone = probability(event, "nasty");
    cr_assert_str_eq(json_string_value(json_object_get(event, "text")), "very bad");
    cr_assert_gt(alone, 0.5);
    json_decref(event);
    command_on("predict --model $b --load $c --json --top 2 $d --text $e", "$/lines", "good", 0);
    event = support_json_line(&run, 2); /* options come before the file */
    cr_assert_float_eq(probability(event, "nasty"), alone, 1e-6);
    cr_assert_eq(support_json_number(event, "row"), 2);
    json_decref(event);
    json_t *last_line = support_json_line(&run, 4), *option = support_json_line(&run, 0);
    cr_assert_float_eq(probability(last_line, "nice"), probability(option, "nice"), 1e-6);
    json_decref(last_line);
    json_decref(option);
    command_on("predict --model $b --load $c --text $e", "", "good food", 0);
    support_assert_says(run.output, "good food: nice ");
    command_on("embed --model $b --load $c --layer mean --json --text $e", "", "good food", 0);
    event = support_json_line(&run, 0);
    cr_assert_eq(json_array_size(json_object_get(event, "vector")), 8);
    json_decref(event);
}

Test(texts, of_pairs_have_a_tab_between_them)
{
    texts_write("pairs.jsonl", "{\"a\":\"good\",\"b\":\"bad\",\"c\":1}\n{\"a\":\"bad\",\"b\":\"bad\",\"c\":2}\n");
    command_on("train --model $a --data $d --epochs 1 --batch 2 --threads 1 --save $c",
               "text:$/pairs.jsonl;text=a;second=b;label=c;length=16;tokenizer=$", "", 0);
    command_on("predict --model $b --load $c --text $e", "", "good\tbad", 0);
    command_on("predict --model $b --load $c --text $e", "", "good bad", 1);
    support_assert_says(run.errors, "--text: must be two texts with a tab between them");
    texts_write("lines", "good\tbad\ngood\n");
    command_on("predict --model $b --load $c $d", "$/lines", "", 1);
    support_assert_says(run.errors, "lines: line 2 must be two texts");
}

Test(texts, have_clear_errors)
{
    train();
    texts_write("new.tsv", "nice\tgood\nodd\tbad\n");
    command_on("evaluate --model $b --load $c --data $d", "text:$/new.tsv", "", 2);
    support_assert_says(run.errors, "new.tsv: line 2: the label \"odd\" is not among the 2 labels");
    command_on("finetune --model $b --load $c --data $d --reset head --epochs 1 --batch 2", "text:$/new.tsv", "", 0);
    command_on("train --model $a --data $d --epochs 1", "text:$/a.tsv;label=1;text=2", "", 2);
    support_assert_says(run.errors, "--data: text: tokenizer=PATH is missing");
    command_on("evaluate --model $b --load $c --data $d", "text:$/a.tsv;length=20", "", 1);
    support_assert_says(run.errors, "length=20");
    support_assert_says(run.errors, "\"token_ids\" has 16");
    command_on("predict --model $b --load $c $d", "text:$/a.tsv;text=2", "", 1);
    support_assert_says(run.errors, "is a table, must be a file with a text on each line");
    texts_write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\ngood\nbad\nfood\nvery\nnew\n");
    command_on("predict --model $b --load $c --text $e", "", "good", 1);
    support_assert_says(run.errors, "has changed since the weights were trained with it");
    command_on("train --model $a --data $d --epochs 1", "text:$/a.tsv;label=1;text=2;length=16;tokenizer=$", "", 1);
    support_assert_says(run.errors, "has 9 tokens, but embedding only 8");
}
