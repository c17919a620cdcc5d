/* The internals of a context. */
#ifndef THAW_CORE_CONTEXT_H
#define THAW_CORE_CONTEXT_H

#include <stdarg.h>
#include <thaw/context.h>

enum { THAW_MESSAGE_BYTES = 1024 };

struct thaw_context {
    thaw_allocator allocator;
    void (*log)(void *user, thaw_log_level level, const char *message);
    void *log_user;
    int most_threads;     /* the host's request, within OpenMP's limit */
    int threads;          /* of the current team: fewer inside a parallel region of the host (threads.h) */
    thaw_cpu_level level; /* of the kernels' instructions: the CPU's, limited by the host; never HIGHEST */
    uint64_t seed;
    size_t max_data_bytes; /* 0: as much as the machine has */
    bool structure_only;   /* leave parameters without random values; such models never compute */
    /* What src/data tells other ranks of folders, or is told; NULL: nothing. */
    struct thaw_folder_lists *folder_lists;
    void *dnn; /* src/onednn's engine and stream, created on first use */
    void (*release_dnn)(thaw_context *context);
    char message[THAW_MESSAGE_BYTES];
};

thaw_status thaw_fail_list(thaw_context *context, thaw_status status, const char *format, va_list arguments);

void thaw_log(thaw_context *context, thaw_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
