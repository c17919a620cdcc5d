#include "cli/version.h"

#include <stdlib.h>
#include <thaw/base.h>

#include "cli/context.h"
#include "cli/failure.h"
#include "compare/machine.h"
#include "core/cpu.h"
#include "core/threads.h"
#include "onednn/kernel.h"

static const char *name_of(thaw_cpu_level level)
{
    if (level >= THAW_CPU_V4_BF16)
        return "v4 (AVX-512) and bfloat16";
    if (level == THAW_CPU_V4)
        return "v4 (AVX-512)";
    return level == THAW_CPU_V3 ? "v3 (AVX2 and FMA)" : "baseline";
}

static void print_levels(FILE *stream, thaw_cpu_level chosen)
{
    const char *most = getenv("THAW_MAX_CPU");
    fprintf(stream, "Thaw's own kernels: %s", name_of(chosen));
    if (chosen < thaw_cpu_detect())
        fprintf(stream, ", because THAW_MAX_CPU is %s; the CPU has %s\n", most ? most : "set",
                name_of(thaw_cpu_detect()));
    else
        fputs(", the highest that this CPU has\n", stream);
}

static void print_onednn(FILE *stream)
{
    const char *most = getenv("ONEDNN_MAX_CPU_ISA");
    const char *bfloat16 = thaw_dnn_bfloat16() == THAW_BFLOAT16_NATIVE ? ", bfloat16 by the CPU" : "";
    int version[3];
    thaw_onednn_version(version);
    fprintf(stream, "oneDNN: %d.%d.%d, %s%s%s%s\n", version[0], version[1], version[2],
            thaw_dnn_has_avx512() ? "AVX-512"
            : thaw_dnn_has_avx2() ? "AVX2"
                                  : "no AVX2",
            bfloat16, most ? ", within ONEDNN_MAX_CPU_ISA=" : "", most ? most : "");
}

static void print_threads(FILE *stream, const thaw_context *context)
{
    const char *number = getenv("OMP_NUM_THREADS"), *limit = getenv("OMP_THREAD_LIMIT");
    fprintf(stream, "threads: %d unless --threads says otherwise, of %d cores that this process may use",
            thaw_context_threads(context), thaw_threads_available());
    if (number)
        fprintf(stream, "; OMP_NUM_THREADS=%s", number);
    if (limit)
        fprintf(stream, "; OMP_THREAD_LIMIT=%s", limit);
    fputc('\n', stream);
}

/* Where two settings are there, the first of these decides. */
static void print_waiting(FILE *stream)
{
    const char *spins = getenv("GOMP_SPINCOUNT"), *policy = getenv("OMP_WAIT_POLICY");
    if (spins)
        fprintf(stream, "waiting: GOMP_SPINCOUNT=%s, from the environment\n", spins);
    else if (policy)
        fprintf(stream, "waiting: OMP_WAIT_POLICY=%s, from the environment\n", policy);
    else
        fputs("waiting: threads spin briefly, or sleep at once if others want half of the cores\n", stream);
}

void cli_print_version(FILE *stream)
{
    fprintf(stream, "thaw %s\n", thaw_version());
}

int cli_print_machine(FILE *stream)
{
    char processor[THAW_PROCESSOR_BYTES];
    thaw_context *context = NULL;
    const int code = cli_context_create(&(thaw_context_options){ 0 }, &context);
    if (code != CLI_DONE)
        return code;
    thaw_machine_processor(processor);
    cli_print_version(stream);
    fprintf(stream, "processor: %s\n", processor);
    print_levels(stream, thaw_context_cpu_level(context));
    print_onednn(stream);
    print_threads(stream, context);
    print_waiting(stream);
    thaw_context_destroy(context);
    return CLI_DONE;
}
