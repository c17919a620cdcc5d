/* What the parts of Thaw's contender share. */
#ifndef THAW_BENCH_WORKER_H
#define THAW_BENCH_WORKER_H

#include <thaw/mpi.h>
#include <thaw/thaw.h>

typedef struct settings {
    const char *network, *optimizer, *cache_file;
    const char *freeze; /* nothing, convolutions, body (all but the last group), before:NAME (of a layer) */
    const char *lora;   /* weights with low-rank adapters, which train with the last group alone; NULL: none */
    const char *source; /* of samples: fashion-mnist, or random */
    const char *tokens; /* a file of batches, whose steps a pass takes; NULL: none */
    const char *precision, *frozen_precision; /* f32 or bf16 */
    size_t threads, batch, lora_rank;
    size_t classes; /* 0: the network's own */
    size_t samples; /* 0: steps on one batch; otherwise epochs over this many samples of the classes first to last */
    size_t first, last;
    size_t cache_bytes, cache_bf16;
    const char *mpi_library, *commands; /* as one rank of several: libthaw-mpi, and where commands are; see ranks.h */
} settings;

typedef struct worker {
    settings settings;
    thaw_context *context;
    thaw_model *model;
    thaw_mpi_connection ranks; /* zero: alone */
    long long start_bytes;
    double epoch_began;
} worker;

typedef struct worker_batch {
    thaw_tensor inputs[3]; /* as many as the network has; without data: the optional ones that are left out */
    thaw_tensor targets;
} worker_batch;

typedef struct worker_batches {
    worker_batch *each;
    size_t count;
} worker_batches;

/* Prints an error. Returns false. */
bool worker_fail(const worker *w, const char *what);

/* Builds the network of the settings, with its optimizer, and freezes. */
bool worker_build(worker *w);

/* Reads the batches of text_batches.py. After an error, which is printed, they are to be released, too. */
bool worker_batches_read(const char *path, worker_batches *batches);

void worker_batches_release(worker_batches *batches);

/* Milliseconds of a monotonic clock. */
double worker_now(void);

/* A field of /proc/self/status, in bytes. */
long long worker_process_bytes(const char *field);

/* Resets the peak of memory to the present use: proc(5), clear_refs. */
void worker_forget_peak(void);

#endif
