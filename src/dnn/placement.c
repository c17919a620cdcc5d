#include "dnn/placement.h"

#include "core/allocation.h"
#include "dnn/engine.h"

/* A layout in blocks: each dimension is cut into blocks, which may be cut again; the innermost are dense. */
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

/* What the index `at` in one dimension adds to an element's place. */
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

/* Fills places[0 .. product of the dimensions first .. past). */
static void fill_places(const blocking *b, int first, int past, size_t count, uint32_t *places)
{
    for (size_t i = 0; i < count; i++) {
        size_t left = i, place = 0;
        for (int dim = past; dim-- > first;) {
            place += place_of(b, dim, left % (size_t)b->dims[dim]);
            left /= (size_t)b->dims[dim];
        }
        places[i] = (uint32_t)place;
    }
}

/* How many of the first dimensions make up the rows: one, or with groups two. 0: others than these. */
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

thaw_status thaw_placement_create(thaw_context *context, const thaw_kernel *kernel, size_t outputs,
                                  thaw_placement **placement)
{
    blocking b = { 0 };
    *placement = NULL;
    const thaw_layout_view layout = thaw_kernel_layout(kernel, THAW_ARGUMENT_WEIGHTS);
    if (!layout || !read_blocking(layout, &b))
        return THAW_OK;
    const int row_dims = count_row_dims(&b, outputs);
    const size_t places = multiply(b.padded, 0, b.rank);
    if (row_dims == 0 || places > UINT32_MAX)
        return THAW_OK;
    const size_t row = multiply(b.dims, row_dims, b.rank);
    thaw_placement *made = thaw_allocate(context, sizeof *made);
    uint32_t *table = made ? thaw_allocate_array(context, outputs + row, sizeof *table) : NULL;
    if (!table) {
        thaw_release(context, made);
        return THAW_OUT_OF_MEMORY;
    }
    *made = (thaw_placement){ outputs, row, table, table + outputs, places * sizeof(float), places > outputs * row };
    fill_places(&b, 0, row_dims, outputs, made->row_at);
    fill_places(&b, row_dims, b.rank, row, made->element_at);
    *placement = made;
    return THAW_OK;
}

void thaw_placement_release(thaw_context *context, thaw_placement *placement)
{
    if (placement)
        thaw_release(context, placement->row_at);
    thaw_release(context, placement);
}
