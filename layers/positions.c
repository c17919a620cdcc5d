/* Learned positions added to a sequence, the same in each sample. */
#include <string.h>
#include <thaw/layer_capabilities.h>
#include <thaw/layer_module.h>
#include <thaw/layers.h>

#include "kernels/bfloat16.h"
#include "layers/batch_sum.h"
#include "layers/token_table.h"

enum { TABLE };

/* Elements per block, and the fewest of a thread. */
enum { BLOCK = 256, GRAIN = 64 * BLOCK };

typedef struct positions {
    size_t batch, count, rest; /* samples, elements of one, and of the table's rows behind it */
    thaw_dtype precision;
} positions;

static int64_t row_count(const thaw_positions_options *o, const thaw_shape *input)
{
    return o->rows ? o->rows : input->dims[0];
}

/* Whether there is no grid, or one of so many rows. */
static bool fits(const thaw_position_grid *grid, int64_t rows)
{
    int64_t places;
    if (!grid->tokens && !grid->height && !grid->width)
        return true;
    return grid->tokens >= 0 && grid->height > 0 && grid->width > 0 &&
           !__builtin_mul_overflow(grid->height, grid->width, &places) && places <= rows &&
           places == rows - grid->tokens;
}

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    const thaw_positions_options *o = options;
    const thaw_shape *input = thaw_builder_input(builder, 0);
    thaw_status status = thaw_token_table_check(builder);
    if (status != THAW_OK)
        return status;
    if (row_count(o, input) < input->dims[0])
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT,
                                 "rows is %lld, must be at least %lld, the length of the sequence", (long long)o->rows,
                                 (long long)input->dims[0]);
    if (!fits(&o->grid, row_count(o, input)))
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT,
                                 "grid is %lld tokens and %lld x %lld positions, must be the %lld rows",
                                 (long long)o->grid.tokens, (long long)o->grid.height, (long long)o->grid.width,
                                 (long long)row_count(o, input));
    status =
        thaw_token_table_register(builder, o->parameter, row_count(o, input), o->leading, &o->grid, o->initializer);
    thaw_builder_flops(builder, (double)thaw_shape_count(input));
    return status == THAW_OK ? thaw_builder_output(builder, input) : status;
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    positions *p = thaw_allocate(demand->context, sizeof *p);
    if (!p)
        return THAW_OUT_OF_MEMORY;
    p->batch = (size_t)demand->batch;
    p->count = thaw_shape_count(&demand->output);
    p->rest = thaw_shape_count(&demand->parameters[TABLE]) - p->count;
    p->precision = demand->capabilities->precision;
    needs->state = p;
    needs->in_place = needs->gradient_in_place = true;
    needs->kernel = "sum";
    return THAW_OK;
}

/* The data of one call. */
typedef struct pass {
    const positions *layer;
    const float *table;
    const void *from;
    void *into; /* may be `from` */
} pass;

/* Over a block, because compilers do not vectorise loops whose arrays may be the same. */
static void add_floats(const float *from, const float *table, size_t count, float *into)
{
    float sums[BLOCK];
    for (size_t i = 0; i < count; i++)
        sums[i] = from[i] + table[i];
    memcpy(into, sums, count * sizeof *into);
}

static void add_bfloats(const thaw_bfloat16 *from, const float *table, size_t count, thaw_bfloat16 *into)
{
    thaw_bfloat16 sums[BLOCK];
    for (size_t i = 0; i < count; i++)
        sums[i] = thaw_bfloat16_round(thaw_bfloat16_widen(from[i]) + table[i]);
    memcpy(into, sums, count * sizeof *into);
}

/* Elements of the whole batch, as are the next ones. A block ends where a sample does. */
static void add_range(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    const size_t whole = p->layer->count;
    for (size_t first = begin, count; first < end; first += count) {
        const size_t at = first % whole, left = whole - at < end - first ? whole - at : end - first;
        count = left < BLOCK ? left : BLOCK;
        if (p->layer->precision == THAW_F32)
            add_floats((const float *)p->from + first, p->table + at, count, (float *)p->into + first);
        else
            add_bfloats((const thaw_bfloat16 *)p->from + first, p->table + at, count, (thaw_bfloat16 *)p->into + first);
    }
}

static thaw_status forward(const thaw_layer_run *run)
{
    const positions *l = run->state;
    pass p = { l, run->parameters[TABLE], run->inputs[0], run->output };
    thaw_parallel_for(run->context, l->batch * l->count, GRAIN, add_range, &p);
    return THAW_OK;
}

static thaw_status backward(const thaw_layer_run *run)
{
    const positions *l = run->state;
    float *table = run->parameter_gradients[TABLE];
    if (table) {
        thaw_batch_sum(run->context, l->precision, run->output_gradient, l->batch, l->count, l->count, table);
        memset(table + l->count, 0, l->rest * sizeof *table);
    }
    if (run->input_gradients[0] && run->input_gradients[0] != run->output_gradient)
        thaw_values_copy(run->context, l->precision, run->input_gradients[0], run->output_gradient,
                         l->batch * l->count);
    return THAW_OK;
}

/* The rows that count as [1, T, width]. */
static thaw_status export_onnx(const thaw_layer_export *layer)
{
    const thaw_positions_options *o = layer->options;
    const int64_t zero = 0, steps = layer->output.dims[0], axis = o->leading ? 1 : 0;
    const int64_t own[] = { 1, steps, layer->output.dims[1] };
    thaw_onnx_value *table = thaw_onnx_parameter(layer, TABLE), *x = thaw_onnx_input(layer, 0, THAW_CHANNELS_LAST);
    if (row_count(o, &layer->inputs[0]) != steps)
        table = thaw_onnx_append(layer, &(thaw_onnx_operator){ .kind = "Slice",
                                                               .inputs = { table, thaw_onnx_integers(layer, &zero, 1),
                                                                           thaw_onnx_integers(layer, &steps, 1),
                                                                           thaw_onnx_integers(layer, &axis, 1) } });
    if (!o->leading)
        table = thaw_onnx_apply(layer, "Reshape", table, thaw_onnx_integers(layer, own, 3), NULL);
    return thaw_onnx_output(layer, thaw_onnx_apply(layer, "Add", x, table, NULL), THAW_CHANNELS_LAST);
}

static const thaw_layer_capabilities capabilities = {
    .size = sizeof(thaw_layer_capabilities),
    .bfloat16 = THAW_BFLOAT16_FOLLOWS,
};

static const thaw_layer_module module = {
    THAW_LAYER_MODULE_HEAD,
    .name = "positions",
    .options_size = sizeof(thaw_positions_options),
    .capabilities = &capabilities,
    .build = build,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .release = thaw_release,
    .export_onnx = export_onnx,
};

thaw_status thaw_positions(thaw_model *model, thaw_node input, const thaw_positions_options *options, thaw_node *output)
{
    const thaw_positions_options settings = options ? *options : (thaw_positions_options){ 0 };
    return thaw_model_append(model, &module, settings.name, &input, 1, &settings, output);
}
