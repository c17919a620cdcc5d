/* Embedding: each id selects a row of a table. The gradient of the table is zero except for the rows that a batch
   selects. */
#include <string.h>
#include <thaw/layer_capabilities.h>
#include <thaw/layer_module.h>
#include <thaw/layers.h>

enum { TABLE };

enum {
    MOST_ROWS = 1 << 24, /* floats represent all whole numbers up to this */
    GRAIN = 1 << 14,     /* the fewest elements of a thread */
    LINE = 16            /* floats of a cache line, which no two threads write to */
};

typedef struct embedding {
    size_t ids, rows, width;
    bool learns, pads;
    uint32_t padding;
    bool *met; /* for each row; all false between calls */
} embedding;

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    const thaw_embedding_options *o = options;
    thaw_shape output = *thaw_builder_input(builder, 0);
    if (o->rows < 1 || o->rows > MOST_ROWS)
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "rows is %lld, must be from 1 to %d",
                                 (long long)o->rows, MOST_ROWS);
    if (o->width < 1)
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "width is %lld, must be at least 1",
                                 (long long)o->width);
    if (o->use_padding_id && (o->padding_id < 0 || o->padding_id >= o->rows))
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "the padding id is %lld, must be from 0 to %lld",
                                 (long long)o->padding_id, (long long)o->rows - 1);
    if (output.rank == THAW_MAX_RANK)
        return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH, "the input has %d dimensions, must have at most %d",
                                 output.rank, THAW_MAX_RANK - 1);
    output.dims[output.rank++] = o->width;
    /* PyTorch's default. */
    const bool usual = o->initializer == THAW_INITIAL_DEFAULT;
    const thaw_parameter_specification weight = {
        .name = "weight",
        .role = THAW_WEIGHT,
        .shape = { 2, { o->rows, o->width } },
        .initializer = usual ? THAW_INITIAL_NORMAL : o->initializer,
        .fan_in = (double)o->rows,
        .fan_out = (double)o->width,
        .table = true,
        .zeros = o->use_padding_id ? (size_t)o->width : 0,
        .zeros_at = o->use_padding_id ? (size_t)(o->padding_id * o->width) : 0,
    };
    const thaw_status status = thaw_builder_parameter(builder, &weight);
    return status == THAW_OK ? thaw_builder_output(builder, &output) : status;
}

static void release(thaw_context *context, void *state)
{
    embedding *e = state;
    thaw_release(context, e->met);
    thaw_release(context, e);
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    const thaw_embedding_options *o = demand->options;
    if (demand->input_gradient[0])
        return thaw_fail(demand->context, THAW_INVALID_ARGUMENT,
                         "embedding: a layer below it trains, but ids have no gradient; freeze that layer");
    embedding *e = thaw_allocate(demand->context, sizeof *e);
    if (!e)
        return THAW_OUT_OF_MEMORY;
    e->ids = (size_t)demand->batch * thaw_shape_count(&demand->inputs[0]);
    e->rows = (size_t)o->rows;
    e->width = (size_t)o->width;
    e->learns = demand->parameter_gradient[TABLE];
    e->pads = o->use_padding_id;
    e->padding = (uint32_t)o->padding_id;
    if (e->learns)
        e->met = thaw_allocate_array(demand->context, e->rows, sizeof *e->met);
    if (e->learns && !e->met) {
        release(demand->context, e);
        return THAW_OUT_OF_MEMORY;
    }
    needs->state = e;
    needs->scratch_bytes = e->learns ? 0 : e->ids * sizeof(uint32_t);
    needs->workspace_bytes = e->learns ? e->ids * sizeof(uint32_t) : 0;
    needs->capabilities->gradient_rows[TABLE] = e->learns ? (e->ids < e->rows ? e->ids : e->rows) : 0;
    needs->kernel = "row by row";
    return THAW_OK;
}

/* ---- forward ---- */

static thaw_status read_ids(const embedding *e, const thaw_layer_run *run, uint32_t *ids)
{
    const float *given = run->inputs[0];
    for (size_t i = 0; i < e->ids; i++) {
        if (!(given[i] >= 0 && given[i] < (float)e->rows && given[i] == (float)(uint32_t)given[i]))
            return thaw_fail(run->context, THAW_INVALID_ARGUMENT,
                             "embedding: an id is %.9g, must be a whole number from 0 to %zu", (double)given[i],
                             e->rows - 1);
        ids[i] = (uint32_t)given[i];
    }
    return THAW_OK;
}

typedef struct job {
    const embedding *layer;
    const uint32_t *ids;
    const float *from;
    float *into;
    const thaw_gradient_rows *rows; /* to be cleared */
} job;

