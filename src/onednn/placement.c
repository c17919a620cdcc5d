#include "onednn/placement.h"

#include <string.h>

#include "onednn/engine.h"
#include "onednn/own_kernel.h"

/* A layout in blocks: each dimension is cut into blocks, which may be cut again. The innermost blocks are dense. */
typedef struct blocking {
    int rank, block_count;
    const dnnl_dim_t *dims, *padded, *strides, *blocks, *block_dims;
} blocking;

#if DNNL_VERSION_MAJOR >= 3
static bool query(thaw_layout_view layout, dnnl_query_t what, void *answer)
{
    return dnnl_memory_desc_query(layout, what, answer) == dnnl_success;
}

static bool read_blocking(thaw_layout_view layout, blocking *b)
{
    dnnl_format_kind_t kind;
    dnnl_data_type_t type;
    dnnl_dim_t offset;
    return query(layout, dnnl_query_format_kind, &kind) && kind == dnnl_blocked &&
           query(layout, dnnl_query_data_type, &type) && type == dnnl_f32 &&
           query(layout, dnnl_query_submemory_offset_s64, &offset) && offset == 0 &&
           query(layout, dnnl_query_ndims_s32, &b->rank) && query(layout, dnnl_query_dims, &b->dims) &&
           query(layout, dnnl_query_padded_dims, &b->padded) && query(layout, dnnl_query_strides, &b->strides) &&
           query(layout, dnnl_query_inner_nblks_s32, &b->block_count) &&
           query(layout, dnnl_query_inner_blks, &b->blocks) && query(layout, dnnl_query_inner_idxs, &b->block_dims);
}
#else
static bool read_blocking(thaw_layout_view layout, blocking *b)
{
    const dnnl_blocking_desc_t *described = &layout->format_desc.blocking;
    *b = (blocking){ layout->ndims,      described->inner_nblks, layout->dims,         layout->padded_dims,
                     described->strides, described->inner_blks,  described->inner_idxs };
    return layout->format_kind == dnnl_blocked && layout->data_type == dnnl_f32 && layout->offset0 == 0 &&
           layout->extra.flags == 0;
}
#endif

/* What index `at` in one dimension adds to an element's place. */
static size_t place_of(const blocking *b, int dim, size_t at)
{
    size_t place = 0, block_stride = 1;
    for (int i = b->block_count; i-- > 0;) {
        const size_t block = (size_t)b->blocks[i];
        if (b->block_dims[i] == dim) {
            place += at % block * block_stride;
            at /= block;
        }
        block_stride *= block;
    }
    return place + at * (size_t)b->strides[dim];
}

/* The place of element i of the dimensions first .. past. */
static size_t place_among(const blocking *b, int first, int past, size_t i)
{
    size_t place = 0;
    for (int dim = past; dim-- > first;) {
        place += place_of(b, dim, i % (size_t)b->dims[dim]);
        i /= (size_t)b->dims[dim];
    }
    return place;
}

static void fill_places(const blocking *b, int first, int past, size_t count, uint32_t *places)
{
    for (size_t i = 0; i < count; i++)
        places[i] = (uint32_t)place_among(b, first, past, i);
}

/* The number of leading dimensions that make up the rows: one, or two with groups. 0: other rows than these. */
static int count_row_dims(const blocking *b, size_t outputs)
{
    if ((size_t)b->dims[0] == outputs)
        return 1;
    return b->rank > 1 && (size_t)(b->dims[0] * b->dims[1]) == outputs ? 2 : 0;
}

static size_t multiply(const dnnl_dim_t *dims, int first, int past)
{
    size_t product = 1;
    for (int i = first; i < past; i++)
        product *= (size_t)dims[i];
    return product;
}

/* Elements per row of a weight with `outputs` rows; 0: it is laid out in another way. */
static size_t read_row(thaw_layout_view layout, size_t outputs, blocking *b)
{
    if (!layout || !read_blocking(layout, b))
        return 0;
    const int row_dims = count_row_dims(b, outputs);
    return row_dims > 0 && multiply(b->padded, 0, b->rank) <= UINT32_MAX ? multiply(b->dims, row_dims, b->rank) : 0;
}

/* Makes a placement with empty tables, for a copy of `places` floats. */
static thaw_placement *create_tables(thaw_context *context, size_t outputs, size_t row, size_t places)
{
    thaw_placement *made = thaw_allocate(context, sizeof *made);
    uint32_t *table = made ? thaw_allocate_array(context, outputs + row, sizeof *table) : NULL;
    if (!table) {
        thaw_release(context, made);
        return NULL;
    }
    *made = (thaw_placement){ outputs, row, table, table + outputs, places * sizeof(float), places > outputs * row };
    return made;
}

