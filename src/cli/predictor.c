#include "cli/predictor.h"

#include "cli/failure.h"
#include "cli/renamings.h"

int cli_predictor_open(const cli_session *session, const cli_options *given, thaw_predictor_options wanted,
                       thaw_predictor **predictor)
{
    const cli_options *options = session->options;
    cli_renamings renamings;
    if (wanted.features && !session->from_folder)
        return cli_misuse("--layer", "is missing: the layer whose values are the vectors, as thaw summary lists them");
    const int code = cli_renamings_parse(options, &renamings);
    if (code != CLI_DONE)
        return code;
    const bool named = given->model && (!session->from_folder || session->folder_options);
    wanted.model = named ? options->model : NULL;
    wanted.folder = session->from_folder ? session->folder : NULL;
    wanted.classes = (size_t)options->classes;
    wanted.renamings = renamings.items;
    wanted.renaming_count = renamings.count;
    const thaw_status status = thaw_predictor_open(session->context, options->load, &wanted, predictor);
    cli_renamings_release(&renamings);
    if (status == THAW_NOT_FOUND && wanted.layer)
        return cli_check_option(session->context, status, "--layer");
    if (status == THAW_INVALID_ARGUMENT && wanted.images)
        return cli_check_option(session->context, status, "--images");
    return cli_check(session->context, status, session->from_folder ? "--model" : "--load");
}
