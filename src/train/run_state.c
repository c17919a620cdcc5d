#include "train/run_state.h"

#include <inttypes.h>
#include <string.h>

#include "core/context.h"
#include "graph/model.h"
#include "params/suits.h"
#include "train/best.h"
#include "train/policy_run.h"
#include "train/run_description.h"
#include "train/run_position.h"

/* ---------------------------------------------------------------- groups and parameters */

static void write_group(const thaw_group *group, thaw_text *text)
{
    const thaw_optimizer *optimizer = group->optimizer;
    thaw_lines_begin(text, "group", group->name, NULL);
    thaw_text_append(text, "%d ", group->trainable);
    thaw_lines_append_bits(text, group->learning_rate);
    thaw_text_append(text, " ");
    thaw_lines_append_bits(text, group->weight_decay);
    thaw_text_append(text, "\n");
    if (!optimizer)
        return;
    thaw_lines_begin(text, "optimizer", group->name, NULL);
    thaw_setting setting;
    thaw_lines_escape(text, optimizer->name);
    thaw_text_append(text, "\n");
    for (size_t i = 0; thaw_optimizer_setting(optimizer, i, &setting); i++) {
        thaw_lines_begin(text, "hyper-parameter", group->name, setting.name);
        thaw_lines_append_bits(text, *setting.value);
        thaw_text_append(text, "\n");
    }
}

static void write_parameter(const thaw_parameter *parameter, thaw_text *text)
{
    thaw_lines_begin(text, "parameter", parameter->name, NULL);
    thaw_text_append(text, "%d %" PRIu64 " %" PRIu64 "\n", (int)parameter->override, parameter->steps,
                     parameter->random.step);
    for (size_t k = 0; k < thaw_parameter_slot_count(parameter); k++) {
        if (!parameter->slot[k])
            continue;
        thaw_lines_begin(text, "slot", parameter->name, thaw_parameter_slot_name(parameter, k));
        thaw_text_append(text, "%" PRIu64 "\n", parameter->slot_steps[k]);
    }
    if (parameter->bound) {
        thaw_lines_begin(text, "binding", parameter->name, NULL);
        thaw_run_append_binding(text, parameter);
        thaw_text_append(text, "\n");
    }
}

static void write_averages(const thaw_average *average, thaw_text *text)
{
    if (average)
        thaw_lines_add_number(text, THAW_AVERAGE_UPDATES, average->updates);
    for (size_t i = 0; average && i < average->count; i++) {
        const thaw_averaged *entry = &average->entries[i];
        if (entry->parameter->removed)
            continue;
        thaw_lines_begin(text, THAW_AVERAGE_OF, entry->parameter->name, NULL);
        thaw_text_append(text, "%" PRIu64 "\n", entry->updates);
    }
}

thaw_status thaw_run_state_write(const thaw_trainer *trainer, char **text)
{
    const thaw_parameter_set *set = &trainer->model->parameters;
    thaw_text lines = { .context = trainer->model->context };
    thaw_run_position_write(trainer, &lines);
    thaw_lines_add_number(&lines, "model steps", trainer->model->steps);
    thaw_lines_add_number(&lines, "feature cache", trainer->cache != NULL);
    for (size_t i = 0; i < set->group_count; i++)
        write_group(set->groups[i], &lines);
    for (size_t i = 0; i < set->parameter_count; i++)
        write_parameter(set->parameters[i], &lines);
    write_averages(trainer->average, &lines);
    thaw_policy_write(trainer->policy, &lines);
    return thaw_text_finish(&lines, text);
}

/* ---------------------------------------------------------------- checking */

static bool read_group(thaw_lines *state, const char *name, thaw_group *group)
{
    const char *value = thaw_lines_find(state, "group", name, NULL);
    uint64_t trainable = 0;
    double rate = 0, decay = 0;
    if (!value || !thaw_lines_read_number(&value, &trainable) || !thaw_lines_read_bits(&value, &rate) ||
        !thaw_lines_read_bits(&value, &decay) || trainable > 1)
        return false;
    if (group) {
        group->trainable = trainable;
        group->learning_rate = rate;
        group->weight_decay = decay;
    }
    return true;
}

