#include "cli/json.h"

#include <math.h>
#include <stdio.h>
#include <thaw/tensor.h>

#include "cli/failure.h"
#include "cli/shown.h"

json_t *cli_json_real(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *cli_json_count(size_t value)
{
    return json_integer((json_int_t)value);
}

json_t *cli_json_text(const char *text)
{
    json_t *string = text ? json_string(text) : json_null();
    return string ? string : json_string(cli_show(text).text);
}

json_t *cli_json_shape(const struct thaw_shape *shape)
{
    json_t *dims = json_array();
    for (int i = 0; i < shape->rank; i++)
        json_array_append_new(dims, json_integer(shape->dims[i]));
    return dims;
}

int cli_json_print(json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(9));
    json_decref(object);
    if (!text)
        return cli_fail("standard output", "out of memory");
    puts(text);
    fflush(stdout);
    free(text);
    return CLI_DONE;
}
