/* How the tokens of one or two texts stand between special tokens. */
#ifndef THAW_DATA_TEXT_LAYOUT_H
#define THAW_DATA_TEXT_LAYOUT_H

#include <thaw/tokenizer.h>

#include "data/text/list.h"

typedef enum thaw_piece_kind { THAW_PIECE_SPECIAL, THAW_PIECE_FIRST, THAW_PIECE_SECOND } thaw_piece_kind;

typedef struct thaw_piece {
    thaw_piece_kind kind;
    int32_t id;   /* of a special token */
    int32_t type; /* of its tokens */
} thaw_piece;

/* Starts as zero. */
typedef struct thaw_layout {
    thaw_piece *pieces;
    size_t count, capacity;
    size_t specials; /* pieces that are special tokens */
} thaw_layout;

/* Appends a piece. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_layout_add(thaw_context *context, thaw_layout *layout, thaw_piece piece);

/* Cuts the ends of texts of `first` and `second` tokens, so that both have `most` together. Returns false if the text
   to cut has too few tokens. */
bool thaw_layout_truncate(thaw_truncation truncation, size_t most, size_t *first, size_t *second);

/* Appends the tokens of both texts, with special tokens or without, and their types. Returns false if there is no
   memory. */
bool thaw_layout_write(thaw_context *context, const thaw_layout *layout, bool specials, const thaw_id_list *first,
                       const thaw_id_list *second, thaw_id_list *ids, thaw_id_list *types);

#endif
