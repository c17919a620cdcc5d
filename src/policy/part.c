#include "policy/part.h"

#include <string.h>

#include "core/number.h"
#include "core/pattern.h"
#include "core/text.h"
#include "graph/model.h"

static const char *const words[] = { "@head", "@body", "@bias", "@norm" };
static const char TOP[] = "@top:", BOTTOM[] = "@bottom:";

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool is_count(const char *text)
{
    double value;
    return strcmp(text, "epoch") == 0 || strcmp(text, "share") == 0 ||
           (thaw_parse_number(text, strlen(text), &value) && value >= 1 && value <= 1e6 &&
            value == (double)(size_t)value);
}

const char *thaw_part_error(const char *part)
{
    if (part[0] != '@')
        return thaw_pattern_error(part);
    for (size_t i = 0; i < THAW_COUNT(words); i++)
        if (strcmp(part, words[i]) == 0)
            return NULL;
    if (begins(part, TOP) || begins(part, BOTTOM))
        return is_count(strchr(part, ':') + 1) ? NULL : "must have a number of blocks from 1, epoch or share";
    return "no such part, must be @head, @body, @top:N, @bottom:N, @bias or @norm";
}

/* The number of blocks, at most `most`, that the text after the colon means. */
static thaw_status count_blocks(thaw_model *model, const char *part, size_t most, size_t blocks, thaw_part_epoch when,
                                size_t *count)
{
    const char *text = strchr(part, ':') + 1;
    double wanted = 0;
    if (strcmp(text, "epoch") == 0) {
        wanted = when.epoch;
    } else if (strcmp(text, "share") == 0) {
        wanted = (double)((size_t)(when.epoch - 1) * blocks / (size_t)when.epochs);
    } else {
        thaw_parse_number(text, strlen(text), &wanted);
        if (wanted > (double)most)
            return thaw_fail(model->context, THAW_NOT_FOUND, "\"%s\": the model has %zu block%s%s", part, most,
                             most == 1 ? "" : "s", begins(part, BOTTOM) ? " below its head" : "");
    }
    *count = wanted < (double)most ? (size_t)wanted : most;
    return THAW_OK;
}

static void append(thaw_text *text, const char *name)
{
    thaw_text_append(text, "%s%s", text->length ? "|" : "", name);
}

static void append_blocks(thaw_text *text, const thaw_model *model, const thaw_model_blocks *blocks, size_t first,
                          size_t last)
{
    for (size_t i = 0; i < model->node_count; i++)
        if (blocks->of_node[i] && blocks->of_node[i] >= first && blocks->of_node[i] <= last)
            append(text, model->nodes[i].group->name);
}

static void append_biases(thaw_text *text, const thaw_model *model)
{
    for (size_t i = 0; i < model->parameters.parameter_count; i++) {
        const thaw_parameter *parameter = model->parameters.parameters[i];
        if (parameter->role == THAW_BIAS || parameter->role == THAW_SHIFT)
            append(text, parameter->name);
    }
}

static void append_normalisations(thaw_text *text, const thaw_model *model)
{
    for (size_t i = 0; i < model->parameters.group_count; i++) {
        const thaw_group *group = model->parameters.groups[i];
        for (size_t k = 0; k < group->parameter_count; k++) {
            if (group->parameters[k]->role != THAW_SCALE)
                continue;
            append(text, group->name);
            break;
        }
    }
}

static thaw_status append_part(thaw_text *text, thaw_model *model, const thaw_model_blocks *blocks, const char *part,
                               thaw_part_epoch when)
{
    const size_t all = blocks->count;
    size_t count = 0;
    thaw_status status = THAW_OK;
    if (strcmp(part, "@head") == 0) {
        append_blocks(text, model, blocks, all, all);
    } else if (strcmp(part, "@body") == 0) {
        append_blocks(text, model, blocks, 1, all - 1);
    } else if (strcmp(part, "@bias") == 0) {
        append_biases(text, model);
    } else if (strcmp(part, "@norm") == 0) {
        append_normalisations(text, model);
    } else if (begins(part, TOP)) {
        status = count_blocks(model, part, all, all, when, &count);
        append_blocks(text, model, blocks, all - count + 1, all);
    } else {
        status = count_blocks(model, part, all - 1, all, when, &count);
        append_blocks(text, model, blocks, 1, count);
    }
    return status;
}

thaw_status thaw_part_resolve(thaw_model *model, const thaw_model_blocks *blocks, const char *part,
                              thaw_part_epoch when, char **pattern)
{
    *pattern = NULL;
    const char *error = thaw_part_error(part);
    if (error)
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "\"%.200s\": %s", part, error);
    thaw_text text = { .context = model->context };
    if (part[0] != '@')
        thaw_text_append(&text, "%s", part);
    thaw_status status = part[0] == '@' ? append_part(&text, model, blocks, part, when) : THAW_OK;
    const bool counted = strstr(part, ":epoch") || strstr(part, ":share");
    if (status == THAW_OK && text.length == 0 && !text.failed) {
        if (!counted)
            status = thaw_fail(model->context, THAW_NOT_FOUND, "\"%s\" matches nothing in this model", part);
        return status;
    }
    char *made = NULL;
    const thaw_status finished = thaw_text_finish(&text, &made);
    if (status == THAW_OK)
        status = finished;
    if (status == THAW_OK)
        *pattern = made;
    else
        thaw_text_destroy(model->context, made);
    return status;
}
