#include "support/update_figures.h"

#include <stdio.h>

#include "support/measurement.h"

double bench_step_bytes(const bench_figures *found)
{
    return (double)found->parameters * (3 * sizeof(float) + 2 * found->state);
}

double bench_probe_bytes(const bench_figures *found)
{
    return (double)found->parameters * (double)(1 + 2 * found->written) * sizeof(float);
}

void bench_print_heading(const bench_workload *work, int threads, int repetitions)
{
    printf("\n%s: %.0f M parameters in %zu tensors, %d thread%s, median of %d\n", work->name,
           (double)work->parameters / 1e6, work->tensors, threads, threads == 1 ? "" : "s", repetitions);
    printf("%-32s %5s %9s %7s %7s %9s %9s %8s %8s %7s %6s %7s\n", "optimizer", "r:w", "ms", "spread", "GB/s",
           "probe ms", "of probe", "regions", "half ms", "ratio", "state", "of f32");
}

void bench_print_row(const bench_figures *found)
{
    printf("%-32s %3zu:%zu %9.3f %6.1f%% %7.1f %9.3f %8.1f%% %8zu %8.3f %7.2f %6.2f", found->description,
           found->written + 1, found->written, found->median * 1e3, found->spread * 100,
           bench_step_bytes(found) / found->median * 1e-9, found->probe * 1e3, found->share * 100, found->regions,
           found->half * 1e3, found->half / found->median, found->state);
    if (found->of_floats > 0)
        printf(" %7.2f", found->of_floats);
    putchar('\n');
}

void bench_print_figures(const bench_figures *found, int repetitions)
{
    char setting[96];
    snprintf(setting, sizeof setting, "%s: %zu parameters in %zu tensors", found->work->name, found->work->parameters,
             found->work->tensors);
    const bench_measurement measurement = {
        .benchmark = "optimizers",
        .title = "Optimizers against memory",
        .setting = setting,
        .what = found->description,
        .size = (double)found->work->parameters,
        .size_unit = "parameters",
        .threads = found->threads,
        .seconds = found->median,
        .low = found->low,
        .high = found->high,
        .repetitions = (size_t)repetitions,
        .limit_seconds = found->share * found->median,
        .limit = "a loop that reads and writes the same amount of memory",
    };
    json_t *object = bench_measurement_json(&measurement);
    json_object_set_new(object, "reads", json_integer((json_int_t)found->written + 1));
    json_object_set_new(object, "writes", json_integer((json_int_t)found->written));
    json_object_set_new(object, "gigabytes_per_second", json_real(bench_step_bytes(found) / found->median * 1e-9));
    json_object_set_new(object, "parallel_regions", json_integer((json_int_t)found->regions));
    json_object_set_new(object, "half_frozen_seconds", json_real(found->half));
    json_object_set_new(object, "state_bytes_per_parameter", json_real(found->state));
    if (found->of_floats > 0)
        json_object_set_new(object, "of_time_with_floats", json_real(found->of_floats));
    bench_print_json(object);
}
