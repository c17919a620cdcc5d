#include "onednn/kernel.h"

#include <string.h>

#include "onednn/engine.h"
#include "onednn/own_kernel.h"

/* A primitive, or a function of our own. The latter has only the first three members, `own` and `problem`. */
struct thaw_kernel {
    thaw_context *context;
    const char *name;
    size_t scratch_bytes;
    thaw_own_kernel own; /* run NULL: a primitive */
    void *problem;
    size_t problem_bytes;
    dnnl_stream_t stream;
    dnnl_primitive_desc_t descriptor;
    dnnl_primitive_t primitive;
    dnnl_memory_t memory[THAW_ARGUMENT_KINDS]; /* NULL: an argument that the kernel does not have */
    const void *bound[THAW_ARGUMENT_KINDS];    /* what the memory objects point to */
    dnnl_memory_t scratch;
    const void *bound_scratch;
    dnnl_exec_arg_t list[THAW_ARGUMENT_KINDS + 1]; /* for dnnl_primitive_execute: the same memory objects */
    int list_count;
};

static const int dnnl_arguments[] = {
    [THAW_ARGUMENT_SOURCE] = DNNL_ARG_SRC,
    [THAW_ARGUMENT_SOURCE_1] = DNNL_ARG_SRC_1,
    [THAW_ARGUMENT_WEIGHTS] = DNNL_ARG_WEIGHTS,
    [THAW_ARGUMENT_BIAS] = DNNL_ARG_BIAS,
    [THAW_ARGUMENT_RESIDUAL] = DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1, /* the first post-op */
    [THAW_ARGUMENT_DESTINATION] = DNNL_ARG_DST,
    [THAW_ARGUMENT_SOURCE_GRADIENT] = DNNL_ARG_DIFF_SRC,
    [THAW_ARGUMENT_WEIGHTS_GRADIENT] = DNNL_ARG_DIFF_WEIGHTS,
    [THAW_ARGUMENT_BIAS_GRADIENT] = DNNL_ARG_DIFF_BIAS,
    [THAW_ARGUMENT_DESTINATION_GRADIENT] = DNNL_ARG_DIFF_DST,
    [THAW_ARGUMENT_WORKSPACE] = DNNL_ARG_WORKSPACE,
};

/* Makes a memory object without memory, and lists it for execution. */
static dnnl_status_t add_memory(thaw_kernel *kernel, thaw_layout_view layout, int argument, dnnl_engine_t engine,
                                dnnl_memory_t *memory)
{
    const dnnl_status_t status = thaw_dnnl_memory_create(memory, layout, engine, DNNL_MEMORY_NONE);
    if (status == dnnl_success)
        kernel->list[kernel->list_count++] = (dnnl_exec_arg_t){ .arg = argument, .memory = *memory };
    return status;
}

static dnnl_status_t add_arguments(thaw_kernel *kernel, const thaw_argument *arguments, size_t count,
                                   dnnl_engine_t engine)
{
    dnnl_status_t status = dnnl_success;
    for (size_t i = 0; i < count && status == dnnl_success; i++) {
        const thaw_argument argument = arguments[i];
        if (thaw_kernel_bytes(kernel, argument) > 0)
            status = add_memory(kernel, thaw_kernel_layout(kernel, argument), dnnl_arguments[argument], engine,
                                &kernel->memory[argument]);
    }
    const thaw_layout_view scratch = dnnl_primitive_desc_query_md(kernel->descriptor, dnnl_query_scratchpad_md, 0);
    kernel->scratch_bytes = scratch ? dnnl_memory_desc_get_size(scratch) : 0;
    if (status == dnnl_success && kernel->scratch_bytes > 0)
        status = add_memory(kernel, scratch, DNNL_ARG_SCRATCHPAD, engine, &kernel->scratch);
    return status;
}

/* The first matrix product in a process generates code for all, and takes 500 KB for it. This does so now, and not
   in a step. */
static dnnl_status_t generate_products(void)
{
    const float one = 1;
    float product;
    return thaw_dnnl_sgemm('N', 'N', 1, 1, 1, 1, &one, 1, &one, 1, 0, &product, 1);
}

