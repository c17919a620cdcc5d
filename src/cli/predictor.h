/* The trained network of --load, whose outputs are computed without training. */
#ifndef THAW_CLI_PREDICTOR_H
#define THAW_CLI_PREDICTOR_H

#include <thaw/predictor.h>

#include "cli/session.h"

/* Opens it by `wanted`, completed by --model, --classes and --rename. `given` is the command line before the file
   completed it. Returns an exit code. */
int cli_predictor_open(const cli_session *session, const cli_options *given, thaw_predictor_options wanted,
                       thaw_predictor **predictor);

#endif
