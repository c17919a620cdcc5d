#include "params/noted_adapters.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <thaw/combine.h>
#include <thaw/weights.h>

#include "core/allocation.h"
#include "core/number.h"
#include "core/pattern.h"
#include "io/name_list.h"
#include "io/notes.h"
#include "params/expression.h"
#include "params/low_rank.h"

enum { NAME_BYTES = 512 };
static const char NOTE[] = "thaw.adapters";

/* ---------------------------------------------------------------- writing */

static bool is_stored(const thaw_expression *expression, const char *weight, const char *suffix)
{
    const size_t length = strlen(weight);
    if (!expression->parameter || expression->reference)
        return false;
    const char *name = thaw_parameter_name(expression->parameter);
    return strncmp(name, weight, length) == 0 && strcmp(name + length, suffix) == 0;
}

/* Whether the weight is what thaw_lora makes of an unbound one: W + scale * W.lora_B W.lora_A. */
static bool is_adapted(const thaw_parameter *weight)
{
    if (!weight->bound)
        return false;
    const thaw_expression *sum = thaw_expression_target(weight->bound);
    return thaw_expression_is_low_rank(sum) && is_stored(thaw_operand(sum, THAW_LOW_RANK_BASE), weight->name, "") &&
           is_stored(thaw_operand(sum, THAW_LOW_RANK_UP), weight->name, ".lora_B") &&
           is_stored(thaw_operand(sum, THAW_LOW_RANK_DOWN), weight->name, ".lora_A");
}

/* Names of weights have no comma, but may have colons and equals signs: settings are behind the last colon. */
static thaw_status append(thaw_text *list, const thaw_parameter *weight)
{
    const thaw_expression *sum = thaw_expression_target(weight->bound);
    const int64_t rank = thaw_operand(sum, THAW_LOW_RANK_DOWN)->shape.dims[0];
    thaw_text item = { .context = list->context };
    char *text;
    thaw_text_append(&item, "%s:rank=%" PRId64 ",alpha=%.17g", weight->name, rank, sum->factor * (double)rank);
    const thaw_status status = thaw_text_finish(&item, &text);
    if (status != THAW_OK)
        return status;
    thaw_text_append(list, "%s", list->length ? "," : "[");
    thaw_text_append_quoted(list, text);
    thaw_release(list->context, text);
    return THAW_OK;
}

thaw_status thaw_adapters_describe(thaw_model *model, char **text)
{
    thaw_text list = { .context = thaw_model_context(model) };
    thaw_status status = THAW_OK;
    *text = NULL;
    for (size_t i = 0; i < thaw_model_parameter_count(model) && status == THAW_OK; i++) {
        const thaw_parameter *weight = thaw_model_parameter(model, i);
        if (is_adapted(weight))
            status = append(&list, weight);
    }
    if (status == THAW_OK && !list.length)
        return THAW_OK;
    thaw_text_append(&list, "]");
    if (status == THAW_OK)
        return thaw_text_finish(&list, text);
    thaw_release(list.context, list.characters);
    return status;
}

/* ---------------------------------------------------------------- reading */

static bool parse_settings(const char *text, double *rank, double *alpha)
{
    static const char first[] = "rank=", second[] = ",alpha=";
    const char *comma = strchr(text, ',');
    if (strncmp(text, first, sizeof first - 1) != 0 || !comma || strncmp(comma, second, sizeof second - 1) != 0)
        return false;
    const char *number = text + sizeof first - 1, *other = comma + sizeof second - 1;
    return thaw_parse_number(number, (size_t)(comma - number), rank) &&
           thaw_parse_number(other, strlen(other), alpha) && *rank >= 1 && *rank <= INT32_MAX &&
           *rank == (double)(int64_t)*rank;
}

/* Whether the weight gets the adapters of the file: the model has it, without adapters, and it is not excepted. */
static bool lacks_adapters(thaw_model *model, const char *name, const char *except)
{
    char adapter[NAME_BYTES];
    const thaw_parameter *weight = thaw_model_find_parameter(model, name);
    snprintf(adapter, sizeof adapter, "%s.lora_A", name);
    return weight && !thaw_model_find_parameter(model, adapter) && !(except && thaw_parameter_selected(weight, except));
}

/* `item` is cut into name and settings. */
static thaw_status add(thaw_model *model, const char *path, char *item, const char *except)
{
    double rank, alpha;
    char *settings = strrchr(item, ':');
    if (!settings || !parse_settings(settings + 1, &rank, &alpha))
        return thaw_fail(thaw_model_context(model), THAW_BAD_FORMAT,
                         "%s: %s: \"%.100s\", must be NAME:rank=N,alpha=X with a rank from 1", path, NOTE, item);
    *settings = '\0';
    return lacks_adapters(model, item, except) ? thaw_lora(model, item, (int64_t)rank, alpha) : THAW_OK;
}

thaw_status thaw_weights_add_adapters(thaw_model *model, const char *path, const char *except)
{
    thaw_context *context = thaw_model_context(model);
    const char *error = except ? thaw_pattern_error(except) : NULL;
    thaw_notes *notes;
    char **items = NULL;
    size_t count = 0;
    if (error)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "pattern \"%.200s\": %s", except, error);
    thaw_status status = thaw_notes_read(context, path, &notes);
    if (status != THAW_OK)
        return status;
    const char *text = thaw_notes_find(notes, NOTE);
    if (text)
        status = thaw_name_list_read(context, NOTE, text, &items, &count);
    for (size_t i = 0; i < count && status == THAW_OK; i++)
        status = add(model, path, items[i], except);
    thaw_release(context, items);
    thaw_notes_destroy(notes);
    return status;
}