static bool read_hyperparameter(thaw_lines *state, const thaw_group *group, const thaw_setting *setting, double *number)
{
    const char *value = thaw_lines_find(state, "hyper-parameter", group->name, setting->name);
    return value && thaw_lines_read_bits(&value, number);
}

static thaw_status refuse(const thaw_trainer *trainer, const char *path, const char *what, const char *name)
{
    return thaw_fail(trainer->model->context, THAW_INVALID_ARGUMENT, "%s: is of another run: %s of %.200s", path, what,
                     name);
}

/* Groups that share an optimizer must have left it with the same values. */
static thaw_status check_shared(const thaw_trainer *trainer, const char *path, thaw_lines *state, size_t index)
{
    const thaw_parameter_set *set = &trainer->model->parameters;
    const thaw_group *group = set->groups[index];
    size_t first = 0;
    thaw_setting setting;
    while (set->groups[first]->optimizer != group->optimizer)
        first++;
    for (size_t k = 0; thaw_optimizer_setting(group->optimizer, k, &setting); k++) {
        double own = 0, shared = 0;
        if (!read_hyperparameter(state, group, &setting, &own) ||
            !read_hyperparameter(state, set->groups[first], &setting, &shared))
            return refuse(trainer, path, "it lacks a hyper-parameter", group->name);
        if (memcmp(&own, &shared, sizeof own) != 0)
            return refuse(trainer, path, "groups that share an optimizer here had several, with other settings",
                          group->name);
    }
    return THAW_OK;
}

static thaw_status check_group(const thaw_trainer *trainer, const char *path, thaw_lines *state, size_t index)
{
    const thaw_group *group = trainer->model->parameters.groups[index];
    if (!read_group(state, group->name, NULL))
        return refuse(trainer, path, "it lacks the settings", group->name);
    const char *there = thaw_lines_find(state, "optimizer", group->name, NULL);
    const char *here = group->optimizer ? group->optimizer->name : NULL;
    if (!there != !here || (here && strcmp(here, there) != 0))
        return thaw_fail(trainer->model->context, THAW_INVALID_ARGUMENT,
                         "%s: is of another run: the optimizer of %.200s is %.100s in the checkpoint, %.100s here",
                         path, group->name, there ? there : "missing", here ? here : "missing");
    return group->optimizer ? check_shared(trainer, path, state, index) : THAW_OK;
}

static bool read_parameter(thaw_lines *state, const char *name, thaw_parameter *parameter)
{
    const char *value = thaw_lines_find(state, "parameter", name, NULL);
    uint64_t override = 0, steps = 0, draws = 0;
    if (!value || !thaw_lines_read_number(&value, &override) || !thaw_lines_read_number(&value, &steps) ||
        !thaw_lines_read_number(&value, &draws) || override > THAW_OVERRIDE_TRAINABLE)
        return false;
    if (parameter) {
        parameter->override = (thaw_override) override;
        parameter->steps = steps;
        parameter->random.step = draws;
    }
    return true;
}

/* Whether the search for any line of a parameter has its memory: restoring needs no more. */
static bool finds_slots(thaw_lines *state, const thaw_parameter *parameter)
{
    for (size_t k = 0; k < thaw_parameter_slot_count(parameter); k++)
        thaw_lines_find(state, "slot", parameter->name, thaw_parameter_slot_name(parameter, k));
    return !state->key.failed;
}

static thaw_status check_binding(const thaw_trainer *trainer, const char *path, thaw_lines *state,
                                 const thaw_parameter *parameter)
{
    thaw_text text = { .context = trainer->model->context };
    const char *there = thaw_lines_find(state, "binding", parameter->name, NULL);
    char *here = NULL;
    if (parameter->bound) {
        thaw_run_append_binding(&text, parameter);
        if (thaw_text_finish(&text, &here) != THAW_OK)
            return THAW_OUT_OF_MEMORY;
    }
    const bool same = !there == !here && (!here || strcmp(here, there) == 0);
    const thaw_status status =
        same ? THAW_OK
             : thaw_fail(trainer->model->context, THAW_INVALID_ARGUMENT,
                         "%s: is of another run: %.200s is computed as %.200s in the checkpoint, %.200s here", path,
                         parameter->name, there ? there : "itself", here ? here : "itself");
    thaw_text_destroy(trainer->model->context, here);
    return status;
}

