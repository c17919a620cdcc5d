#include "support/matrices.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "params/suits.h"
#include "params/view.h"

thaw_parameter_set matrices_create(thaw_context *context, const thaw_shape *shapes, size_t count)
{
    thaw_parameter_set set = { .context = context };
    for (size_t i = 0; i < count; i++) {
        char name[32];
        thaw_group *group;
        snprintf(name, sizeof name, "group%zu", i);
        assert_ok(context, thaw_set_add_group(&set, name, &group));
        assert_ok(context,
                  thaw_set_add_parameter(&set,
                                         &(thaw_parameter_specification){
                                             .name = "weight", .shape = shapes[i], .initializer = THAW_INITIAL_ZERO },
                                         (uint32_t)i));
        support_fill(set.parameters[i]->data, set.parameters[i]->count, 100 + (uint32_t)i);
    }
    return set;
}

/* ---- golden values ---- */

static const thaw_shape shapes[] = {
    { 2, { 8, 8 } }, { 2, { 5, 12 } }, { 2, { 12, 5 } }, { 4, { 6, 3, 2, 2 } },
    { 2, { 1, 7 } }, { 2, { 7, 1 } },  { 1, { 16 } },    { 2, { 40, 33 } },
};
enum { COUNT = THAW_COUNT(shapes), STEPS = 20, MOST_LINE = 4096, MOST_VALUES = 64 };

static bool trains(size_t index, uint32_t step)
{
    return !(index % 3 == 0 && step < 4) && !(index % 2 == 1 && 6 <= step && step < 10);
}

/* Turns noise into `separated` of preconditioners.py: reflections of 1, sqrt(2), sqrt(3) ..., and an eighth of it. */
static void separate(const thaw_parameter *parameter)
{
    const size_t rows = thaw_parameter_rows(parameter), columns = thaw_parameter_columns(parameter);
    const size_t roots = rows < columns ? rows : columns;
    double sum = 0;
    for (size_t k = 0; k < roots; k++)
        sum += sqrt((double)(k + 1));
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++) {
            const double along = j < roots ? sqrt((double)(j + 1)) : 0, across = i < roots ? sqrt((double)(i + 1)) : 0;
            const double reflected = (i == j ? across : 0) - 2 / (double)rows * along - 2 / (double)columns * across +
                                     4 / (double)(rows * columns) * sum;
            float *gradient = &parameter->gradient[i * columns + j];
            *gradient = (float)(0.125 * (double)*gradient + reflected);
        }
}

static void train(const thaw_parameter_set *set, bool separated)
{
    for (uint32_t step = 1; step <= STEPS; step++) {
        thaw_parameter *some[COUNT];
        thaw_update_list *list;
        size_t count = 0;
        for (size_t i = 0; i < COUNT; i++)
            if (trains(i, step))
                some[count++] = set->parameters[i];
        assert_ok(set->context, thaw_update_list_create(set->context, some, count, 0, &list));
        parameters_fill_gradients(set, 1000 * step);
        for (size_t i = 0; separated && i < count; i++)
            separate(some[i]);
        assert_ok(set->context, thaw_update_list_run(list, 1 - step / 40.0, 1));
        thaw_update_list_release(list);
    }
}

static void assert_values(const float *actual, const char *text, double tolerance, const char *what)
{
    double expected[MOST_VALUES], largest = 0;
    size_t count = 0;
    char *end;
    for (; *text && *text != '\n'; text = end, count++) {
        expected[count] = strtod(text, &end);
        largest = fmax(largest, fabs(expected[count]));
        cr_assert(end != text && count < MOST_VALUES, "%s: \"%s\"", what, text);
    }
    cr_assert_gt(count, 0, "%s: no values", what);
    for (size_t i = 0; i < count; i++)
        cr_assert(fabs((double)actual[i] - expected[i]) <= tolerance * largest, "%s[%zu] is %.9g, expected %.9g", what,
                  i, (double)actual[i], expected[i]);
}

