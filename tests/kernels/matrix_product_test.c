#include "kernels/matrix_product.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/context.h"
#include "core/threads.h"
#include "support/support.h"

typedef struct running {
    thaw_product_team team;
    const thaw_matrix_product *product;
} running;

static void run_member(void *argument, int thread, int threads)
{
    running *r = argument;
    thaw_matrix_product_run(&r->team, thread, threads, r->product);
}

static size_t longest(const thaw_matrix_product *p)
{
    const size_t side = p->rows > p->columns ? p->rows : p->columns;
    return side > p->depth ? side : p->depth;
}

static void run(const thaw_matrix_product *product, thaw_cpu_level level, int threads)
{
    thaw_context *context = support_context(threads);
    running r = { .team = { .level = level }, .product = product };
    r.team.packed = aligned_alloc(64, (thaw_product_room(longest(product)) * sizeof(float) + 63) / 64 * 64);
    const thaw_thread_scope scope = thaw_threads_enter(context);
    thaw_parallel(context, run_member, &r);
    thaw_threads_leave(scope);
    free(r.team.packed);
    thaw_context_destroy(context);
}

static float *filled(size_t count, uint32_t seed)
{
    float *values = malloc(count * sizeof *values);
    support_fill(values, count, seed);
    return values;
}

static double expected(const thaw_matrix_product *p, size_t i, size_t j)
{
    double sum = 0;
    for (size_t k = 0; k < p->depth; k++)
        sum += (double)p->left[p->left_transposed ? k * p->rows + i : i * p->depth + k] *
               (double)p->right[p->right_transposed ? j * p->depth + k : k * p->columns + j];
    sum *= (double)p->factor;
    return p->addend ? sum + (double)p->addend_factor * (double)p->addend[i * p->columns + j] : sum;
}

/* On all levels, and on one to three threads with the same bits. */
static void assert_product(thaw_matrix_product p)
{
    const size_t count = p.rows * p.columns;
    float *results[2] = { malloc(count * sizeof(float)), malloc(count * sizeof(float)) };
    for (thaw_cpu_level level = THAW_CPU_BASELINE; level <= thaw_cpu_detect(); level++)
        for (int threads = 1; threads <= 3; threads++) {
            p.result = results[threads > 1];
            run(&p, level, threads);
            for (size_t i = 0; threads == 1 && i < count; i++)
                cr_assert(fabs((double)p.result[i] - expected(&p, i / p.columns, i % p.columns)) <=
                              1e-6 * (double)(p.depth + 1),
                          "%zu x %zu x %zu, level %d: [%zu, %zu] is %.9g, expected %.9g", p.rows, p.columns, p.depth,
                          (int)level, i / p.columns, i % p.columns, (double)p.result[i],
                          expected(&p, i / p.columns, i % p.columns));
            cr_assert_eq(memcmp(p.result, results[0], count * sizeof(float)), 0, "%zu x %zu x %zu on %d threads",
                         p.rows, p.columns, p.depth, threads);
        }
    free(results[0]);
    free(results[1]);
}

static const size_t sizes[][3] = { { 1, 1, 1 },     { 6, 16, 5 },   { 7, 17, 33 },    { 25, 33, 384 },
                                   { 1, 100, 385 }, { 96, 97, 10 }, { 101, 1, 1000 }, { 193, 130, 65 } };

Test(matrix_product, equals_the_sums_of_its_terms)
{
    for (size_t s = 0; s < THAW_COUNT(sizes); s++)
        for (int flags = 0; flags < 8; flags++) {
            thaw_matrix_product p = {
                .rows = sizes[s][0], .columns = sizes[s][1], .depth = sizes[s][2], .factor = 0.5F
            };
            float *left = filled(p.rows * p.depth, 1), *right = filled(p.depth * p.columns, 2);
            float *addend = filled(p.rows * p.columns, 3);
            p.left = left;
            p.right = right;
            p.left_transposed = flags & 1;
            p.right_transposed = flags & 2;
            p.addend = flags & 4 ? addend : NULL;
            p.addend_factor = -2;
            assert_product(p);
            free(left);
            free(right);
            free(addend);
        }
}

Test(matrix_product, computes_half_of_what_is_symmetric)
{
    static const size_t sides[] = { 1, 5, 16, 97, 200 }, depths[] = { 1, 64, 500 };
    for (size_t s = 0; s < THAW_COUNT(sides); s++)
        for (size_t d = 0; d < THAW_COUNT(depths); d++)
            for (int tall = 0; tall < 2; tall++) {
                float *matrix = filled(sides[s] * depths[d], 4);
                assert_product((thaw_matrix_product){ .rows = sides[s],
                                                      .columns = sides[s],
                                                      .depth = depths[d],
                                                      .left = matrix,
                                                      .right = matrix,
                                                      .left_transposed = tall,
                                                      .right_transposed = !tall,
                                                      .symmetric = true,
                                                      .factor = 1 });
                free(matrix);
            }
}

typedef struct dotting {
    thaw_product_team team;
    size_t count;
    const float *left, *right;
    double results[8];
} dotting;

static void dot_member(void *argument, int thread, int threads)
{
    dotting *d = argument;
    d->results[thread] = thaw_dot_product_run(&d->team, thread, threads, d->count, d->left, d->right);
}

Test(matrix_product, of_vectors_is_the_same_for_all_threads)
{
    enum { COUNT = 10007 };
    float *left = filled(COUNT, 5), *right = filled(COUNT, 6);
    double sum = 0, first = 0;
    for (size_t i = 0; i < COUNT; i++)
        sum += (double)left[i] * (double)right[i];
    for (int threads = 1; threads <= 4; threads++) {
        thaw_context *context = support_context(threads);
        dotting d = { .team = { .level = context->level }, .count = COUNT, .left = left, .right = right };
        const thaw_thread_scope scope = thaw_threads_enter(context);
        thaw_parallel(context, dot_member, &d);
        const int used = context->threads;
        thaw_threads_leave(scope);
        first = threads == 1 ? d.results[0] : first;
        for (int t = 0; t < used; t++)
            cr_assert(d.results[t] == first && fabs(first - sum) < 1e-9 * COUNT, "%d threads: %.17g, expected %.17g",
                      threads, d.results[t], sum);
        thaw_context_destroy(context);
    }
    free(left);
    free(right);
}
