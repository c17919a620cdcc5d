/* Layers of every kind that keep their input's shape, for networks that take them in turn. */
#ifndef THAW_TESTS_SUPPORT_ASSORTED_PIECES_H
#define THAW_TESTS_SUPPORT_ASSORTED_PIECES_H

#include <thaw/thaw.h>

/* A layer whose output has its input's shape, as has `other`, a node before it. */
typedef thaw_status assorted_piece(thaw_model *model, thaw_node x, thaw_node other, thaw_node *y);

typedef struct assorted_pieces {
    assorted_piece *const *list;
    size_t count;
} assorted_pieces;

/* For images [height, width, channels] of at most 64 channels, sequences [steps, features] and rows [features]. */
extern const assorted_pieces assorted_image_pieces, assorted_sequence_pieces, assorted_row_pieces;

#endif
