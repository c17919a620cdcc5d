#include "models/text_batch.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <thaw/zoo.h>

#include "support/formula.h"

const int32_t text_lengths[TEXT_SAMPLES] = { 12, 1, 7, 4 };

static void fill(int32_t *into, const char *name, int below)
{
    const uint32_t key = formula_key(name);
    for (size_t i = 0; i < TEXT_IDS; i++)
        into[i] = (int32_t)floor((formula_uniform(key, i) + 1) * below / 2);
}

void text_batch_fill(text_batch *batch)
{
    fill(batch->ids, "ids", TEXT_VOCABULARY);
    fill(batch->types, "types", 2);
    memcpy(batch->lengths, text_lengths, sizeof text_lengths);
    for (int32_t i = 0; i < TEXT_SAMPLES; i++)
        batch->labels[i] = i % TEXT_CLASSES;
    batch->inputs[0] = thaw_view_i32(batch->ids, 2, (int64_t[]){ TEXT_SAMPLES, TEXT_LENGTH });
    batch->inputs[1] = thaw_view_i32(batch->lengths, 1, (int64_t[]){ TEXT_SAMPLES });
    batch->inputs[2] = thaw_view_i32(batch->types, 2, (int64_t[]){ TEXT_SAMPLES, TEXT_LENGTH });
    batch->targets = thaw_view_i32(batch->labels, 1, (int64_t[]){ TEXT_SAMPLES });
}

static const struct {
    const char *name;
    int layers;
    const char *options;
} networks[] = {
    { "bert-base", 3, "width=24,heads=3,hidden=40,positions=20,dropout=0" },
    { "minilm-l6", 2,
      "width=24,heads=3,hidden=40,positions=20,dropout=0,normalise=yes,activation=relu,"
      "epsilon=1e-3" },
    { "distilbert", 2, "width=20,heads=2,hidden=32,positions=12,dropout=0" },
    { "gpt2", 2, "width=16,heads=4,positions=16" },
};

thaw_model *text_network(thaw_context *context, const char *name, const char *more, thaw_node *outputs)
{
    char description[256] = "", layers[32] = "";
    const char *whole = strstr(more, "-dropout") ? "" : ",hidden-dropout=0,attention-dropout=0";
    thaw_model *model = NULL;
    for (size_t i = 0; i < THAW_COUNT(networks); i++) {
        if (strcmp(name, networks[i].name) != 0)
            continue;
        if (!strstr(more, "layers="))
            snprintf(layers, sizeof layers, ",layers=%d", networks[i].layers);
        snprintf(description, sizeof description, "%s:%s,vocabulary=%d,length=%d%s%s%s", name, networks[i].options,
                 TEXT_VOCABULARY, TEXT_LENGTH, whole, layers, more);
    }
    const size_t classes = strcmp(name, "gpt2") == 0 ? 0 : TEXT_CLASSES;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_zoo_network(model, description, classes, outputs));
    formula_fill(model, NULL);
    return model;
}

void text_predict(thaw_model *model, const text_batch *batch, float *outputs)
{
    thaw_tensor into = { .data = outputs, .dtype = THAW_F32, .shape = { 1, { TEXT_SAMPLES } } };
    const thaw_shape *shape = thaw_model_node_shape(model, thaw_model_output(model));
    for (int i = 0; i < shape->rank; i++)
        into.shape.dims[into.shape.rank++] = shape->dims[i];
    assert_ok(thaw_model_context(model), thaw_predict(model, batch->inputs, &into));
}
