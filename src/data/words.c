#include "data/words.h"

#include <stdio.h>
#include <string.h>

#include "core/allocation.h"

static thaw_status add(thaw_words *words, const char *text, size_t length)
{
    char **grown = thaw_grow(words->context, (void *)words->items, &words->capacity, words->count + 1, sizeof *grown);
    if (!grown)
        return THAW_OUT_OF_MEMORY;
    words->items = grown;
    char *copy = thaw_allocate(words->context, length + 1);
    if (!copy)
        return THAW_OUT_OF_MEMORY;
    memcpy(copy, text, length);
    words->items[words->count++] = copy;
    return THAW_OK;
}

thaw_status thaw_words_add(thaw_words *words, const char *text)
{
    return add(words, text, strlen(text));
}

thaw_status thaw_words_add_number(thaw_words *words, double number)
{
    char text[40];
    const int length = snprintf(text, sizeof text, "%.17g", number);
    for (char *c = text; *c; c++)
        if (*c == ',')
            *c = '.'; /* whatever the host's locale */
    return add(words, text, (size_t)length);
}

thaw_status thaw_words_split(thaw_words *words, const char *text)
{
    thaw_status status = THAW_OK;
    for (const char *item = text; status == THAW_OK && *item; item += strcspn(item, ","), item += *item == ',')
        status = add(words, item, strcspn(item, ","));
    return status;
}

void thaw_words_release(thaw_words *words)
{
    for (size_t i = 0; i < words->count; i++)
        thaw_release(words->context, words->items[i]);
    thaw_release(words->context, (void *)words->items);
    *words = (thaw_words){ .context = words->context };
}