static void copy_rows(void *argument, size_t begin, size_t end)
{
    const job *j = argument;
    const size_t width = j->layer->width;
    for (size_t i = begin; i < end; i++)
        memcpy(j->into + i * width, j->from + j->ids[i] * width, width * sizeof(float));
}

static thaw_status forward(const thaw_layer_run *run)
{
    const embedding *e = run->state;
    uint32_t *ids = e->learns ? run->workspace : run->scratch;
    const thaw_status status = read_ids(e, run, ids);
    job j = { .layer = e, .ids = ids, .from = run->parameters[TABLE], .into = run->output };
    if (status == THAW_OK)
        thaw_parallel_for(run->context, e->ids, GRAIN / e->width + 1, copy_rows, &j);
    return status;
}

/* ---- backward ---- */

static void clear_elements(void *argument, size_t begin, size_t end)
{
    const job *j = argument;
    memset(j->into + begin, 0, (end - begin) * sizeof(float));
}

static void clear_rows(void *argument, size_t begin, size_t end)
{
    const job *j = argument;
    const size_t width = j->layer->width;
    for (size_t i = begin; i < end; i++)
        memset(j->into + j->rows->rows[i] * width, 0, width * sizeof(float));
}

static void clear(const thaw_layer_run *run, const embedding *e, job *j)
{
    j->rows = run->capabilities->gradient_rows[TABLE];
    if (j->rows && j->rows->known)
        thaw_parallel_for(run->context, j->rows->count, GRAIN / e->width + 1, clear_rows, j);
    else
        thaw_parallel_for(run->context, e->rows * e->width, GRAIN, clear_elements, j);
}

static bool is_padding(const embedding *e, uint32_t id)
{
    return e->pads && id == e->padding;
}

static void name_rows(const embedding *e, const uint32_t *ids, thaw_gradient_rows *named)
{
    named->known = true;
    named->count = 0;
    for (size_t i = 0; i < e->ids; i++) {
        if (is_padding(e, ids[i]) || e->met[ids[i]])
            continue;
        e->met[ids[i]] = true;
        named->rows[named->count++] = ids[i];
    }
    for (size_t i = 0; i < named->count; i++)
        e->met[named->rows[i]] = false;
}

/* Threads take columns: each element is summed by one of them, in the order of the batch. */
static void add_columns(void *argument, size_t begin, size_t end)
{
    const job *j = argument;
    const size_t width = j->layer->width;
    for (size_t i = 0; i < j->layer->ids; i++) {
        const float *slope = j->from + i * width;
        float *sums = j->into + j->ids[i] * width;
        for (size_t c = begin; c < end && !is_padding(j->layer, j->ids[i]); c++)
            sums[c] += slope[c];
    }
}

static thaw_status backward(const thaw_layer_run *run)
{
    const embedding *e = run->state;
    job j = {
        .layer = e, .ids = run->workspace, .from = run->output_gradient, .into = run->parameter_gradients[TABLE]
    };
    clear(run, e, &j);
    if (run->capabilities->gradient_rows[TABLE])
        name_rows(e, j.ids, run->capabilities->gradient_rows[TABLE]);
    const size_t columns = GRAIN / e->ids / LINE * LINE + LINE;
    thaw_parallel_for(run->context, e->width, columns, add_columns, &j);
    return THAW_OK;
}

/* Ids are floats, whole numbers. */
static thaw_status export_onnx(const thaw_layer_export *layer)
{
    const thaw_onnx_attribute type = { .name = "to", .integer = 7 }; /* INT64 */
    thaw_onnx_value *ids = thaw_onnx_input(layer, 0, THAW_CHANNELS_LAST);
    ids = thaw_onnx_apply(layer, "Cast", ids, NULL, &type);
    ids = thaw_onnx_apply(layer, "Gather", thaw_onnx_parameter(layer, TABLE), ids, NULL);
    return thaw_onnx_output(layer, ids, THAW_CHANNELS_LAST);
}

static const thaw_layer_module module = {
    .size = sizeof(thaw_layer_module),
    .abi = THAW_LAYER_ABI,
    .name = "embedding",
    .options_size = sizeof(thaw_embedding_options),
    .build = build,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .release = release,
    .export_onnx = export_onnx,
};

thaw_status thaw_embedding(thaw_model *model, thaw_node input, const thaw_embedding_options *options, thaw_node *output)
{
    const thaw_embedding_options settings = options ? *options : (thaw_embedding_options){ 0 };
    return thaw_model_append(model, &module, settings.name, &input, 1, &settings, output);
}
