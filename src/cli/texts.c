#include "cli/texts.h"

#include "cli/failure.h"
#include "data/text_form.h"

const char *cli_default_tokenizer(const cli_session *session)
{
    const bool noted =
        session->notes && !session->options->override && thaw_notes_find(session->notes, "thaw.tokenizer");
    return session->folder && !noted ? thaw_model_folder_tokenizer(session->folder) : NULL;
}

static int complete(cli_session *session, const char *tokenizer, const char *option, char **own,
                    const char **description)
{
    char *completed = NULL;
    if (!*description)
        return CLI_DONE;
    const thaw_status status = thaw_text_form_complete(session->context, tokenizer, *description, &completed);
    if (status != THAW_OK)
        return cli_check_option(session->context, status, option);
    thaw_text_destroy(session->context, *own);
    *own = completed;
    *description = completed;
    return CLI_DONE;
}

int cli_texts_complete(cli_session *session)
{
    const char *tokenizer = cli_default_tokenizer(session);
    if (!tokenizer)
        return CLI_DONE;
    int code = complete(session, tokenizer, "--data", &session->chosen_data, &session->chosen.data);
    if (code == CLI_DONE)
        code = complete(session, tokenizer, "--test-data", &session->chosen_test_data, &session->chosen.test_data);
    return code;
}
