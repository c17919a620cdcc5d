#include "update/matrix_stage.h"

#include <string.h>

#include "core/allocation.h"
#include "core/context.h"
#include "core/threads.h"
#include "kernels/matrix_product.h"
#include "kernels/orthonormal_rows.h"
#include "kernels/symmetric_eigen.h"
#include "params/bits.h"
#include "params/suits.h"
#include "update/piece.h"

struct thaw_matrix_stage {
    thaw_product_team products;
    float *scratch;    /* of the modules */
    float *decomposed; /* of decompositions */
    float *kept;       /* a parameter's values before its update, if some are held */
    size_t kept_count;
};

/* ---- making it ---- */

static size_t larger(size_t left, size_t right)
{
    return left > right ? left : right;
}

static size_t decomposition_room(size_t side)
{
    return larger(thaw_symmetric_eigen_room(side), thaw_orthonormal_rows_room(side));
}

/* False: there is no memory. */
static bool make_room(thaw_context *context, size_t floats, float **room)
{
    *room = floats ? thaw_allocate_array(context, floats, sizeof(float)) : NULL;
    return *room || !floats;
}

thaw_status thaw_matrix_stage_create(thaw_update_list *list)
{
    size_t longest = 0, scratch = 0, decomposed = 0;
    for (size_t i = 0; i < list->parameter_count; i++) {
        const thaw_optimizer_module *module = list->modules[i];
        if (!module || !module->matrix)
            continue;
        const size_t rows = thaw_parameter_rows(list->parameters[i]);
        const size_t columns = thaw_parameter_columns(list->parameters[i]);
        longest = larger(longest, larger(rows, columns));
        double values[THAW_MAX_HYPERPARAMETERS];
        thaw_parameter_values(list->parameters[i], values);
        scratch = larger(scratch, module->scratch ? module->scratch(values, rows, columns) : 0);
        decomposed = larger(decomposed, module->decomposed_side ? module->decomposed_side(values, rows, columns) : 0);
    }
    if (longest == 0)
        return THAW_OK;
    thaw_matrix_stage *made = list->matrices = thaw_allocate(list->context, sizeof *made);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    made->products.level = list->context->level;
    made->products.packed = thaw_allocate_array(list->context, thaw_product_room(longest), sizeof(float));
    const bool complete = make_room(list->context, scratch, &made->scratch) &&
                          make_room(list->context, decomposed ? decomposition_room(decomposed) : 0, &made->decomposed);
    return made->products.packed && complete ? THAW_OK : THAW_OUT_OF_MEMORY;
}

thaw_status thaw_matrix_stage_keep(thaw_update_list *list, size_t index)
{
    thaw_matrix_stage *stage = list->matrices;
    const size_t count = list->parameters[index]->count;
    if (!list->modules[index] || !list->modules[index]->matrix || count <= stage->kept_count)
        return THAW_OK;
    thaw_release(list->context, stage->kept);
    stage->kept = thaw_allocate_array(list->context, count, sizeof(float));
    stage->kept_count = stage->kept ? count : 0;
    return stage->kept ? THAW_OK : THAW_OUT_OF_MEMORY;
}

void thaw_matrix_stage_release(thaw_update_list *list)
{
    if (!list->matrices)
        return;
    thaw_release(list->context, list->matrices->kept);
    thaw_release(list->context, list->matrices->decomposed);
    thaw_release(list->context, list->matrices->scratch);
    thaw_release(list->context, list->matrices->products.packed);
    thaw_release(list->context, list->matrices);
}

/* ---- what the team does together ---- */

static void wait(const thaw_matrix_update *matrix)
{
    thaw_barrier(matrix->threads);
}

static void multiply(const thaw_matrix_update *matrix, const thaw_matrix_product *product)
{
    const thaw_update_list *list = matrix->team;
    thaw_matrix_product_run(&list->matrices->products, matrix->thread, matrix->threads, product);
}

static double dot(const thaw_matrix_update *matrix, size_t count, const float *left, const float *right)
{
    const thaw_update_list *list = matrix->team;
    return thaw_dot_product_run(&list->matrices->products, matrix->thread, matrix->threads, count, left, right);
}

static void eigen(const thaw_matrix_update *matrix, size_t side, float *symmetric, float *values, float *vectors)
{
    const thaw_update_list *list = matrix->team;
    thaw_symmetric_eigen(&list->matrices->products, matrix->thread, matrix->threads, side, symmetric, values, vectors,
                         list->matrices->decomposed);
}

static void orthonormalize(const thaw_matrix_update *matrix, size_t side, float *rows, float *orthonormal)
{
    const thaw_update_list *list = matrix->team;
    thaw_orthonormal_rows(&list->matrices->products, matrix->thread, matrix->threads, side, rows, orthonormal,
                          list->matrices->decomposed);
}

static const thaw_matrix_tools tools = {
    .wait = wait, .multiply = multiply, .dot = dot, .eigen = eigen, .orthonormalize = orthonormalize
};

/* ---- running it ---- */

static thaw_matrix_update matrix_of(thaw_update_list *list, size_t index, int thread, int threads)
{
    const thaw_parameter *parameter = list->parameters[index];
    const thaw_rule *rule = &list->rules[list->rule_of[index]];
    thaw_matrix_update matrix = {
        .rows = thaw_parameter_rows(parameter),
        .columns = thaw_parameter_columns(parameter),
        .shape = &parameter->shape,
        .parameter = parameter->data,
        .gradient = parameter->gradient,
        .scalar = rule->exact,
        .hyperparameter = rule->values,
        .step = rule->step,
        .scratch = list->matrices->scratch,
        .thread = thread,
        .threads = threads,
        .tools = &tools,
        .team = list,
    };
    memcpy(matrix.slot_step, parameter->slot_steps, sizeof matrix.slot_step);
    for (size_t k = 0; k < THAW_MAX_SLOTS; k++)
        matrix.slot[k] = thaw_parameter_uses_slot(parameter, k) ? parameter->slot[k] : NULL;
    return matrix;
}

static void restore_held(const thaw_update_list *list, size_t index, thaw_part own)
{
    for (size_t i = own.first; i < own.past; i++)
        if (thaw_bit(list->held[index], i))
            list->parameters[index]->data[i] = list->matrices->kept[i];
}

static void update_matrix(thaw_update_list *list, size_t index, int thread, int threads)
{
    const thaw_parameter *parameter = list->parameters[index];
    const thaw_matrix_update matrix = matrix_of(list, index, thread, threads);
    const thaw_part own = thaw_matrix_part(&matrix, parameter->count);
    if (list->gradient_scale != 1)
        thaw_scale_values(parameter->gradient + own.first, own.past - own.first, (float)list->gradient_scale);
    if (list->held[index])
        memcpy(list->matrices->kept + own.first, parameter->data + own.first, (own.past - own.first) * sizeof(float));
    thaw_barrier(threads);
    list->modules[index]->matrix(&matrix);
    thaw_barrier(threads);
    if (list->held[index])
        restore_held(list, index, own);
}

static void run_team(void *argument, int thread, int threads)
{
    thaw_update_list *list = argument;
    fexcept_t before;
    thaw_flags_watch(&before);
    for (size_t i = 0; i < list->parameter_count; i++)
        if (list->modules[i]->matrix)
            update_matrix(list, i, thread, threads);
    thaw_flags_restore(list, &before);
}

void thaw_matrix_stage_run(thaw_update_list *list)
{
    if (list->matrices)
        thaw_parallel(list->context, run_team, list);
}
