#include "report/action_log.h"

#include <stdlib.h>
#include <string.h>

#include "core/allocation.h"
#include "core/context.h"
#include "report/csv_field.h"
#include "report/log_file.h"

static const char HEADER[] = "step,epoch,action,first,last,first_name,last_name,value,trainable_parameters,reason\n";

struct thaw_action_log {
    thaw_context *context;
    thaw_log_file file;
    bool broken;
};

/* The bytes up to the first row of a step that is to be done again, or that is not whole. */
static size_t kept_bytes(const char *content, size_t step)
{
    const char *row = strchr(content, '\n');
    for (row = row ? row + 1 : content; *row;) {
        const char *end = strchr(row, '\n');
        if (!end || strtoull(row, NULL, 10) >= step)
            break;
        row = end + 1;
    }
    return (size_t)(row - content);
}

static thaw_status begin(thaw_action_log *log, size_t step, bool resume)
{
    unsigned char *content;
    size_t bytes;
    thaw_status status = thaw_log_file_read(&log->file, &content, &bytes);
    if (status != THAW_OK)
        return status;
    const bool own = bytes >= sizeof HEADER - 1 && memcmp(content, HEADER, sizeof HEADER - 1) == 0;
    if (bytes && !(resume && own))
        status = thaw_fail(log->context, THAW_INVALID_ARGUMENT, "%s: %s", log->file.path,
                           resume ? "is no log of a policy's actions" : "holds the log of another run");
    else if (bytes)
        status = thaw_log_file_cut(&log->file, kept_bytes((const char *)content, step));
    else
        status = thaw_log_file_append(&log->file, HEADER, sizeof HEADER - 1);
    thaw_release(log->context, content);
    return status;
}

thaw_status thaw_action_log_open(thaw_context *context, const char *folder, size_t step, bool resume,
                                 thaw_action_log **log)
{
    *log = NULL;
    thaw_action_log *made = thaw_allocate(context, sizeof *made);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    *made = (thaw_action_log){ .context = context };
    thaw_status status = thaw_log_file_open(context, folder, "actions.csv", &made->file);
    if (status == THAW_OK)
        status = begin(made, step, resume);
    if (status == THAW_OK)
        *log = made;
    else
        thaw_action_log_close(made);
    return status;
}

static thaw_status add(thaw_action_log *log, const thaw_policy_effect *effect)
{
    thaw_text row = { .context = log->context };
    char *line;
    thaw_text_append(&row, "%zu,%d,%s,%zu,%zu,", effect->step, effect->epoch, thaw_policy_act_name(effect->act),
                     effect->first, effect->last);
    thaw_csv_append_text(&row, effect->first_name);
    thaw_text_append(&row, ",");
    thaw_csv_append_text(&row, effect->last_name);
    thaw_text_append(&row, ",");
    if (effect->act == THAW_POLICY_RATE)
        thaw_csv_append_number(&row, effect->value);
    thaw_text_append(&row, ",%zu,", effect->trainable_parameters);
    thaw_csv_append_text(&row, effect->reason);
    thaw_text_append(&row, "\n");
    thaw_status status = thaw_text_finish(&row, &line);
    if (status == THAW_OK)
        status = thaw_log_file_append(&log->file, line, strlen(line));
    thaw_release(log->context, line);
    return status;
}

void thaw_action_log_add(thaw_action_log *log, const thaw_policy_effect *effect)
{
    if (!log || log->broken || add(log, effect) == THAW_OK)
        return;
    log->broken = true;
    thaw_log(log->context, THAW_LOG_WARNING, "%s; no more actions are logged", thaw_context_message(log->context));
}

void thaw_action_log_close(thaw_action_log *log)
{
    if (!log)
        return;
    thaw_log_file_close(&log->file);
    thaw_release(log->context, log);
}
