#include "io/notes.h"

#include <string.h>

#include "core/allocation.h"

static size_t find(const thaw_notes *notes, const char *name)
{
    size_t i = 0;
    while (i < notes->count && strcmp(notes->items[i].name, name) != 0)
        i++;
    return i;
}

static void release(thaw_notes *notes, size_t index)
{
    thaw_release(notes->context, (char *)notes->items[index].name);
    thaw_release(notes->context, (char *)notes->items[index].text);
}

static void drop(thaw_notes *notes, size_t index)
{
    release(notes, index);
    notes->count--;
    for (size_t i = index; i < notes->count; i++)
        notes->items[i] = notes->items[i + 1];
}

/* Takes the text over, except on failure. */
static thaw_status add(thaw_notes *notes, const char *name, char *text)
{
    thaw_named_text *items =
        thaw_grow(notes->context, notes->items, &notes->capacity, notes->count + 1, sizeof *notes->items);
    if (!items)
        return THAW_OUT_OF_MEMORY;
    notes->items = items;
    const char *copy = thaw_copy_text(notes->context, name);
    if (!copy)
        return THAW_OUT_OF_MEMORY;
    notes->items[notes->count++] = (thaw_named_text){ copy, text };
    return THAW_OK;
}

thaw_status thaw_notes_append(thaw_notes *notes, const char *name, const char *text)
{
    char *copy = thaw_copy_text(notes->context, text);
    const thaw_status status = copy ? add(notes, name, copy) : THAW_OUT_OF_MEMORY;
    if (status != THAW_OK)
        thaw_release(notes->context, copy);
    return status;
}

thaw_status thaw_notes_put(thaw_notes *notes, const char *name, const char *text)
{
    const size_t place = find(notes, name);
    if (!text) {
        if (place < notes->count)
            drop(notes, place);
        return THAW_OK;
    }
    if (place == notes->count)
        return thaw_notes_append(notes, name, text);
    char *copy = thaw_copy_text(notes->context, text);
    if (!copy)
        return THAW_OUT_OF_MEMORY;
    thaw_release(notes->context, (char *)notes->items[place].text);
    notes->items[place].text = copy;
    return THAW_OK;
}

void thaw_notes_clear(thaw_notes *notes)
{
    for (size_t i = 0; i < notes->count; i++)
        release(notes, i);
    thaw_release(notes->context, notes->items);
    *notes = (thaw_notes){ .context = notes->context };
}

void thaw_notes_destroy(thaw_notes *notes)
{
    if (!notes)
        return;
    thaw_notes_clear(notes);
    thaw_release(notes->context, notes);
}

size_t thaw_notes_count(const thaw_notes *notes)
{
    return notes->count;
}

const char *thaw_notes_name(const thaw_notes *notes, size_t index)
{
    return index < notes->count ? notes->items[index].name : NULL;
}

const char *thaw_notes_text(const thaw_notes *notes, size_t index)
{
    return index < notes->count ? notes->items[index].text : NULL;
}

const char *thaw_notes_find(const thaw_notes *notes, const char *name)
{
    return thaw_notes_text(notes, find(notes, name));
}