thaw_status thaw_run_state_rules(const thaw_trainer *trainer, const char *path, thaw_lines *state, int *epoch)
{
    thaw_trainer read = { 0 };
    if (!thaw_run_position_read(state, &read))
        return thaw_fail(trainer->model->context, THAW_BAD_FORMAT, "%s: its position cannot be read", path);
    *epoch = read.ruled;
    if (read.position.epoch > trainer->options.epochs)
        return thaw_fail(trainer->model->context, THAW_INVALID_ARGUMENT,
                         "%s: is in epoch %d, the run has only %d epochs", path, read.position.epoch,
                         trainer->options.epochs);
    if (read.position.step > trainer->epoch_steps || read.ruled > trainer->options.epochs)
        return thaw_fail(trainer->model->context, THAW_BAD_FORMAT, "%s: has an impossible position", path);
    return THAW_OK;
}

thaw_status thaw_run_state_check(thaw_trainer *trainer, const char *path, thaw_lines *state)
{
    const thaw_parameter_set *set = &trainer->model->parameters;
    const char *steps = thaw_lines_find(state, "model steps", NULL, NULL);
    uint64_t number;
    thaw_status status = THAW_OK;
    if (!steps || !thaw_lines_read_number(&steps, &number))
        return thaw_fail(set->context, THAW_BAD_FORMAT, "%s: its steps cannot be read", path);
    for (size_t i = 0; i < set->group_count && status == THAW_OK; i++)
        status = check_group(trainer, path, state, i);
    for (size_t i = 0; i < set->parameter_count && status == THAW_OK; i++) {
        const thaw_parameter *parameter = set->parameters[i];
        status = read_parameter(state, parameter->name, NULL)
                     ? check_binding(trainer, path, state, parameter)
                     : refuse(trainer, path, "it lacks the counters", parameter->name);
        if (status == THAW_OK && !finds_slots(state, parameter))
            status = THAW_OUT_OF_MEMORY;
    }
    return status;
}

/* ---------------------------------------------------------------- restoring */

static void restore_group(thaw_lines *state, thaw_group *group)
{
    read_group(state, group->name, group);
    thaw_optimizer *optimizer = group->optimizer;
    thaw_setting setting;
    for (size_t k = 0; optimizer && thaw_optimizer_setting(optimizer, k, &setting); k++)
        read_hyperparameter(state, group, &setting, setting.value);
    if (optimizer)
        optimizer->revision++;
}

static void restore_slot_steps(thaw_lines *state, thaw_parameter *parameter)
{
    for (size_t k = 0; k < THAW_MOST_SLOTS; k++) {
        const char *value = NULL;
        uint64_t steps = 0;
        if (k < thaw_parameter_slot_count(parameter))
            value = thaw_lines_find(state, "slot", parameter->name, thaw_parameter_slot_name(parameter, k));
        parameter->slot_steps[k] = value && thaw_lines_read_number(&value, &steps) ? steps : 0;
    }
}

void thaw_run_state_restore(thaw_trainer *trainer, thaw_lines *state)
{
    thaw_parameter_set *set = &trainer->model->parameters;
    const char *steps = thaw_lines_find(state, "model steps", NULL, NULL);
    const char *cache = thaw_lines_find(state, "feature cache", NULL, NULL);
    thaw_run_position_read(state, trainer);
    if (steps)
        thaw_lines_read_number(&steps, &trainer->model->steps);
    for (size_t i = 0; i < set->group_count; i++)
        restore_group(state, set->groups[i]);
    for (size_t i = 0; i < set->parameter_count; i++) {
        read_parameter(state, set->parameters[i]->name, set->parameters[i]);
        restore_slot_steps(state, set->parameters[i]);
    }
    thaw_best_restore(trainer);
    trainer->epoch_result.epochs = trainer->options.epochs;
    trainer->suspended = trainer->open;
    trainer->agreed = false;
    trainer->uncached = cache && strcmp(cache, "1") == 0 && trainer->options.cache_dtype == THAW_BF16;
    set->revision++;
}