thaw_status thaw_kernel_create(thaw_context *context, dnnl_primitive_desc_t descriptor, const thaw_argument *arguments,
                               size_t count, thaw_kernel **kernel)
{
    *kernel = NULL;
    thaw_engine *engine;
    const thaw_status opened = thaw_engine_of(context, &engine);
    thaw_kernel *made = opened == THAW_OK ? thaw_allocate(context, sizeof *made) : NULL;
    if (!made) {
        dnnl_primitive_desc_destroy(descriptor);
        return opened == THAW_OK ? THAW_OUT_OF_MEMORY : opened;
    }
    made->context = context;
    made->stream = engine->stream;
    made->descriptor = descriptor;
    dnnl_status_t status = dnnl_primitive_desc_query(descriptor, dnnl_query_impl_info_str, 0, (void *)&made->name);
    if (status == dnnl_success)
        status = add_arguments(made, arguments, count, engine->engine);
    if (status == dnnl_success)
        status = thaw_dnnl_primitive_create(&made->primitive, descriptor);
    if (status == dnnl_success && strstr(made->name, "gemm") && !strstr(made->name, "brgemm"))
        status = generate_products();
    if (status != dnnl_success) {
        thaw_kernel_release(context, made);
        return thaw_dnn_fail(context, status, "creating a kernel");
    }
    *kernel = made;
    return THAW_OK;
}

thaw_status thaw_kernel_create_own(thaw_context *context, const thaw_own_kernel *own, const void *problem,
                                   size_t problem_bytes, thaw_kernel **kernel)
{
    *kernel = NULL;
    thaw_kernel *made = thaw_allocate(context, sizeof *made);
    void *copy = made ? thaw_allocate(context, problem_bytes) : NULL;
    if (!copy) {
        thaw_release(context, made);
        return THAW_OUT_OF_MEMORY;
    }
    made->context = context;
    made->name = own->name;
    made->scratch_bytes = own->scratch_bytes;
    made->own = *own;
    made->problem = memcpy(copy, problem, problem_bytes);
    made->problem_bytes = problem_bytes;
    *kernel = made;
    return THAW_OK;
}

void thaw_kernel_release(thaw_context *context, thaw_kernel *kernel)
{
    if (!kernel)
        return;
    thaw_release(context, kernel->problem);
    dnnl_primitive_destroy(kernel->primitive);
    for (int i = 0; i < kernel->list_count; i++)
        dnnl_memory_destroy(kernel->list[i].memory);
    dnnl_primitive_desc_destroy(kernel->descriptor);
    thaw_release(context, kernel);
}

/* Points a memory object at a buffer, unless it already does. oneDNN takes sources as mutable pointers. */
static dnnl_status_t bind(dnnl_memory_t memory, const void **bound, const void *data)
{
    if (*bound == data)
        return dnnl_success;
    const dnnl_status_t status = dnnl_memory_set_data_handle(memory, (void *)(uintptr_t)data);
    if (status == dnnl_success)
        *bound = data;
    return status;
}

/* Kernels take their sources as mutable pointers. */
static thaw_status run_own(const thaw_kernel *kernel, const thaw_binding *bindings, size_t count, void *scratch)
{
    void *arguments[THAW_ARGUMENT_KINDS] = { 0 };
    for (size_t i = 0; i < count; i++)
        arguments[bindings[i].argument] = (void *)(uintptr_t)bindings[i].data;
    kernel->own.run(kernel->context, kernel->problem, arguments, scratch);
    return THAW_OK;
}

thaw_status thaw_kernel_run(thaw_kernel *kernel, const thaw_binding *bindings, size_t count, void *scratch)
{
    if (kernel->own.run)
        return run_own(kernel, bindings, count, scratch);
    dnnl_status_t status = dnnl_success;
    for (size_t i = 0; i < count && status == dnnl_success; i++) {
        const thaw_argument argument = bindings[i].argument;
        if (kernel->memory[argument])
            status = bind(kernel->memory[argument], &kernel->bound[argument], bindings[i].data);
    }
    if (status == dnnl_success && kernel->scratch)
        status = bind(kernel->scratch, &kernel->bound_scratch, scratch);
    if (status == dnnl_success)
        status = thaw_dnnl_primitive_execute(kernel->primitive, kernel->stream, kernel->list_count, kernel->list);
    return status == dnnl_success ? THAW_OK : thaw_dnn_fail(kernel->context, status, kernel->name);
}