static thaw_status place_own(thaw_context *context, const thaw_own_kernel *own, const void *problem, size_t outputs,
                             thaw_placement **placement)
{
    const size_t places = own->bytes[THAW_ARGUMENT_WEIGHTS] / sizeof(float);
    if (!own->place || places > UINT32_MAX)
        return THAW_OK;
    *placement = create_tables(context, outputs, own->row, places);
    if (!*placement)
        return THAW_OUT_OF_MEMORY;
    own->place(problem, (*placement)->row_at, (*placement)->element_at);
    return THAW_OK;
}

thaw_status thaw_placement_create(thaw_context *context, const thaw_kernel *kernel, size_t outputs,
                                  thaw_placement **placement)
{
    blocking b = { 0 };
    *placement = NULL;
    const void *problem;
    const thaw_own_kernel *own = thaw_kernel_own(kernel, &problem);
    if (own)
        return place_own(context, own, problem, outputs, placement);
    const size_t row = read_row(thaw_kernel_layout(kernel, THAW_ARGUMENT_WEIGHTS), outputs, &b);
    if (row == 0)
        return THAW_OK;
    const int row_dims = count_row_dims(&b, outputs);
    *placement = create_tables(context, outputs, row, multiply(b.padded, 0, b.rank));
    if (!*placement)
        return THAW_OUT_OF_MEMORY;
    fill_places(&b, 0, row_dims, outputs, (*placement)->row_at);
    fill_places(&b, row_dims, b.rank, row, (*placement)->element_at);
    return THAW_OK;
}

bool thaw_placement_equal(const thaw_placement *placement, const thaw_placement *other)
{
    if (!placement || !other)
        return placement == other;
    return placement->outputs == other->outputs && placement->row == other->row && placement->bytes == other->bytes &&
           memcmp(placement->row_at, other->row_at, placement->outputs * sizeof(uint32_t)) == 0 &&
           memcmp(placement->element_at, other->element_at, placement->row * sizeof(uint32_t)) == 0;
}

void thaw_placement_release(thaw_context *context, thaw_placement *placement)
{
    if (placement)
        thaw_release(context, placement->row_at);
    thaw_release(context, placement);
}

/* ---- packing ---- */

typedef struct packing {
    thaw_layout_view layout; /* of the kernel that reads the copy, and lives as long as this one */
    size_t outputs, row;
} packing;

typedef struct job {
    const blocking *blocking;
    int row_dims;
    size_t row;
    const uint32_t *element_at;
    const float *weight;
    float *copy;
} job;

static void pack_rows(void *argument, size_t begin, size_t end)
{
    const job *j = argument;
    for (size_t o = begin; o < end; o++) {
        const float *from = j->weight + o * j->row;
        float *into = j->copy + place_among(j->blocking, 0, j->row_dims, o);
        for (size_t k = 0; k < j->row; k++)
            into[j->element_at[k]] = from[k];
    }
}

static void run_packing(thaw_context *context, const void *problem, void *const *arguments, void *scratch)
{
    const packing *p = problem;
    blocking b = { 0 };
    read_blocking(p->layout, &b);
    const size_t places = multiply(b.padded, 0, b.rank);
    job j = {
        .blocking = &b,
        .row_dims = count_row_dims(&b, p->outputs),
        .row = p->row,
        .element_at = scratch,
        .weight = arguments[THAW_ARGUMENT_SOURCE],
        .copy = arguments[THAW_ARGUMENT_DESTINATION],
    };
    fill_places(&b, j.row_dims, b.rank, p->row, scratch);
    if (places > p->outputs * p->row)
        memset(j.copy, 0, places * sizeof(float));
    thaw_parallel_for(context, p->outputs, 16, pack_rows, &j);
}

thaw_status thaw_placement_pack(thaw_context *context, const thaw_kernel *kernel, size_t outputs, thaw_kernel **pack)
{
    blocking b = { 0 };
    *pack = NULL;
    const thaw_layout_view layout = thaw_kernel_layout(kernel, THAW_ARGUMENT_WEIGHTS);
    const packing p = { layout, outputs, read_row(layout, outputs, &b) };
    if (p.row == 0)
        return THAW_OK;
    const thaw_own_kernel own = {
        .name = "by places",
        .bytes = { [THAW_ARGUMENT_SOURCE] = outputs * p.row * sizeof(float),
                   [THAW_ARGUMENT_DESTINATION] = multiply(b.padded, 0, b.rank) * sizeof(float) },
        .scratch_bytes = thaw_align(p.row * sizeof(uint32_t)),
        .run = run_packing,
    };
    return thaw_kernel_create_own(context, &own, &p, sizeof p, pack);
}
