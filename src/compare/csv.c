/* The configurations as a table. */
#include <math.h>
#include <string.h>

#include "compare/comparison.h"
#include "core/text.h"
#include "io/new_file.h"
#include "report/csv_field.h"

static const char HEADER[] =
    "strategy,optimizer,learning_rate,runs,diverged,chosen,rank,accuracy,accuracy_sd,accuracy_low,accuracy_high,loss,"
    "against_full,against_full_low,against_full_high,seconds_per_epoch,data,forward,backward,update,other,"
    "samples_per_second,seconds_to_target,target_reached,to_target,to_target_low,to_target_high,"
    "steps_to_target,rank_by_seconds,rank_by_steps,joules_per_epoch,parameters_trained,weight_bytes,gradient_bytes,"
    "optimizer_state_bytes,activation_bytes,cache_bytes,flops_per_step,pareto_time,pareto_memory,settings,trials,"
    "validation_accuracy,tuning_epochs,tuning_seconds,stopped,stopped_epochs,stopped_seeds,behind_leader,"
    "behind_leader_low,behind_leader_high\r\n";

static void append_text(thaw_text *text, const char *field)
{
    thaw_csv_append_text(text, field);
    thaw_text_append(text, ",");
}

static void append_number(thaw_text *text, double value)
{
    thaw_csv_append_number(text, value);
    thaw_text_append(text, ",");
}

/* Nothing for what has no rank. */
static double rank_of(int rank)
{
    return rank ? (double)rank : (double)NAN;
}

/* Nothing without trials. */
static void append_tuning(thaw_text *text, const thaw_tuning *tuning)
{
    if (tuning->settings)
        thaw_csv_append_text(text, tuning->settings);
    thaw_text_append(text, ",");
    append_number(text, tuning->trials ? (double)tuning->trials : (double)NAN);
    append_number(text, tuning->trials ? tuning->validation_accuracy : (double)NAN);
    append_number(text, tuning->trials ? (double)tuning->epochs : (double)NAN);
    append_number(text, tuning->trials ? tuning->seconds : (double)NAN);
}

/* Why a race stopped it; nothing if it did not. */
static void append_end(thaw_text *text, const thaw_race_end *end)
{
    if (end->stopped)
        thaw_csv_append_text(text, end->diverged ? "diverged" : "beaten");
    thaw_text_append(text, ",");
    append_number(text, end->stopped ? (double)end->epochs : (double)NAN);
    append_number(text, end->stopped ? (double)end->seeds : (double)NAN);
    const bool beaten = end->stopped && !end->diverged;
    append_number(text, beaten ? end->difference.mean : (double)NAN);
    append_number(text, beaten ? end->difference.low : (double)NAN);
    thaw_csv_append_number(text, beaten ? end->difference.high : (double)NAN);
}

static void append_row(thaw_text *text, const thaw_configuration *one)
{
    append_text(text, one->strategy);
    append_text(text, one->optimizer);
    const double numbers[] = {
        one->learning_rate,
        (double)one->runs,
        (double)one->diverged,
        one->chosen,
        rank_of(one->rank),
        one->accuracy.mean,
        one->accuracy.sd,
        one->accuracy.low,
        one->accuracy.high,
        one->loss.mean,
        one->against_full.mean,
        one->against_full.low,
        one->against_full.high,
        one->seconds_per_epoch,
        one->phases.data,
        one->phases.forward,
        one->phases.backward,
        one->phases.update,
        one->other_seconds,
        one->samples_per_second,
        one->seconds_to_target,
        (double)one->to_target.seconds.reached,
        one->to_target.seconds.mean,
        one->to_target.seconds.low,
        one->to_target.seconds.high,
        one->to_target.steps.mean,
        rank_of(one->to_target.rank_by_seconds),
        rank_of(one->to_target.rank_by_steps),
        one->joules_per_epoch,
        (double)one->parameters_trained,
        (double)one->bytes.weights,
        (double)one->bytes.gradients,
        (double)one->bytes.optimizer_state,
        (double)one->bytes.activations,
        (double)one->bytes.cache,
        one->flops_per_step,
        one->pareto_time,
        one->pareto_memory,
    };
    for (size_t i = 0; i < THAW_COUNT(numbers); i++)
        append_number(text, numbers[i]);
    append_tuning(text, &one->tuning);
    append_end(text, &one->race);
    thaw_text_append(text, "\r\n");
}

thaw_status thaw_comparison_write_csv(thaw_comparison *comparison, const char *path)
{
    thaw_context *context = comparison->context;
    thaw_text text = { .context = context };
    char *table = NULL;
    thaw_status status = THAW_OK;
    thaw_text_append(&text, "%s", HEADER);
    for (size_t i = 0; i < thaw_comparison_count(comparison) && status == THAW_OK; i++) {
        thaw_configuration one;
        status = thaw_comparison_at(comparison, i, &one);
        if (status == THAW_OK)
            append_row(&text, &one);
    }
    const thaw_status finished = thaw_text_finish(&text, &table);
    if (status == THAW_OK)
        status = finished;
    thaw_new_file file;
    if (status == THAW_OK)
        status = thaw_new_file_create(context, path, strlen(table), &file);
    if (status == THAW_OK) {
        status = thaw_new_file_write(&file, table, strlen(table));
        if (status == THAW_OK)
            status = thaw_new_file_commit(&file);
        else
            thaw_new_file_discard(&file);
    }
    thaw_text_destroy(context, table);
    return status;
}
