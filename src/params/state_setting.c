#include "params/state_setting.h"

#include <stdio.h>
#include <string.h>
#include <thaw/runtime.h>

#include "core/allocation.h"

static const struct {
    const char *word;
    thaw_dtype state;
} words[] = { { "f32", THAW_F32 }, { "bf16", THAW_BF16 }, { "8bit", THAW_U8 } };

static const char SETTING[] = "state=";
enum { SETTING_LENGTH = sizeof SETTING - 1 };

static thaw_status read_word(thaw_context *context, const thaw_optimizer_module *module, const char *word,
                             size_t length, thaw_dtype *state)
{
    for (size_t i = 0; i < THAW_COUNT(words); i++)
        if (strncmp(words[i].word, word, length) == 0 && !words[i].word[length]) {
            *state = words[i].state;
            return THAW_OK;
        }
    return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: state is \"%.*s\", must be f32, bf16 or 8bit", module->name,
                     (int)(length < 100 ? length : 100), word);
}

/* The setting among others that commas separate, from `text` on; NULL: it is not there. */
static char *find_setting(char *text)
{
    for (char *item = text; item; item = strchr(item, ',') ? strchr(item, ',') + 1 : NULL)
        if (strncmp(item, SETTING, SETTING_LENGTH) == 0)
            return item;
    return NULL;
}

static void cut_out(char *text, char *item)
{
    char *past = item + strcspn(item, ",");
    /* A comma at an end stays, for the error that it is. */
    if (*past)
        memmove(item, past + (past[1] != '\0'), strlen(past));
    else
        item[item > text + 1 ? -1 : 0] = '\0';
}

thaw_status thaw_state_setting_take(thaw_context *context, const thaw_optimizer_module *module, const char *settings,
                                    char **rest, thaw_dtype *state)
{
    *rest = NULL;
    *state = THAW_F32;
    if (!settings)
        return THAW_OK;
    char *text = *rest = thaw_copy_text(context, settings);
    if (!text)
        return THAW_OUT_OF_MEMORY;
    char *item = module->slot_ranges ? find_setting(text) : NULL;
    if (!item)
        return THAW_OK;
    const char *word = item + SETTING_LENGTH;
    const thaw_status status = read_word(context, module, word, strcspn(word, ","), state);
    if (status != THAW_OK)
        return status;
    cut_out(text, item);
    if (find_setting(text))
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: state is given twice", module->name);
    return THAW_OK;
}

thaw_status thaw_state_setting_name(thaw_context *context, const thaw_optimizer_module *module, thaw_dtype state,
                                    char **name)
{
    const char *word = "";
    for (size_t i = 0; i < THAW_COUNT(words); i++)
        if (words[i].state == state && state != THAW_F32)
            word = words[i].word;
    const size_t bytes = strlen(module->name) + sizeof ":state=" + strlen(word);
    char *text = *name = thaw_allocate_raw(context, bytes);
    if (!text)
        return THAW_OUT_OF_MEMORY;
    snprintf(text, bytes, "%s%s%s", module->name, *word ? ":state=" : "", word);
    return THAW_OK;
}