size_t thaw_kernel_scratch_bytes(const thaw_kernel *kernel)
{
    return kernel ? kernel->scratch_bytes : 0;
}

size_t thaw_kernel_bytes(const thaw_kernel *kernel, thaw_argument argument)
{
    if (kernel->own.run)
        return kernel->own.bytes[argument];
    const thaw_layout_view layout = thaw_kernel_layout(kernel, argument);
    return layout ? dnnl_memory_desc_get_size(layout) : 0;
}

bool thaw_kernel_sums_bias(const thaw_kernel *kernel)
{
    return kernel && thaw_kernel_bytes(kernel, THAW_ARGUMENT_BIAS_GRADIENT) > 0;
}

bool thaw_kernel_pads(const thaw_kernel *kernel, thaw_argument argument, size_t bytes)
{
    return !kernel->own.run && thaw_kernel_bytes(kernel, argument) > bytes;
}

static bool has_same_layout(const thaw_kernel *kernel, const thaw_kernel *other, thaw_argument argument)
{
    return dnnl_memory_desc_equal(thaw_kernel_layout(kernel, argument), thaw_kernel_layout(other, argument));
}

bool thaw_kernel_packs_alike(const thaw_kernel *kernel, const thaw_kernel *other)
{
    if (kernel->own.run || other->own.run)
        return kernel->own.run == other->own.run && kernel->problem_bytes == other->problem_bytes &&
               memcmp(kernel->problem, other->problem, kernel->problem_bytes) == 0;
    return has_same_layout(kernel, other, THAW_ARGUMENT_SOURCE) &&
           has_same_layout(kernel, other, THAW_ARGUMENT_DESTINATION);
}

const thaw_own_kernel *thaw_kernel_own(const thaw_kernel *kernel, const void **problem)
{
    *problem = kernel->problem;
    return kernel->own.run ? &kernel->own : NULL;
}

const char *thaw_kernel_name(const thaw_kernel *kernel)
{
    return kernel->name;
}

const_dnnl_primitive_desc_t thaw_kernel_descriptor(const thaw_kernel *kernel)
{
    return kernel->descriptor;
}

thaw_layout_view thaw_kernel_layout(const thaw_kernel *kernel, thaw_argument argument)
{
    if (kernel->own.run)
        return NULL;
    return dnnl_primitive_desc_query_md(kernel->descriptor, dnnl_query_exec_arg_md, dnnl_arguments[argument]);
}

thaw_status thaw_reorder_create(thaw_context *context, thaw_layout_view source, thaw_layout_view destination,
                                thaw_kernel **kernel)
{
    static const thaw_argument arguments[] = { THAW_ARGUMENT_SOURCE, THAW_ARGUMENT_DESTINATION };
    *kernel = NULL;
    if (dnnl_memory_desc_equal(source, destination))
        return THAW_OK;
    thaw_engine *engine;
    dnnl_primitive_attr_t attributes;
    thaw_status status = thaw_engine_of(context, &engine);
    if (status == THAW_OK)
        status = thaw_attributes_create(context, NULL, NULL, &attributes);
    if (status != THAW_OK)
        return status;
    dnnl_primitive_desc_t descriptor = NULL;
    const dnnl_status_t made = thaw_dnnl_reorder_primitive_desc_create(&descriptor, source, engine->engine, destination,
                                                                       engine->engine, attributes);
    dnnl_primitive_attr_destroy(attributes);
    if (made != dnnl_success)
        return thaw_dnn_fail(context, made, "a relayout");
    return thaw_kernel_create(context, descriptor, arguments, THAW_COUNT(arguments), kernel);
}
