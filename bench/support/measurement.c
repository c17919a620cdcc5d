#include "support/measurement.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <thaw/base.h>

#include "compare/machine.h"
#include "support/timing.h"

void bench_measurement_take(bench_measurement *measurement, double *seconds, size_t count)
{
    measurement->seconds = bench_quantile(seconds, count, 0.5);
    measurement->low = bench_quantile(seconds, count, 0.25);
    measurement->high = bench_quantile(seconds, count, 0.75);
    measurement->repetitions = count;
}

static json_t *known(double value)
{
    return value > 0 && isfinite(value) ? json_real(value) : json_null();
}

static json_t *text(const char *value)
{
    return value ? json_string(value) : json_null();
}

json_t *bench_measurement_json(const bench_measurement *measurement)
{
    char processor[THAW_PROCESSOR_BYTES];
    thaw_machine_processor(processor);
    json_t *object = json_object();
    json_object_set_new(object, "schema", json_string("thaw-measurement-1"));
    json_object_set_new(object, "benchmark", text(measurement->benchmark));
    json_object_set_new(object, "title", text(measurement->title));
    json_object_set_new(object, "setting", text(measurement->setting));
    json_object_set_new(object, "what", text(measurement->what));
    json_object_set_new(object, "size", known(measurement->size));
    json_object_set_new(object, "size_unit", text(measurement->size_unit));
    json_object_set_new(object, "threads", json_integer(measurement->threads));
    json_object_set_new(object, "seconds", json_real(measurement->seconds));
    json_object_set_new(object, "low", json_real(measurement->low));
    json_object_set_new(object, "high", json_real(measurement->high));
    json_object_set_new(object, "repetitions", json_integer((json_int_t)measurement->repetitions));
    json_object_set_new(object, "limit_seconds", known(measurement->limit_seconds));
    json_object_set_new(object, "limit", text(measurement->limit));
    json_object_set_new(object, "bytes", known(measurement->bytes));
    json_object_set_new(object, "processor", json_string(processor));
    json_object_set_new(object, "version", json_string(thaw_version()));
    return object;
}

void bench_print_json(json_t *object)
{
    char *line = json_dumps(object, JSON_COMPACT);
    puts(line ? line : "{}");
    fflush(stdout);
    free(line);
    json_decref(object);
}
