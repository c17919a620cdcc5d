#include "data/text/layout.h"

thaw_status thaw_layout_add(thaw_context *context, thaw_layout *layout, thaw_piece piece)
{
    thaw_piece *grown = thaw_grow(context, layout->pieces, &layout->capacity, layout->count + 1, sizeof *grown);
    if (!grown)
        return THAW_OUT_OF_MEMORY;
    layout->pieces = grown;
    grown[layout->count++] = piece;
    layout->specials += piece.kind == THAW_PIECE_SPECIAL;
    return THAW_OK;
}

/* The longer text is cut to what the shorter leaves, but not below half. */
static void cut_longer(size_t most, size_t *first, size_t *second)
{
    size_t *shorter = *first <= *second ? first : second, *longer = shorter == first ? second : first;
    const size_t half = most / 2;
    if (*shorter <= half) {
        *longer = most - *shorter;
    } else {
        *shorter = half;
        *longer = half + most % 2;
    }
}

bool thaw_layout_truncate(thaw_truncation truncation, size_t most, size_t *first, size_t *second)
{
    if (*first + *second <= most)
        return true;
    if (truncation == THAW_TRUNCATE_LONGEST) {
        cut_longer(most, first, second);
        return true;
    }
    size_t *cut = truncation == THAW_TRUNCATE_FIRST ? first : second;
    const size_t excess = *first + *second - most;
    if (*cut <= excess)
        return false;
    *cut -= excess;
    return true;
}

static bool add_types(thaw_context *context, thaw_id_list *types, size_t count, int32_t type)
{
    if (!thaw_id_list_reserve(context, types, count))
        return false;
    for (size_t i = 0; i < count; i++)
        types->items[types->count++] = type;
    return true;
}

bool thaw_layout_write(thaw_context *context, const thaw_layout *layout, bool specials, const thaw_id_list *first,
                       const thaw_id_list *second, thaw_id_list *ids, thaw_id_list *types)
{
    for (size_t i = 0; i < layout->count; i++) {
        const thaw_piece *piece = &layout->pieces[i];
        const thaw_id_list special = { .items = (int32_t *)&piece->id, .count = specials };
        const thaw_id_list *from = piece->kind == THAW_PIECE_SPECIAL ? &special
                                   : piece->kind == THAW_PIECE_FIRST ? first
                                                                     : second;
        if (!thaw_id_list_append(context, ids, from->items, from->count) ||
            !add_types(context, types, from->count, piece->type))
            return false;
    }
    return true;
}
