/* JSON lines on standard output. */
#ifndef THAW_CLI_JSON_H
#define THAW_CLI_JSON_H

#include <jansson.h>
#include <stddef.h>

/* A number. JSON has no NaN or infinity: they become null. */
json_t *cli_json_real(double value);

json_t *cli_json_count(size_t value);

/* A text; null for NULL. JSON is UTF-8: of a path that is not, it is what the terminal would show. */
json_t *cli_json_text(const char *text);

/* A shape's dimensions. */
struct thaw_shape;
json_t *cli_json_shape(const struct thaw_shape *shape);

/* Prints the object on one line, and releases it. Returns an exit code. */
int cli_json_print(json_t *object);

#endif
