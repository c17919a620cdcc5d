/* Files whose tensors have the names of wrappers and of other packages. */
#include <stdio.h>
#include <string.h>

#include "io/fixture.h"
#include "io/safetensors.h"

static const float values[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };

static void add(thaw_model *model, const char *name, thaw_node *node)
{
    assert_ok(io_context,
              thaw_dense(model, *node, &(thaw_dense_options){ .name = name, .units = 1, .no_bias = true }, node));
}

static thaw_model *build(const char *const *names, size_t count)
{
    thaw_model *model;
    thaw_node node;
    assert_ok(io_context, thaw_model_create(io_context, &model));
    assert_ok(io_context, thaw_input(model, &(thaw_shape){ 1, { 1 } }, &node));
    for (size_t i = 0; i < count; i++)
        add(model, names[i], &node);
    return model;
}

/* A file with one number for each name, from 1 on. */
static void write(const char *const *names, size_t count)
{
    thaw_named_tensor tensors[9];
    for (size_t i = 0; i < count; i++)
        tensors[i] = (thaw_named_tensor){ names[i], { 2, { 1, 1 } }, &values[i], THAW_F32 };
    assert_ok(io_context, thaw_safetensors_write(io_context, io_path, tensors, count, NULL, 0, NULL));
}

static void check(thaw_model *model, const char *const *names, size_t count)
{
    char name[100];
    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%s.weight", names[i]);
        cr_assert_eq(*thaw_parameter_data(thaw_model_find_parameter(model, name)), values[i], "%s", name);
    }
}

static void check_names(const char *const *theirs, const char *const *ours, size_t count)
{
    thaw_model *model = build(ours, count);
    write(theirs, count);
    assert_ok(io_context, thaw_weights_load(model, io_path, NULL, NULL));
    check(model, ours, count);
    thaw_model_destroy(model);
}

TestSuite(foreign_names, .init = io_begin, .fini = io_end);

Test(foreign_names, of_wrappers_are_taken_off)
{
    static const char *const ours[] = { "first", "model.second" };
    check_names((const char *const[]){ "module.first.weight", "module.model.second.weight" }, ours, 2);
    check_names((const char *const[]){ "backbone.first.weight", "backbone.model.second.weight" }, ours, 2);
    check_names((const char *const[]){ "module._orig_mod.first.weight", "module._orig_mod.model.second.weight" }, ours,
                2);
    check_names((const char *const[]){ "first.weight", "model.second.weight" }, ours, 2);
}

/* A name of which only some have it may mean something. */
Test(foreign_names, that_not_all_have_stay)
{
    static const char *const ours[] = { "first", "second" };
    thaw_model *model = build(ours, 2);
    write((const char *const[]){ "module.first.weight", "second.weight" }, 2);
    assert_fails(io_context, thaw_weights_load(model, io_path, NULL, NULL), THAW_NOT_FOUND, "module.first.weight");
    thaw_model_destroy(model);
}

/* The blocks of two stages: one without an expansion, and two with one. */
Test(foreign_names, of_efficientnet_pytorch_become_those_of_timm)
{
    static const char *const theirs[] = { "_conv_stem.weight",
                                          "_bn0.weight",
                                          "_blocks.0._depthwise_conv.weight",
                                          "_blocks.0._project_conv.weight",
                                          "_blocks.0._bn2.weight",
                                          "_blocks.1._expand_conv.weight",
                                          "_blocks.2._project_conv.weight",
                                          "_blocks.2._expand_conv.weight",
                                          "_fc.weight" };
    static const char *const ours[] = { "conv_stem",           "bn1",
                                        "blocks.0.0.conv_dw",  "blocks.0.0.conv_pw",
                                        "blocks.0.0.bn2",      "blocks.1.0.conv_pw",
                                        "blocks.1.1.conv_pwl", "blocks.1.1.conv_pw",
                                        "classifier" };
    check_names(theirs, ours, THAW_COUNT(ours));
}
