/* thaw export, by the files that it writes. */
#include <stdio.h>
#include <string.h>

#include "cli/fixture.h"
#include "cli/photos.h"
#include "export/onnx_reader.h"
#include "support/support.h"

enum { IMAGES = 6 };

static char written[SUPPORT_PATH_BYTES]; /* the file of ONNX, $d */

static void begin(void)
{
    folder_set_up();
    for (int i = 0; i < IMAGES; i++) {
        char name[64];
        snprintf(name, sizeof name, "images/%s/%02d", i % 2 ? "bright" : "dark", i);
        folder_put_image(name, 40 + 30 * i);
    }
    photos_variables[3] = folder_join(written, "network.onnx");
    photos_begin(";mean=0.5");
}

TestSuite(export_command, .init = begin, .fini = folder_tear_down);

Test(export_command, writes_a_network_and_what_its_file_says)
{
    photos_command("train --model transfer-cnn --data $a --threads 1 --save $b", 0);
    photos_command("export --load $b --onnx $d", 0);
    support_assert_says(photos_run.output, "network.onnx: input [1, 28, 28] to dense2 [2]\n");
    Onnx__ModelProto *file = onnx_read(written);
    assert_valid(file, "transfer-cnn");
    cr_assert_str_eq(file->graph->output[0]->name, "dense2");
    cr_assert_str_eq(onnx_metadata(file, "thaw.classes"), "[\"bright\",\"dark\"]");
    support_assert_says(onnx_metadata(file, "thaw.images"), "size=28");
    support_assert_says(onnx_metadata(file, "thaw.images"), "mean=0.5");
    support_assert_says(onnx_metadata(file, "thaw.model"), "transfer-cnn");
    support_assert_says(onnx_metadata(file, "thaw.command"), "thaw train");
    cr_assert_str_eq(onnx_metadata(file, "thaw.task"), "classes");
    cr_assert_str_eq(onnx_metadata(file, "thaw.outputs"), "2");
    cr_assert_str_eq(onnx_metadata(file, "thaw.version"), thaw_version());
    onnx__model_proto__free_unpacked(file, NULL);
}

Test(export_command, merges_adapters_and_ends_with_probabilities)
{
    photos_command("train --model transfer-cnn --data $a --threads 1 --lora dense1:rank=2 --save $b", 0);
    photos_command("export --load $b --onnx $d --probabilities --json", 0);
    json_t *line = support_json_line(&photos_run, 0);
    cli_assert_event(line, "exported");
    cr_assert_str_eq(json_string_value(json_object_get(line, "path")), written);
    cr_assert_str_eq(json_string_value(json_object_get(line, "output")), "probabilities");
    cr_assert_eq(json_integer_value(json_array_get(json_object_get(line, "input_shape"), 0)), 1);
    cr_assert_eq(json_integer_value(json_array_get(json_object_get(line, "input_shape"), 2)), 28);
    cr_assert_eq(json_integer_value(json_array_get(json_object_get(line, "output_shape"), 0)), 2);
    json_decref(line);
    Onnx__ModelProto *file = onnx_read(written);
    assert_valid(file, "transfer-cnn");
    cr_assert_str_eq(file->graph->output[0]->name, "probabilities");
    cr_assert_eq(file->graph->n_initializer, 8);
    cr_assert_null(onnx_tensor(file, "dense1.weight.lora_A"));
    onnx__model_proto__free_unpacked(file, NULL);
}

/* A network with one output, saved to $b. */
static void save_regression(void)
{
    thaw_context *context = support_context(1);
    thaw_model *model;
    thaw_node node;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_zoo_network(model, "mlp-500", 1, &node));
    assert_ok(context, thaw_mse(model, node, NULL, &node));
    assert_ok(context, thaw_model_set_note(model, "thaw.task", "regression"));
    assert_ok(context, thaw_weights_save(model, photos_weights));
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(export_command, writes_a_regression_and_what_a_row_of_a_table_becomes)
{
    save_regression();
    photos_command("export --load $b --onnx $d", 0);
    Onnx__ModelProto *file = onnx_read(written);
    assert_valid(file, "regression");
    cr_assert_eq(file->graph->output[0]->type->tensor_type->shape->dim[1]->dim_value, 1);
    cr_assert_str_eq(onnx_metadata(file, "thaw.task"), "regression");
    onnx__model_proto__free_unpacked(file, NULL);
    static const char rows[] = "age,town,price\n20,A,100000\n40,B,300000\n";
    char table[SUPPORT_PATH_BYTES], line[2 * SUPPORT_PATH_BYTES];
    folder_put_text("rows.csv", rows);
    folder_join(table, "rows.csv");
    snprintf(line, sizeof line, "train --model mlp-500 --data csv:%s;label=price;task=regression --threads 1 --save $b",
             table);
    photos_command(line, 0);
    photos_command("export --load $b --onnx $d", 0);
    support_assert_says(photos_run.output,
                        "input [3] to dense2 [1]; rows are scaled as its metadata thaw.columns say\n");
    file = onnx_read(written);
    assert_valid(file, "table");
    cr_assert_str_eq(onnx_metadata(file, "thaw.columns"),
                     "[\"age\",\"number\",\"30\",\"10\",\"town\",\"category\",\"2\",\"A\",\"B\"]");
    cr_assert_str_eq(onnx_metadata(file, "thaw.targets"), "[\"200000\",\"100000\"]");
    onnx__model_proto__free_unpacked(file, NULL);
}

Test(export_command, says_what_is_missing_or_wrong)
{
    photos_command("export --onnx $d", 2);
    support_assert_says(photos_run.errors, "--load: is missing");
    photos_command("export --load $b", 2);
    support_assert_says(photos_run.errors, "--onnx: is missing");
    photos_command("train --model mlp-500 --data $a --threads 1 --save $b", 0);
    photos_command("export --load $b --onnx absent/network.onnx", 1);
    support_assert_says(photos_run.errors, "--onnx: absent");
    photos_command("export --load $b --model transfer-cnn --onnx $d", 2);
    support_assert_says(photos_run.errors, "has weights of mlp-500");
    photos_command("export --load $b --onnx $d word", 2);
}
