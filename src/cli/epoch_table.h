/* The output of training: table lines, or JSON. */
#ifndef THAW_CLI_EPOCH_TABLE_H
#define THAW_CLI_EPOCH_TABLE_H

#include <jansson.h>
#include <thaw/train.h>

/* Writes "12.3 MB", in a unit that keeps the number below 1000; returns `text`. */
enum { CLI_SIZE_BYTES = 16 };
char *cli_format_bytes(char text[CLI_SIZE_BYTES], size_t bytes);

/* Writes "97.31 %", or "-" for NaN; returns `text`. */
enum { CLI_SHARE_BYTES = 16 };
char *cli_format_share(char text[CLI_SHARE_BYTES], double share);

/* Writes "0.1234", or "5.281e+29" for a large loss: at most ten characters; returns `text`. */
enum { CLI_LOSS_BYTES = 32 };
char *cli_format_loss(char text[CLI_LOSS_BYTES], double loss);

/* Room for "12345.678". */
enum { CLI_SECONDS_BYTES = 32 };

/* The process's peak memory, in bytes. */
size_t cli_peak_rss_bytes(void);

void cli_print_epoch_header(void);
void cli_print_epoch(const thaw_epoch_result *epoch_result);

/* A JSON object with an epoch's figures; `event` names the kind of line. */
json_t *cli_epoch_object(const char *event, const thaw_epoch_result *epoch_result);

#endif
