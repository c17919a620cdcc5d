#include <stdio.h>
#include <stdlib.h>

#include "support/files.h"
#include "support/golden.h"
#include "support/support.h"

enum { WIDTH = 3 };

static thaw_model *model_of(thaw_context *context, int64_t height, int64_t width, bool leading)
{
    thaw_model *model;
    thaw_node node;
    const int64_t rows = 1 + height * width;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 2, { rows, WIDTH } }, &node));
    const thaw_positions_options options = { .parameter = "pos_embed",
                                             .leading = leading,
                                             .grid = { 1, height, width } };
    assert_ok(context, thaw_positions(model, node, &options, &node));
    return model;
}

/* Writes the weights of a model of `side` * `side` positions, filled as the script fills them. */
static void write_file(thaw_context *context, const char *path, int64_t side, bool leading)
{
    thaw_model *model = model_of(context, side, side, leading);
    thaw_parameter *table = thaw_model_find_parameter(model, "pos_embed");
    support_fill(thaw_parameter_edit(table), thaw_shape_count(thaw_parameter_shape(table)), 100);
    assert_ok(context, thaw_weights_save(model, path));
    thaw_model_destroy(model);
}

Test(position_grid, is_resampled_as_timm_does)
{
    static const int64_t cases[][3] = { { 4, 7, 7 }, { 7, 4, 4 }, { 3, 3, 5 },   { 9, 2, 4 },
                                        { 5, 1, 1 }, { 1, 3, 3 }, { 14, 16, 16 } };
    char folder[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES], title[64];
    support_make_directory(folder);
    support_path(path, folder, "positions.safetensors");
    FILE *file = golden_open("position_grid.txt");
    thaw_context *context = support_context(2);
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        const bool leading = i % 2 == 0;
        float expected[WIDTH * 257];
        write_file(context, path, cases[i][0], leading);
        thaw_model *model = model_of(context, cases[i][1], cases[i][2], leading);
        const thaw_parameter *table = thaw_model_find_parameter(model, "pos_embed");
        const size_t count = thaw_shape_count(thaw_parameter_shape(table));
        thaw_load_result result;
        assert_ok(context, thaw_weights_load(model, path, NULL, &result));
        cr_assert(result.loaded == 1 && result.misshaped == 0);
        thaw_load_result_destroy(context, &result);
        snprintf(title, sizeof title, "%d to %d x %d", (int)cases[i][0], (int)cases[i][1], (int)cases[i][2]);
        golden_case(file, title);
        golden_read(file, "values", expected, count);
        assert_close(thaw_parameter_data(table), expected, count, 1e-6, title);
        thaw_model_destroy(model);
    }
    fclose(file);
    support_remove_tree(folder);
    thaw_context_destroy(context);
}

/* A table of rows that are no square grid, of another width or of other dimensions has another shape as ever. */
Test(position_grid, is_needed_on_both_sides)
{
    char folder[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES];
    support_make_directory(folder);
    support_path(path, folder, "positions.safetensors");
    thaw_context *context = support_context(1);
    static const struct {
        int64_t rows, width;
        bool leading;
    } stored[] = { { 6, WIDTH, true }, { 1, WIDTH, true }, { 10, WIDTH + 1, true }, { 10, WIDTH, false } };
    for (size_t i = 0; i < THAW_COUNT(stored); i++) {
        thaw_model *model;
        thaw_node node;
        assert_ok(context, thaw_model_create(context, &model));
        assert_ok(context, thaw_input(model, &(thaw_shape){ 2, { 1, stored[i].width } }, &node));
        const thaw_positions_options options = { .parameter = "pos_embed",
                                                 .rows = stored[i].rows,
                                                 .leading = stored[i].leading };
        assert_ok(context, thaw_positions(model, node, &options, &node));
        assert_ok(context, thaw_weights_save(model, path));
        thaw_model_destroy(model);
        model = model_of(context, 2, 2, true);
        assert_fails(context, thaw_weights_load(model, path, NULL, NULL), THAW_SHAPE_MISMATCH, "must have [1, 5, 3]");
        thaw_model_destroy(model);
    }
    support_remove_tree(folder);
    thaw_context_destroy(context);
}

Test(position_grid, must_have_the_rows_of_the_table)
{
    static const thaw_position_grid wrong[] = {
        { 1, 2, 2 }, { 0, 2, 3 }, { -1, 5, 1 }, { 4, 0, 0 }, { 0, -2, -2 }, { 1, INT64_MAX, 2 }, { INT64_MAX, 1, 1 },
    };
    thaw_context *context = support_context(1);
    thaw_model *model;
    thaw_node node;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 2, { 4, WIDTH } }, &node));
    for (size_t i = 0; i < THAW_COUNT(wrong); i++)
        assert_fails(context, thaw_positions(model, 0, &(thaw_positions_options){ .grid = wrong[i] }, &node),
                     THAW_INVALID_ARGUMENT, "must be the 4 rows");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
