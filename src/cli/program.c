#include "cli/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/failure.h"
#include "cli/json.h"
#include "cli/random_batch.h"

/* Times of a program; all zero if it was not measured. */
typedef struct profile {
    double *seconds, sum; /* of instructions */
    double rest_seconds, step_seconds;
    uint64_t steps;
} profile;

/* ---- measuring ---- */

static int measure(const cli_session *session, size_t count, profile *times)
{
    cli_random_batch batch;
    times->seconds = calloc(count + 1, sizeof *times->seconds);
    int code = times->seconds ? cli_random_batch_create(session, &batch) : cli_fail("plan", "out of memory");
    if (code != CLI_DONE)
        return code;
    times->steps = session->options->steps;
    code = cli_check(session->context,
                     thaw_model_profile(session->model, batch.inputs, &batch.targets, times->steps, times->seconds,
                                        &times->rest_seconds, &times->step_seconds),
                     "plan");
    for (size_t i = 0; i < count && code == CLI_DONE; i++)
        times->sum += times->seconds[i];
    cli_random_batch_release(&batch);
    return code;
}

/* ---- printing ---- */

static int print_json_entry(const thaw_plan_instruction *entry, size_t index, const profile *times)
{
    json_t *object = json_object();
    json_object_set_new(object, "event", json_string("instruction"));
    json_object_set_new(object, "index", cli_json_count(index));
    json_object_set_new(object, "section", json_string(entry->section));
    json_object_set_new(object, "operation", json_string(entry->operation));
    json_object_set_new(object, "layer", entry->layer ? json_string(entry->layer) : json_null());
    json_object_set_new(object, "operands", json_string(entry->operands));
    if (times->seconds) {
        json_object_set_new(object, "seconds", cli_json_real(times->seconds[index]));
        json_object_set_new(object, "share", cli_json_real(times->seconds[index] / times->step_seconds));
    }
    return cli_json_print(object);
}

static int print_json(const cli_session *session, const thaw_plan *plan, const profile *times)
{
    const size_t count = thaw_plan_instruction_count(plan);
    int code = CLI_DONE;
    for (size_t i = 0; i < count && code == CLI_DONE; i++) {
        thaw_plan_instruction entry;
        code = cli_check(session->context, thaw_plan_instruction_at(plan, i, &entry), "plan");
        if (code == CLI_DONE)
            code = print_json_entry(&entry, i, times);
    }
    if (code != CLI_DONE || !times->seconds)
        return code;
    json_t *object = json_object();
    json_object_set_new(object, "event", json_string("profile"));
    json_object_set_new(object, "steps", cli_json_count(times->steps));
    json_object_set_new(object, "instruction_seconds", cli_json_real(times->sum));
    json_object_set_new(object, "rest_seconds", cli_json_real(times->rest_seconds));
    json_object_set_new(object, "step_seconds", cli_json_real(times->step_seconds));
    return cli_json_print(object);
}

/* The program's listing, one line per instruction, with two columns before it. */
static void print_times(const char *text, const profile *times)
{
    printf("%12s %7s %.*s\n", "mean us", "share", (int)strcspn(text, "\n"), text);
    text += strcspn(text, "\n") + 1;
    for (size_t i = 0; *text; i++) {
        printf("%12.1f %6.2f%% %.*s\n", times->seconds[i] * 1e6, 100 * times->seconds[i] / times->step_seconds,
               (int)strcspn(text, "\n"), text);
        text += strcspn(text, "\n") + 1;
    }
    printf("%12.1f %6.2f%%  all instructions\n", times->sum * 1e6, 100 * times->sum / times->step_seconds);
    printf("%12.1f %6.2f%%  between instructions\n", times->rest_seconds * 1e6,
           100 * times->rest_seconds / times->step_seconds);
    printf("%12.1f %6.2f%%  a step; means of the faster half of %llu steps\n", times->step_seconds * 1e6, 100.0,
           (unsigned long long)times->steps);
}

static int print_text(const cli_session *session, const thaw_plan *plan, const profile *times)
{
    char *text = NULL;
    const int code = cli_check(session->context, thaw_plan_program(plan, &text), "plan");
    if (code == CLI_DONE && times->seconds)
        print_times(text, times);
    else if (code == CLI_DONE)
        fputs(text, stdout);
    thaw_text_destroy(session->context, text);
    return code;
}

int cli_print_program(const cli_session *session, const thaw_plan *plan)
{
    const cli_options *options = session->options;
    profile times = { 0 };
    if (options->profile && options->inference)
        return cli_misuse("--profile", "cannot be combined with --inference: it measures training steps");
    int code = options->profile ? measure(session, thaw_plan_instruction_count(plan), &times) : CLI_DONE;
    if (code == CLI_DONE)
        code = options->json ? print_json(session, plan, &times) : print_text(session, plan, &times);
    free(times.seconds);
    return code;
}
