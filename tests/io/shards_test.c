/* Weights in several files, with an index. */
#include <stdio.h>
#include <string.h>

#include "io/fixture.h"
#include "io/put.h"
#include "io/safetensors.h"
#include "support/holder.h"

static thaw_model *model;
static char index_path[SUPPORT_PATH_BYTES + 32];

static const float values[] = { 1, 2, 3, 4, 5, 6 };

static const thaw_named_tensor whole[] = {
    { "first.bias", { 1, { 3 } }, values, THAW_F32 },      { "first.mean", { 1, { 3 } }, values + 1, THAW_F32 },
    { "first.weight", { 2, { 3, 2 } }, values, THAW_F32 }, { "second.bias", { 1, { 2 } }, values + 4, THAW_F32 },
    { "second.mean", { 1, { 3 } }, values, THAW_F32 },     { "second.weight", { 2, { 2, 3 } }, values, THAW_F32 },
};

#define MAP(rest)                                                                                             \
    "{\"metadata\":{\"total_size\":92},\"weight_map\":{\"first.bias\":\"a.safetensors\",\"first.mean\":\""    \
    "a.safetensors\",\"first.weight\":\"b.safetensors\",\"second.bias\":\"b.safetensors\",\"second.mean\":\"" \
    "b.safetensors\"" rest "}}"
#define GOOD MAP(",\"second.weight\":\"b.safetensors\"")

static void write_shard(const char *name, const thaw_named_tensor *tensors, size_t count)
{
    char path[SUPPORT_PATH_BYTES + 32];
    snprintf(path, sizeof path, "%s/%s", io_directory, name);
    assert_ok(io_context, thaw_safetensors_write(io_context, path, tensors, count, NULL, 0, NULL));
}

static void begin(void)
{
    io_begin();
    model = support_holder(io_context);
    support_holder_fill(model, 1);
    snprintf(index_path, sizeof index_path, "%s/model.safetensors.index.json", io_directory);
    write_shard("a.safetensors", whole, 2);
    write_shard("b.safetensors", whole + 2, 4);
}

static void end(void)
{
    thaw_model_destroy(model);
    io_end();
}

TestSuite(shards, .init = begin, .fini = end);

static thaw_status load(const char *text)
{
    cr_assert_eq(io_put(index_path, text), THAW_OK);
    return thaw_weights_load(model, index_path, NULL, NULL);
}

static float second_value(const char *name)
{
    return thaw_parameter_data(thaw_model_find_parameter(model, name))[1];
}

Test(shards, load_as_one_file)
{
    assert_ok(io_context, load(GOOD));
    cr_assert(second_value("first.bias") == 2 && second_value("first.mean") == 3);
    cr_assert(second_value("second.bias") == 6 && second_value("second.weight") == 2);
}

Test(shards, are_renamed_as_one_file)
{
    assert_ok(io_context, load(GOOD));
    support_holder_fill(model, 1);
    static const thaw_renaming renamings[] = { { "first.", "x." }, { "second.", "first." }, { "x.", "second." } };
    const thaw_load_options options = { .renamings = renamings, .renaming_count = 3, .allow_misshaped = true };
    assert_ok(io_context, thaw_weights_load(model, index_path, &options, NULL));
    cr_assert_eq(second_value("second.mean"), 3);
}

Test(shards, must_hold_what_the_index_says)
{
    const float before = second_value("first.bias");
    assert_fails(io_context, load(MAP("")), THAW_BAD_FORMAT,
                 "tensor \"second.weight\" is in b.safetensors, but in the index it is missing");
    assert_fails(io_context, load(MAP(",\"second.weight\":\"a.safetensors\"")), THAW_BAD_FORMAT,
                 "tensor \"second.weight\" is in b.safetensors, but in the index it is in a.safetensors");
    assert_fails(io_context, load(MAP(",\"second.weight\":\"b.safetensors\",\"third\":\"a.safetensors\"")),
                 THAW_BAD_FORMAT, "tensor \"third\" is missing from its file a.safetensors");
    assert_fails(io_context, load(MAP(",\"second.weight\":\"c.safetensors\"")), THAW_IO_ERROR,
                 "c.safetensors: cannot open");
    write_shard("c.safetensors", whole + 5, 1);
    assert_fails(io_context, load(MAP(",\"second.weight\":\"c.safetensors\"")), THAW_BAD_FORMAT,
                 "tensor \"second.weight\" is in b.safetensors, but in the index it is in c.safetensors");
    cr_assert_eq(second_value("first.bias"), before, "a refused index has changed the model");
}

Test(shards, lie_beside_the_index)
{
    static const char *const elsewhere[] = {
        "../a.safetensors", "/a.safetensors", "sub/a.safetensors", "..", ".", "", "model.safetensors.index.json"
    };
    for (size_t i = 0; i < THAW_COUNT(elsewhere); i++) {
        char text[200], message[200];
        snprintf(text, sizeof text, "{\"weight_map\":{\"x\":\"%s\"}}", elsewhere[i]);
        snprintf(message, sizeof message,
                 "tensor \"x\" is in \"%s\", must be in a file of safetensors beside the index", elsewhere[i]);
        assert_fails(io_context, load(text), THAW_BAD_FORMAT, message);
    }
}

Test(shards, need_a_map)
{
    static const char *const without[] = { "{}", "[]", "{\"weight_map\":[]}", "{\"weight_map\":{}}",
                                           "{\"metadata\":{\"weight_map\":{\"a\":\"b\"}}}" };
    for (size_t i = 0; i < THAW_COUNT(without); i++)
        assert_fails(io_context, load(without[i]), THAW_BAD_FORMAT, "weight_map is missing");
    assert_fails(io_context, load("{\"weight_map\":{\"x\":3}}"), THAW_BAD_FORMAT,
                 "tensor \"x\" has a file that is not a string");
    assert_fails(io_context, load("{\"weight_map\":{\"x\":\"a\",\"x\":\"b\"}}"), THAW_BAD_FORMAT, "duplicate");
    assert_fails(io_context, load(""), THAW_BAD_FORMAT, "model.safetensors.index.json");
}

/* Each byte of an index changed in turn: it loads the same values, or nothing. */
Test(shards, survive_damage_to_the_index)
{
    char text[] = GOOD;
    for (size_t i = 0; i < sizeof text - 1; i++) {
        const char kept = text[i];
        static const char wrong[] = { '"', '0', '{', ' ', '\\', '\x01' };
        for (size_t k = 0; k < sizeof wrong; k++) {
            text[i] = wrong[k];
            support_holder_fill(model, 1);
            const float before = second_value("first.bias");
            const thaw_status status = load(text);
            cr_assert_eq(second_value("first.bias"), status == THAW_OK ? 2 : before, "byte %zu", i);
        }
        text[i] = kept;
    }
}
