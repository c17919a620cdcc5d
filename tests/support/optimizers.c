#include "support/optimizers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cpu.h"
#include "params/module_source.h"
#include "params/optimizer.h"

static float *allocate_floats(size_t count)
{
    float *floats = calloc(count + 1, sizeof *floats);
    cr_assert_not_null(floats);
    return floats;
}

optimizer_arrays support_arrays_create(const thaw_optimizer *optimizer, size_t count)
{
    optimizer_arrays arrays = { .count = count,
                                .parameter = allocate_floats(count),
                                .gradient = allocate_floats(count) };
    for (size_t s = 0; s < optimizer->module->slot_count; s++)
        if (thaw_module_uses_slot(optimizer->module, optimizer->values, s))
            arrays.slot[s] = allocate_floats(count);
    support_fill(arrays.parameter, count, 1);
    support_fill(arrays.gradient, count, 2);
    return arrays;
}

void support_arrays_destroy(optimizer_arrays *arrays)
{
    free(arrays->parameter);
    free(arrays->gradient);
    for (size_t s = 0; s < THAW_MAX_SLOTS; s++)
        free(arrays->slot[s]);
}

void support_update(const thaw_optimizer *optimizer, const thaw_optimizer_module *module, optimizer_arrays *arrays,
                    uint64_t step, size_t begin, size_t end)
{
    double scalars[THAW_MAX_HYPERPARAMETERS];
    memcpy(scalars, optimizer->values, sizeof scalars);
    if (module->prepare)
        module->prepare(optimizer->values, step, scalars);
    thaw_update update = { .count = end - begin,
                           .parameter = arrays->parameter + begin,
                           .gradient = arrays->gradient + begin,
                           .hyperparameter = optimizer->values,
                           .step = step };
    for (size_t i = 0; i < THAW_MAX_HYPERPARAMETERS; i++)
        update.scalar[i] = (float)scalars[i];
    for (size_t s = 0; s < THAW_MAX_SLOTS; s++)
        if (arrays->slot[s]) {
            update.slot[s] = arrays->slot[s] + begin;
            update.slot_step[s] = step;
            if (step == 1 && module->begin)
                module->begin(&update, s);
        }
    if (module->conclude) {
        double sums[THAW_MAX_SUMS] = { 0 };
        module->sums(&update, sums);
        const thaw_shape shape = { .rank = 2, .dims = { 1, (int64_t)arrays->count } };
        const thaw_conclusion conclusion = {
            .own = sums, .all = sums, .hyperparameter = optimizer->values, .step = step, .shape = &shape
        };
        module->conclude(&conclusion, scalars);
        for (size_t i = 0; i < THAW_MAX_HYPERPARAMETERS; i++)
            update.scalar[i] = (float)scalars[i];
    }
    module->update(&update);
}

/* ---- against PyTorch ---- */

enum { GOLDEN_COUNT = 30, GOLDEN_STEPS = 100 };
static const float scales[] = { 1, 10, 0.1F, 1e-3F, 3, 1e-5F };

static void run_golden_steps(const thaw_optimizer *optimizer, optimizer_arrays *arrays)
{
    for (uint32_t step = 1; step <= GOLDEN_STEPS; step++) {
        support_fill(arrays->gradient, arrays->count, 1000 + step);
        for (size_t i = 0; i < arrays->count; i++)
            arrays->gradient[i] *= scales[i % THAW_COUNT(scales)];
        support_update(optimizer, optimizer->module, arrays, step, 0, arrays->count);
    }
}

static const float *find_array(const thaw_optimizer *optimizer, const optimizer_arrays *arrays, const char *name)
{
    if (strcmp(name, "parameter") == 0)
        return arrays->parameter;
    for (size_t s = 0; s < optimizer->module->slot_count; s++)
        if (strcmp(name, optimizer->module->slots[s]) == 0)
            return arrays->slot[s];
    return NULL;
}

/* The largest of the values whose gradients have the scale of value `index`: what its rounding errors are relative to,
   though it may itself have come near zero. */
static double largest_alike(const double *values, size_t index)
{
    double largest = 0;
    for (size_t i = index % THAW_COUNT(scales); i < GOLDEN_COUNT; i += THAW_COUNT(scales))
        largest = fmax(largest, fabs(values[i]));
    return largest;
}

static void assert_golden(const float *actual, const char *text, const char *description, const char *name)
{
    double expected[GOLDEN_COUNT];
    cr_assert_not_null(actual, "%s: no array %s", description, name);
    for (size_t i = 0; i < GOLDEN_COUNT; i++) {
        char *end = NULL;
        expected[i] = strtod(text, &end);
        cr_assert(end != text, "%s: %s has %zu values", description, name, i);
        text = end;
    }
    for (size_t i = 0; i < GOLDEN_COUNT; i++)
        cr_assert(fabs((double)actual[i] - expected[i]) <= 1e-6 * largest_alike(expected, i),
                  "%s: %s[%zu] is %.9g, expected %.9g", description, name, i, (double)actual[i], expected[i]);
}

typedef struct golden_case {
    thaw_context *context;
    thaw_optimizer *optimizer;
    optimizer_arrays arrays;
    char description[256];
    size_t arrays_seen, arrays_used;
} golden_case;

static void begin_case(golden_case *running, const char *name, const char *settings)
{
    snprintf(running->description, sizeof running->description, "%s:%s", name, *settings == '-' ? "" : settings);
    assert_ok(running->context, thaw_optimizer_create(running->context, running->description, &running->optimizer));
    running->arrays = support_arrays_create(running->optimizer, GOLDEN_COUNT);
    running->arrays_used = 1;
    running->arrays_seen = 0;
    for (size_t s = 0; s < THAW_MAX_SLOTS; s++)
        running->arrays_used += running->arrays.slot[s] != NULL;
    run_golden_steps(running->optimizer, &running->arrays);
}

