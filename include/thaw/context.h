/* A context: threads, allocator, seed, log callback and the last error message. There is no global state: two contexts
   in two threads never meet. One context, and everything made from it, serves one thread at a time.

   Threads: inside a parallel region of the host, and where OpenMP may start no other threads, Thaw works serially. It has
   plans of its own for that: the first call there compiles.

   What repeats: the same build, CPU, limit of its instructions, seed and thread count give the same bits. Optimizer
   updates, data order, initialisation and dropout are the same for any thread count, and at every level of instructions.
   In inference, and in the frozen prefix of a training plan, a sample's result depends on the sample, the weights and the
   plan alone. It does not depend on the sample's neighbours, their number or its place among them. On CPUs without AVX-512
   it may, in training alone, where a product of oneDNN has a gradient: in dense layers whose weight trains, in the input's
   part of recurrent layers whose weight trains, in low-rank changes that are computed beside a weight, and in the
   gradients of inputs.

   Signals: while oneDNN 2.6 computes, its kernels keep values below the stack pointer, which a signal's handler on the same
   stack overwrites. Handlers of a host run on a stack of their own (sigaltstack), or in a thread that waits for signals. */
#ifndef THAW_CONTEXT_H
#define THAW_CONTEXT_H

#include <thaw/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Threads, allocator, seed, log and last error; see above. */
typedef struct thaw_context thaw_context;

/* Memory from the host. `allocate` returns `bytes` bytes aligned to `alignment` (a power of two, at most 4096) or NULL;
   `release` takes back what it returned. Both may be called from any thread. While the values of a frozen weight are in a
   packed copy alone, pages inside of its block are given back to the operating system (madvise(2), MADV_DONTNEED). */
typedef struct thaw_allocator {
    void *(*allocate)(void *user, size_t bytes, size_t alignment); /* NULL: no memory */
    void (*release)(void *user, void *memory, size_t bytes);       /* `bytes` as they were asked for */
    void *user;                                                    /* given to both */
} thaw_allocator;

/* How important a message of the log is. */
typedef enum thaw_log_level { THAW_LOG_INFO, THAW_LOG_WARNING } thaw_log_level;

/* Which instructions of the CPU Thaw's own kernels use, in ascending order. CPUs other than x86-64 have the baseline
   alone. */
typedef enum thaw_cpu_level {
    THAW_CPU_HIGHEST = 0, /* all that the CPU has, beyond V4 as well */
    THAW_CPU_BASELINE,    /* what every CPU of its architecture has; of x86-64, SSE2 */
    THAW_CPU_V3,          /* AVX2 and FMA */
    THAW_CPU_V4           /* AVX-512 F, VL and DQ */
} thaw_cpu_level;

/* Zero everywhere is the default. */
typedef struct thaw_context_options {
    int threads;              /* 0: what OpenMP would use here; at most 1024. OMP_THREAD_LIMIT lowers it */
    uint64_t seed;            /* of initialisation, shuffling and dropout */
    thaw_allocator allocator; /* both functions NULL: malloc; from 1 MiB on, mappings of their own */
    void (*log)(void *user, thaw_log_level level, const char *message); /* NULL: silence */
    void *log_user;                                                     /* given to `log` */
    thaw_cpu_level max_cpu; /* no higher level than this is used; oneDNN has a limit of its own, ONEDNN_MAX_CPU_ISA */
} thaw_context_options;

/* Makes a context; `options` may be NULL. The caller owns it.
   Errors: THAW_INVALID_ARGUMENT (threads, half an allocator, no level of the CPU), THAW_OUT_OF_MEMORY, THAW_UNSUPPORTED
   (the oneDNN that was loaded has another major version than the one compiled against; a library that was built with
   -Dlevels=native, and a CPU or max_cpu below that). Thread-safe. */
THAW_API thaw_status thaw_context_create(const thaw_context_options *options, thaw_context **context);

/* Releases the context; everything made from it must be gone. NULL is allowed. */
THAW_API void thaw_context_destroy(thaw_context *context);

/* The message of the last call on this context that failed; "" when none has. Valid until the next failing call. */
THAW_API const char *thaw_context_message(const thaw_context *context);

/* The number of threads that the context computes with. */
THAW_API int thaw_context_threads(const thaw_context *context);
/* The seed of the context's options. */
THAW_API uint64_t thaw_context_seed(const thaw_context *context);

/* Gives back a string that a Thaw call returned to the caller. NULL is allowed. */
THAW_API void thaw_text_destroy(thaw_context *context, char *text);

#ifdef __cplusplus
}
#endif

#endif