static void assert_line(thaw_parameter_set *set, const char *description, char *line, double tolerance)
{
    char what[512], *rest;
    const size_t index = strtoul(line, &rest, 10);
    cr_assert(index < COUNT && *rest == ' ', "\"%s\"", line);
    char *name = rest + 1, *values = name + strcspn(name, " ");
    *values++ = '\0';
    const thaw_parameter *parameter = set->parameters[index];
    const bool view = strcmp(name, "view") == 0;
    const float *actual =
        view || strcmp(name, "parameter") == 0 ? parameter->data : thaw_parameter_state(parameter, name);
    const float trained = *parameter->data;
    snprintf(what, sizeof what, "%s: parameter %zu: %s", description, index, name);
    cr_assert_not_null(actual, "%s is missing", what);
    if (view)
        assert_ok(set->context, thaw_set_use_view(set, true));
    assert_values(actual, values, tolerance, what);
    assert_ok(set->context, thaw_set_use_view(set, false));
    cr_assert(memcmp(&trained, parameter->data, sizeof trained) == 0, "%s: the weights are not put back", what);
}

static void assert_golden(const char *name, double tolerance, bool separated)
{
    char path[1024], line[MOST_LINE], description[256] = "";
    snprintf(path, sizeof path, "%s/tests/golden/%s.txt", getenv("THAW_SOURCE_ROOT"), name);
    FILE *golden = fopen(path, "r");
    cr_assert_not_null(golden, "%s cannot be opened", path);
    thaw_context *context = support_context(2);
    thaw_parameter_set set = { .context = context };
    size_t cases = 0;
    while (fgets(line, sizeof line, golden)) {
        if (strncmp(line, "case ", 5) != 0) {
            assert_line(&set, description, line, tolerance);
            continue;
        }
        line[strcspn(line, "\n")] = '\0';
        snprintf(description, sizeof description, "%.20s:%.200s", name, line[5] == '-' ? "" : line + 5);
        thaw_set_release(&set);
        set = matrices_create(context, shapes, COUNT);
        parameters_optimize(&set, 0, COUNT, description);
        train(&set, separated);
        cases++;
    }
    cr_assert_geq(cases, 3, "%s holds %zu cases", path, cases);
    thaw_set_release(&set);
    thaw_context_destroy(context);
    fclose(golden);
}

void matrices_assert_golden(const char *name, double tolerance)
{
    assert_golden(name, tolerance, false);
}

void matrices_assert_separated_golden(const char *name, double tolerance)
{
    assert_golden(name, tolerance, true);
}

/* ---- threads ---- */

void matrices_assert_threads_agree(const char *description)
{
    static const thaw_shape sizes[] = {
        { 2, { 130, 401 } }, { 2, { 401, 130 } }, { 1, { 1000 } }, { 4, { 7, 5, 3, 3 } }
    };
    enum { SIZES = THAW_COUNT(sizes), MOST_THREADS = 3, SOME = 3 };
    thaw_parameter_set first = { 0 };
    thaw_context *contexts[MOST_THREADS];
    for (int t = 0; t < MOST_THREADS; t++) {
        contexts[t] = support_context(t + 1);
        thaw_parameter_set set = matrices_create(contexts[t], sizes, SIZES);
        parameters_optimize(&set, 0, SIZES, description);
        thaw_update_list *list = parameters_list(&set, 0, SIZES);
        for (uint32_t step = 1; step <= SOME; step++) {
            parameters_fill_gradients(&set, 1000 * step);
            assert_ok(contexts[t], thaw_update_list_run(list, 1, 0.25));
        }
        thaw_update_list_release(list);
        for (size_t i = 0; t > 0 && i < SIZES; i++)
            cr_assert_eq(memcmp(set.parameters[i]->data, first.parameters[i]->data, set.parameters[i]->count * 4), 0,
                         "%s, %d threads: parameter %zu", description, t + 1, i);
        if (t == 0)
            first = set;
        else
            thaw_set_release(&set);
    }
    thaw_set_release(&first);
    for (int t = 0; t < MOST_THREADS; t++)
        thaw_context_destroy(contexts[t]);
}