static void end_case(golden_case *running)
{
    if (!running->optimizer)
        return;
    cr_assert_eq(running->arrays_seen, running->arrays_used, "%s: %zu arrays, PyTorch has %zu", running->description,
                 running->arrays_used, running->arrays_seen);
    support_arrays_destroy(&running->arrays);
    thaw_optimizer_destroy(running->optimizer);
    running->optimizer = NULL;
}

void support_assert_equals_pytorch(const char *name)
{
    char path[1024], line[4096];
    snprintf(path, sizeof path, "%s/tests/golden/%s.txt", getenv("THAW_SOURCE_ROOT"), name);
    FILE *golden = fopen(path, "r");
    cr_assert_not_null(golden, "%s cannot be opened", path);
    golden_case running = { .context = support_context(1) };
    size_t cases = 0;
    while (fgets(line, sizeof line, golden)) {
        char *rest = line + strcspn(line, " ");
        *rest++ = '\0';
        rest[strcspn(rest, "\n")] = '\0';
        if (strcmp(line, "case") == 0) {
            end_case(&running);
            begin_case(&running, name, rest);
            cases++;
        } else {
            assert_golden(find_array(running.optimizer, &running.arrays, line), rest, running.description, line);
            running.arrays_seen++;
        }
    }
    end_case(&running);
    cr_assert_geq(cases, 8, "%s holds %zu cases", path, cases);
    thaw_context_destroy(running.context);
    fclose(golden);
}

/* ---- to the bit ---- */

enum { SPAN_STEPS = 3, GUARD = 16 };

static const thaw_optimizer_module *module_at(thaw_cpu_level level, const char *name)
{
    const thaw_optimizer_module *module;
    for (size_t i = 0; (module = thaw_builtin_module(level, i)); i++)
        if (strcmp(module->name, name) == 0)
            break;
    cr_assert_not_null(module, "level %d lacks %s", (int)level, name);
    return module;
}

/* One element at a time: no compiler makes a vector of that. */
static void update_one_by_one(const thaw_optimizer *optimizer, optimizer_arrays *arrays)
{
    const thaw_optimizer_module *module = module_at(THAW_CPU_BASELINE, optimizer->module->name);
    for (uint64_t step = 1; step <= SPAN_STEPS; step++)
        for (size_t i = 0; i < arrays->count; i++)
            support_update(optimizer, module, arrays, step, i, i + 1);
}

static void assert_same_array(const float *actual, const float *expected, size_t first, size_t count, const char *what)
{
    for (size_t i = 0; i < count; i++)
        cr_assert(memcmp(&actual[first + i], &expected[first + i], sizeof *actual) == 0,
                  "%s, %zu from %zu: element %zu is %.9g, expected %.9g", what, count, first, i,
                  (double)actual[first + i], (double)expected[first + i]);
}

/* Updates [first, first + count) of fresh arrays, cut at `cut`, and compares it with `expected`, and what surrounds it
   with fresh arrays again. */
static void assert_span(const thaw_optimizer *optimizer, const thaw_optimizer_module *module,
                        const optimizer_arrays *expected, size_t first, size_t count, size_t cut)
{
    optimizer_arrays arrays = support_arrays_create(optimizer, expected->count);
    optimizer_arrays fresh = support_arrays_create(optimizer, expected->count);
    for (uint64_t step = 1; step <= SPAN_STEPS; step++) {
        support_update(optimizer, module, &arrays, step, first + cut, first + count);
        support_update(optimizer, module, &arrays, step, first, first + cut);
    }
    assert_same_array(arrays.parameter, expected->parameter, first, count, "parameter");
    assert_same_array(arrays.parameter, fresh.parameter, 0, first, "before the span");
    assert_same_array(arrays.parameter, fresh.parameter, first + count, arrays.count - first - count, "past the span");
    for (size_t s = 0; s < optimizer->module->slot_count; s++) {
        if (!arrays.slot[s])
            continue;
        assert_same_array(arrays.slot[s], expected->slot[s], first, count, optimizer->module->slots[s]);
        assert_same_array(arrays.slot[s], fresh.slot[s], 0, first, "before the span");
        assert_same_array(arrays.slot[s], fresh.slot[s], first + count, arrays.count - first - count, "past the span");
    }
    support_arrays_destroy(&fresh);
    support_arrays_destroy(&arrays);
}

void support_assert_spans_agree(const char *description)
{
    enum { BODY = 128, TAILS = 128, LONGEST = BODY + TAILS };
    thaw_context *context = support_context(1);
    thaw_optimizer *optimizer = NULL;
    assert_ok(context, thaw_optimizer_create(context, description, &optimizer));
    optimizer_arrays expected = support_arrays_create(optimizer, GUARD + LONGEST + GUARD);
    update_one_by_one(optimizer, &expected);
    for (thaw_cpu_level level = THAW_CPU_BASELINE; level <= thaw_cpu_detect(); level++) {
        const thaw_optimizer_module *module = module_at(level, optimizer->module->name);
        for (size_t tail = 0; tail < TAILS; tail++) {
            assert_span(optimizer, module, &expected, 0, BODY + tail, 0);
            assert_span(optimizer, module, &expected, 0, tail, 0);
            assert_span(optimizer, module, &expected, tail % GUARD, BODY + tail, 0);
            assert_span(optimizer, module, &expected, tail % 5, BODY + tail, tail);
            assert_span(optimizer, module, &expected, tail % 3, BODY + tail, BODY * 61 % (tail + 1));
        }
    }
    support_arrays_destroy(&expected);
    thaw_optimizer_destroy(optimizer);
    thaw_context_destroy(context);
}
