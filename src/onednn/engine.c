#include "onednn/engine.h"

#include "core/context.h"

static void release_engine(thaw_context *context)
{
    thaw_engine *engine = context->dnn;
    dnnl_stream_destroy(engine->stream);
    dnnl_engine_destroy(engine->engine);
    thaw_release(context, engine);
    context->dnn = NULL;
}

void thaw_onednn_version(int version[3])
{
    const dnnl_version_t *found = dnnl_version();
    version[0] = found->major;
    version[1] = found->minor;
    version[2] = found->patch;
}

/* Sets of x86's instructions are sets of bits. The same bits are other instructions on other machines. */
static bool has(unsigned wanted)
{
#ifdef __x86_64__
    return ((unsigned)dnnl_get_effective_cpu_isa() & wanted) == wanted;
#else
    (void)wanted;
    return false;
#endif
}

thaw_bfloat16_support thaw_dnn_bfloat16(void)
{
    if (has(dnnl_cpu_isa_avx512_core_bf16))
        return THAW_BFLOAT16_NATIVE;
    return has(dnnl_cpu_isa_avx512_core) ? THAW_BFLOAT16_EMULATED : THAW_BFLOAT16_MISSING;
}

bool thaw_dnn_has_avx2(void)
{
    return has(dnnl_cpu_isa_avx2);
}

bool thaw_dnn_has_avx512(void)
{
    return has(dnnl_cpu_isa_avx512_core);
}

/* Values of enumerations and flags differ between major versions: a mismatch would silently compute nonsense. */
static thaw_status check_version(thaw_context *context)
{
    const dnnl_version_t *found = dnnl_version();
    if (found->major == DNNL_VERSION_MAJOR)
        return THAW_OK;
    return thaw_fail(context, THAW_UNSUPPORTED, "oneDNN %d.%d.%d was loaded, Thaw was compiled against %d.%d",
                     found->major, found->minor, found->patch, DNNL_VERSION_MAJOR, DNNL_VERSION_MINOR);
}

static thaw_status open_engine(thaw_context *context, thaw_engine *made)
{
    dnnl_status_t status = thaw_dnnl_engine_create(&made->engine, dnnl_cpu, 0);
    if (status != dnnl_success)
        return thaw_dnn_fail(context, status, "creating the CPU engine");
    status = thaw_dnnl_stream_create(&made->stream, made->engine, dnnl_stream_default_flags);
    if (status == dnnl_success)
        return THAW_OK;
    dnnl_engine_destroy(made->engine);
    return thaw_dnn_fail(context, status, "creating a stream");
}

thaw_status thaw_engine_of(thaw_context *context, thaw_engine **engine)
{
    *engine = context->dnn;
    if (*engine)
        return THAW_OK;
    thaw_status status = check_version(context);
    if (status != THAW_OK)
        return status;
    thaw_engine *made = thaw_allocate(context, sizeof *made);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    status = open_engine(context, made);
    if (status != THAW_OK) {
        thaw_release(context, made);
        return status;
    }
    context->dnn = *engine = made;
    context->release_dnn = release_engine;
    return THAW_OK;
}

thaw_status thaw_dnn_fail(thaw_context *context, dnnl_status_t status, const char *what)
{
    switch (status) {
    case dnnl_out_of_memory:
        return thaw_fail(context, THAW_OUT_OF_MEMORY, "oneDNN has no memory for %s", what);
    case dnnl_unimplemented:
        return thaw_fail(context, THAW_UNSUPPORTED, "oneDNN %d.%d has no implementation of %s", dnnl_version()->major,
                         dnnl_version()->minor, what);
    default:
        return thaw_fail(context, THAW_INTERNAL, "oneDNN failed in %s (status %d)", what, (int)status);
    }
}
