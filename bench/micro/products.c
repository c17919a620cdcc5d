/* ./run bench products: products of rows with the packed weight of a dense layer, by Thaw's kernel and by oneDNN's, in
   turns, so that what else the machine does meets both; beside the roofline. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thaw/thaw.h>

#include "core/allocation.h"
#include "core/threads.h"
#include "kernels/row_product.h"
#include "onednn/placement.h"
#include "support/arguments.h"
#include "support/measurement.h"
#include "support/roofline.h"
#include "support/timing.h"

enum { MOST_REPETITIONS = 1000, ALIGNMENT = 64 };

static const double least_seconds = 2e-4; /* of a sample: shorter products run several times */

static const int64_t shapes[][2] = { { 784, 512 },  { 784, 500 },    { 4608, 128 }, { 512, 10 }, { 512, 512 },
                                     { 512, 1000 }, { 25088, 4096 }, { 64, 5 },     { 256, 256 } };
static const int64_t rows[] = { 1, 8, 16, 32, 128, 500 };

static void check(const thaw_context *context, thaw_status status)
{
    if (status == THAW_OK)
        return;
    fprintf(stderr, "products: %s: %s\n", thaw_status_name(status), context ? thaw_context_message(context) : "");
    exit(1);
}

static void *allocate(size_t bytes)
{
    void *memory = aligned_alloc(ALIGNMENT, (bytes + ALIGNMENT) / ALIGNMENT * ALIGNMENT);
    if (!memory)
        check(NULL, THAW_OUT_OF_MEMORY);
    return memory;
}

static float *make_values(size_t count)
{
    float *values = allocate(count * sizeof *values);
    for (size_t i = 0; i < count; i++)
        values[i] = (float)(i * 7919 % 1009) / 1009 - 0.5F;
    return values;
}

/* ---------------------------------------------------------------- contenders */

typedef struct contender {
    thaw_kernel *kernel, *pack;
    const float *source, *weight, *bias;
    float *packed, *destination;
    void *scratch;
    double seconds[MOST_REPETITIONS], packing[MOST_REPETITIONS];
} contender;

static void pack(contender *c)
{
    const thaw_binding bindings[] = { { THAW_ARGUMENT_SOURCE, c->weight }, { THAW_ARGUMENT_DESTINATION, c->packed } };
    if (c->pack)
        check(NULL, thaw_kernel_run(c->pack, bindings, THAW_COUNT(bindings), c->scratch));
}

static void multiply(contender *c)
{
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_SOURCE, c->source },
        { THAW_ARGUMENT_WEIGHTS, c->pack ? c->packed : c->weight },
        { THAW_ARGUMENT_BIAS, c->bias },
        { THAW_ARGUMENT_DESTINATION, c->destination },
    };
    check(NULL, thaw_kernel_run(c->kernel, bindings, THAW_COUNT(bindings), c->scratch));
}

static double time_calls(contender *c, void (*call)(contender *c), int calls)
{
    const double begin = bench_now();
    for (int i = 0; i < calls; i++)
        call(c);
    return (bench_now() - begin) / calls;
}

static void open_contender(thaw_context *context, const thaw_inner_product *product, bool own, contender *c)
{
    if (own) {
        check(context, thaw_row_product_create(context, product, &c->kernel, &c->pack));
    } else {
        check(context, thaw_inner_product_forward(context, product, &c->kernel, NULL));
        check(context, thaw_placement_pack(context, c->kernel, (size_t)product->outputs, &c->pack));
    }
    const size_t kernel_bytes = thaw_kernel_scratch_bytes(c->kernel), pack_bytes = thaw_kernel_scratch_bytes(c->pack);
    c->scratch = allocate(kernel_bytes > pack_bytes ? kernel_bytes : pack_bytes);
    c->packed = c->pack ? allocate(thaw_kernel_bytes(c->pack, THAW_ARGUMENT_DESTINATION)) : NULL;
    if (c->packed)
        memset(c->packed, 0, thaw_kernel_bytes(c->pack, THAW_ARGUMENT_DESTINATION));
    pack(c);
}

static void close_contender(thaw_context *context, contender *c)
{
    thaw_kernel_release(context, c->pack); /* may know the kernel */
    thaw_kernel_release(context, c->kernel);
    free(c->scratch);
    free(c->packed);
}

/* ---------------------------------------------------------------- measuring */

