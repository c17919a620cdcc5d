#include "kernels/matrix_product.h"

#include "core/threads.h"
#include "kernels/matrix_tiles.h"

/* Rows and columns of a task: whole strips at all levels. */
enum { TASK = 96 };

static size_t round_up(size_t count, size_t step)
{
    return (count + step - 1) / step * step;
}

size_t thaw_product_room(size_t longest)
{
    return 2 * THAW_PRODUCT_DEPTH * round_up(longest, TASK);
}

/* One member of the team, at one block of the depth. */
typedef struct member {
    thaw_product_team *team;
    const thaw_matrix_loops_table *loops;
    const thaw_matrix_product *product;
    size_t thread, threads, first, depth;
    float *left, *right;
} member;

/* Strips are dealt to the threads in turn. */
static void pack_right(const member *m)
{
    const thaw_matrix_product *p = m->product;
    const size_t width = m->loops->strip_columns;
    const size_t line = p->right_transposed ? p->depth : 1, term = p->right_transposed ? 1 : p->columns;
    for (size_t at = m->thread * width; at < p->columns; at += m->threads * width) {
        const size_t count = p->columns - at < width ? p->columns - at : width;
        m->loops->pack(p->right + at * line + m->first * term, line, term, count, width, m->depth,
                       m->right + at * m->depth);
    }
}

static void pack_left(const member *m)
{
    const thaw_matrix_product *p = m->product;
    const size_t width = m->loops->strip_rows;
    for (size_t at = m->thread * width; p->left_transposed && at < p->rows; at += m->threads * width) {
        const size_t count = p->rows - at < width ? p->rows - at : width;
        m->loops->pack(p->left + at + m->first * p->rows, 1, p->rows, count, width, m->depth, m->left + at * m->depth);
    }
}

static void run_tasks(const member *m)
{
    const thaw_matrix_product *p = m->product;
    const size_t across = (p->columns + TASK - 1) / TASK, tasks = (p->rows + TASK - 1) / TASK * across;
    for (;;) {
        const size_t task = atomic_fetch_add_explicit(&m->team->next, 1, memory_order_relaxed);
        if (task >= tasks)
            return;
        const size_t row = task / across * TASK, column = task % across * TASK;
        if (p->symmetric && column > row)
            continue;
        m->loops->multiply(&(thaw_matrix_tile){
            .product = p,
            .row = row,
            .rows = p->rows - row < TASK ? p->rows - row : TASK,
            .column = column,
            .columns = p->columns - column < TASK ? p->columns - column : TASK,
            .first = m->first,
            .depth = m->depth,
            .left = m->left,
            .right = m->right,
        });
    }
}

static void mirror(const member *m)
{
    const size_t side = m->product->rows, blocks = (side + TASK - 1) / TASK;
    for (size_t block = m->thread; block < blocks; block += m->threads) {
        const size_t first = block * TASK;
        m->loops->mirror(m->product->result, side, first, side - first < TASK ? side : first + TASK);
    }
}

void thaw_matrix_product_run(thaw_product_team *team, int thread, int threads, const thaw_matrix_product *product)
{
    member m = {
        .team = team,
        .loops = THAW_FOR_LEVEL(team->level, &thaw_matrix_loops),
        .product = product,
        .thread = (size_t)thread,
        .threads = (size_t)threads,
        .left = team->packed,
        .right = team->packed + THAW_PRODUCT_DEPTH * round_up(product->rows, TASK),
    };
    const size_t blocks = (product->depth + THAW_PRODUCT_DEPTH - 1) / THAW_PRODUCT_DEPTH;
    for (size_t block = 0; block < blocks; block++) {
        m.first = product->depth * block / blocks;
        m.depth = product->depth * (block + 1) / blocks - m.first;
        thaw_barrier(threads);
        if (thread == 0)
            atomic_store_explicit(&team->next, 0, memory_order_relaxed);
        pack_right(&m);
        pack_left(&m);
        thaw_barrier(threads);
        run_tasks(&m);
    }
    thaw_barrier(threads);
    if (!product->symmetric)
        return;
    mirror(&m);
    thaw_barrier(threads);
}

double thaw_dot_product_run(thaw_product_team *team, int thread, int threads, size_t count, const float *left,
                            const float *right)
{
    const thaw_matrix_loops_table *loops = THAW_FOR_LEVEL(team->level, &thaw_matrix_loops);
    double sum = 0;
    thaw_barrier(threads);
    for (size_t block = (size_t)thread; block < THAW_DOT_BLOCKS; block += (size_t)threads) {
        const size_t first = count * block / THAW_DOT_BLOCKS, past = count * (block + 1) / THAW_DOT_BLOCKS;
        team->sums[block] = loops->dot(past - first, left + first, right + first);
    }
    thaw_barrier(threads);
    for (size_t block = 0; block < THAW_DOT_BLOCKS; block++)
        sum += team->sums[block];
    thaw_barrier(threads);
    return sum;
}
