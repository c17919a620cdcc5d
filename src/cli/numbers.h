/* Numbers in options. The whole text must be the number. */
#ifndef THAW_CLI_NUMBERS_H
#define THAW_CLI_NUMBERS_H

#include <stdbool.h>
#include <stdint.h>

bool cli_parse_count(const char *text, uint64_t minimum, uint64_t maximum, uint64_t *value);

/* With an optional suffix K, M or G: 1024, 1024^2, 1024^3. */
bool cli_parse_bytes(const char *text, uint64_t *value);

/* How often something happens: after so many steps, seconds or epochs; the others are 0. */
typedef struct cli_interval {
    uint64_t steps, epochs;
    double seconds;
} cli_interval;

/* A whole number above 0 with its unit: s, m or h for time, step(s) or epoch(s). */
bool cli_parse_interval(const char *text, cli_interval *interval);

/* Finite and not negative. */
bool cli_parse_real(const char *text, double *value);

#endif