static void measure(contender c[2], size_t repetitions)
{
    multiply(&c[0]);
    multiply(&c[1]);
    const double once = time_calls(&c[0], multiply, 1);
    const int calls = once < least_seconds ? (int)(least_seconds / once) + 1 : 1;
    for (size_t i = 0; i < repetitions; i++)
        for (int k = 0; k < 2; k++)
            c[k].seconds[i] = time_calls(&c[k], multiply, calls);
    for (size_t i = 0; i < repetitions; i++)
        c[0].packing[i] = time_calls(&c[0], pack, 1);
}

static void report(contender c[2], const thaw_inner_product *p, int threads, double limit,
                   const bench_arguments *chosen)
{
    char name[64];
    snprintf(name, sizeof name, "%lld to %lld", (long long)p->inputs, (long long)p->outputs);
    bench_measurement found[2];
    for (int k = 0; k < 2; k++) {
        found[k] = (bench_measurement){
            .benchmark = "products",
            .title = "Rows by a packed weight",
            .setting = k == 0 ? "Thaw" : "oneDNN",
            .what = name,
            .size = (double)p->batch,
            .size_unit = "rows",
            .threads = threads,
            .limit_seconds = limit,
            .limit = "arithmetic at the peak of the cores, or each array through memory once",
        };
        bench_measurement_take(&found[k], c[k].seconds, chosen->repetitions);
        if (chosen->json)
            bench_print_json(bench_measurement_json(&found[k]));
    }
    if (!chosen->json)
        printf("%-14s %5lld %10.1f %10.1f %7.2f %5.0f%% %6.0f%% %10.1f\n", name, (long long)p->batch,
               found[0].seconds * 1e6, found[1].seconds * 1e6, found[1].seconds / found[0].seconds,
               100 * (found[0].high - found[0].low) / found[0].seconds, 100 * limit / found[0].seconds,
               1e6 * bench_median(c[0].packing, chosen->repetitions));
    fflush(stdout);
}

static void compare(thaw_context *context, const int64_t shape[2], double peak, const bench_arguments *chosen)
{
    static contender contenders[2];
    const int64_t most = rows[THAW_COUNT(rows) - 1];
    float *source = make_values((size_t)(most * shape[0])), *weight = make_values((size_t)(shape[0] * shape[1]));
    float *bias = make_values((size_t)shape[1]), *destination = make_values((size_t)(most * shape[1]));
    for (size_t i = 0; i < THAW_COUNT(rows); i++) {
        thaw_inner_product product = {
            .batch = rows[i], .inputs = shape[0], .outputs = shape[1], .bias = true, .packed = true
        };
        const double flops = 2 * (double)rows[i] * (double)shape[0] * (double)shape[1];
        const double floats = (double)(shape[0] * shape[1] + rows[i] * (shape[0] + shape[1]));
        const double arithmetic = flops / peak, traffic = bench_traffic_seconds(context, floats * sizeof(float));
        for (int k = 0; k < 2; k++) {
            contenders[k] = (contender){ .source = source, .weight = weight, .bias = bias, .destination = destination };
            open_contender(context, &product, k == 0, &contenders[k]);
        }
        measure(contenders, chosen->repetitions);
        report(contenders, &product, thaw_context_threads(context), arithmetic > traffic ? arithmetic : traffic,
               chosen);
        for (int k = 0; k < 2; k++)
            close_contender(context, &contenders[k]);
    }
    free(source);
    free(weight);
    free(bias);
    free(destination);
}

int main(int count, char **values)
{
    const bench_arguments chosen = bench_arguments_read("products", count, values, 31, MOST_REPETITIONS);
    thaw_context *context = NULL;
    check(NULL, thaw_context_create(&(thaw_context_options){ .threads = chosen.threads }, &context));
    const double peak = bench_peak_flops(context);
    const thaw_thread_scope scope = thaw_threads_enter(context);
    if (!chosen.json)
        printf("%d threads, peak %.0f GFLOP/s, medians of %zu, microseconds; ratio: times as fast as oneDNN\n"
               "%-14s %5s %10s %10s %7s %6s %7s %10s\n",
               thaw_context_threads(context), peak * 1e-9, chosen.repetitions, "weight", "rows", "Thaw", "oneDNN",
               "ratio", "spread", "limit", "pack");
    for (size_t i = 0; i < THAW_COUNT(shapes); i++) {
        char name[64];
        snprintf(name, sizeof name, "%lld to %lld", (long long)shapes[i][0], (long long)shapes[i][1]);
        if (!chosen.only || strstr(name, chosen.only))
            compare(context, shapes[i], peak, &chosen);
    }
    thaw_threads_leave(scope);
    thaw_context_destroy(context);
    return 0;
}
