#include "layers/token_table.h"

thaw_status thaw_token_table_check(thaw_layer_builder *builder)
{
    const thaw_shape *input = thaw_builder_input(builder, 0);
    char text[80];
    return input->rank == 2 ? THAW_OK
                            : thaw_builder_fail(builder, THAW_SHAPE_MISMATCH,
                                                "the input has shape %s, must be a sequence [steps, features]",
                                                thaw_shape_format(input, text, sizeof text));
}

thaw_status thaw_token_table_register(thaw_layer_builder *builder, const char *parameter, int64_t rows, bool leading,
                                      const thaw_position_grid *grid, thaw_initializer initializer)
{
    const int64_t width = thaw_builder_input(builder, 0)->dims[1];
    return thaw_builder_parameter(builder,
                                  &(thaw_parameter_specification){
                                      .name = parameter ? parameter : "weight",
                                      .path = parameter ? "" : NULL,
                                      .role = THAW_WEIGHT,
                                      .shape = leading ? (thaw_shape){ 3, { 1, rows, width } }
                                                       : (thaw_shape){ 2, { rows, width } },
                                      .initializer =
                                          initializer == THAW_INITIAL_DEFAULT ? THAW_INITIAL_TRANSFORMER : initializer,
                                      .fan_in = (double)rows,
                                      .fan_out = (double)width,
                                      .table = true,
                                      .grid = grid ? *grid : (thaw_position_grid){ 0 },
                                  });
}
