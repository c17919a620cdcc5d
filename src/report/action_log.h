/* The actions of a run's policy, in a folder, flushed as they come: actions.csv, a row for each. A log that cannot be
   written costs the log, not the run. */
#ifndef THAW_REPORT_ACTION_LOG_H
#define THAW_REPORT_ACTION_LOG_H

#include <thaw/policy.h>

typedef struct thaw_action_log thaw_action_log;

/* Opens the log in a folder that exists. If `resume` is set, one that is there is continued: rows of step `step` and
   later are cut off. Errors: THAW_IO_ERROR; THAW_INVALID_ARGUMENT (without `resume`: there is one), THAW_OUT_OF_MEMORY. */
thaw_status thaw_action_log_open(thaw_context *context, const char *folder, size_t step, bool resume,
                                 thaw_action_log **log);

/* Adds a row. `log` may be NULL. */
void thaw_action_log_add(thaw_action_log *log, const thaw_policy_effect *effect);

/* NULL is allowed. */
void thaw_action_log_close(thaw_action_log *log);

#endif
