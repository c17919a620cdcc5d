/* A context: threads, allocator, seed, log callback and the last error message. There is no global state: contexts in
   different threads do not affect each other. A context, and everything made from it, serves one thread at a time.

   Threads: inside a parallel region of the host, and wherever OpenMP may not start other threads, Thaw runs serially.
   It has separate plans for that, so the first such call compiles. The host decides how OpenMP's threads wait for each
   other; Thaw changes nothing about it. libgomp's spin for milliseconds by default, which makes several threads slower
   than one where other processes want the cores: training on two threads beside eight busy processes took five times as
   long as on one. A host on such a machine should be started with GOMP_SPINCOUNT=1000 (20 % longer there, nothing lost
   where it is alone) or OMP_WAIT_POLICY=passive (as fast as one thread there, up to 20 % slower where it is alone) in its
   environment, which OpenMP reads when it is loaded, or should ask for one thread.

   Reproducibility: the same build, CPU, instruction limit, seed and thread count give the same bits. Optimizer updates,
   data order, initialisation and dropout are the same for any thread count, and at every instruction level. In
   inference, and in the frozen prefix of a training plan, a sample's result depends only on the sample, the weights and
   the plan. It does not depend on the sample's neighbours, their number or its place among them. There is one
   exception, in training: where a product of oneDNN has a gradient. That is the case in dense layers whose weight
   trains, in the input's part of recurrent layers whose weight trains, in low-rank changes that are computed beside a
   weight, and in the gradients of inputs.

   Signals: oneDNN 2.6's kernels keep values below the stack pointer, which a signal handler on the same stack would
   overwrite. A host must run its handlers on a stack of their own (sigaltstack), or in a thread that waits for
   signals. */
#ifndef THAW_CONTEXT_H
#define THAW_CONTEXT_H

#include <thaw/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Threads, allocator, seed, log and last error; see above. */
typedef struct thaw_context thaw_context;

/* Memory from the host. `allocate` returns `bytes` bytes aligned to `alignment` (a power of two, at most 4096), or
   NULL. `release` frees them. Both may be called from any thread. While the values of a frozen weight exist only in
   a packed copy, pages inside of its block are returned to the operating system (madvise(2), MADV_DONTNEED). */
typedef struct thaw_allocator {
    void *(*allocate)(void *user, size_t bytes, size_t alignment); /* NULL: no memory */
    void (*release)(void *user, void *memory, size_t bytes);       /* `bytes` as requested */
    void *user;                                                    /* passed to both */
} thaw_allocator;

/* The importance of a log message. */
typedef enum thaw_log_level { THAW_LOG_INFO, THAW_LOG_WARNING } thaw_log_level;

/* The CPU instructions that Thaw's own kernels use, in ascending order. CPUs other than x86-64 only have the
   baseline. */
typedef enum thaw_cpu_level {
    THAW_CPU_HIGHEST = 0, /* everything that the CPU has, even beyond V4 */
    THAW_CPU_BASELINE,    /* what every CPU of the architecture has; on x86-64, SSE2 */
    THAW_CPU_V3,          /* AVX2 and FMA */
    THAW_CPU_V4           /* AVX-512 F, VL and DQ */
} thaw_cpu_level;

/* Zero everywhere means the defaults. */
typedef struct thaw_context_options {
    int threads;              /* 0: what OpenMP would use here; at most 1024, and at most OMP_THREAD_LIMIT */
    uint64_t seed;            /* of initialisation, shuffling and dropout */
    thaw_allocator allocator; /* both functions NULL: malloc; from 1 MiB on, mappings of their own */
    void (*log)(void *user, thaw_log_level level, const char *message); /* NULL: no log */
    void *log_user;                                                     /* passed to `log` */
    thaw_cpu_level max_cpu; /* the highest level to use; oneDNN has its own limit, ONEDNN_MAX_CPU_ISA */
} thaw_context_options;

/* Creates a context; `options` may be NULL. The caller owns it.
   Errors: THAW_INVALID_ARGUMENT (threads, half an allocator, an unknown CPU level), THAW_OUT_OF_MEMORY,
   THAW_UNSUPPORTED (the loaded oneDNN has another major version than the one compiled against; or the library was
   built with -Dlevels=native, and the CPU or max_cpu is below that level). Thread-safe. */
THAW_API thaw_status thaw_context_create(const thaw_context_options *options, thaw_context **context);

/* Releases the context. Everything made from it must be destroyed before. NULL is allowed. */
THAW_API void thaw_context_destroy(thaw_context *context);

/* The message of the last failed call on this context; "" if none has failed. Valid until the next failing call. It is
   safe to write to a terminal, as are log messages: unprintable characters in names of files, images and tensors
   (control characters, direction marks, invalid UTF-8) appear as hexadecimal escapes, as in C. */
THAW_API const char *thaw_context_message(const thaw_context *context);

/* The number of threads that the context computes with. */
THAW_API int thaw_context_threads(const thaw_context *context);
/* The seed of the context's options. */
THAW_API uint64_t thaw_context_seed(const thaw_context *context);
/* The instruction level that the context computes with: what the CPU has, within the limit of the options. Never
   THAW_CPU_HIGHEST; greater than THAW_CPU_V4 if the CPU has more and there is no limit, so compare with >=. For
   modules that choose among loops of their own. Thread-safe. */
THAW_API thaw_cpu_level thaw_context_cpu_level(const thaw_context *context);

/* Frees a string that a Thaw call returned to the caller. NULL is allowed. */
THAW_API void thaw_text_destroy(thaw_context *context, char *text);

#ifdef __cplusplus
}
#endif

#endif
