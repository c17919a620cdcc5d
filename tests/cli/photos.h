/* Runs of the command on a folder of images, and on a network that it trains on them. */
#ifndef THAW_TESTS_CLI_PHOTOS_H
#define THAW_TESTS_CLI_PHOTOS_H

#include "data/folder_fixture.h"
#include "support/command.h"

extern char photos_folder[SUPPORT_PATH_BYTES], photos_weights[SUPPORT_PATH_BYTES];

/* In command lines: $a the data, $b the weights, $c the folder; $d to $f are the test's own. */
extern const char *photos_variables[6];

extern support_run photos_run; /* the last one */

/* Names the data, when the images are in "images". `options` of the data begin with ';', or are "". */
void photos_begin(const char *options);

/* Runs the command, and asserts its exit code. */
void photos_command(const char *line, int code);

#endif
