/* Shared by the layers whose parameter has a row for each of some tokens: prepended tokens, and positions. */
#ifndef THAW_LAYERS_TOKEN_TABLE_H
#define THAW_LAYERS_TOKEN_TABLE_H

#include <thaw/layer_module.h>

/* For `build`: checks that the input is a sequence [T, width]. */
thaw_status thaw_token_table_check(thaw_layer_builder *builder);

/* For `build`: registers the parameter, [rows, width] or, with `leading`, [1, rows, width]. `parameter` is its full
   name; NULL: "<layer>.weight". `grid` may be NULL. */
thaw_status thaw_token_table_register(thaw_layer_builder *builder, const char *parameter, int64_t rows, bool leading,
                                      const thaw_position_grid *grid, thaw_initializer initializer);

#endif
