#include "data/text/bert_text.h"

#include "data/text/character.h"

typedef struct writer {
    thaw_context *context;
    const thaw_bert_form *form;
    thaw_byte_list *out;
    thaw_id_list *marks; /* characters with a combining class, that wait for the end of their run */
} writer;

static bool write(writer *w, uint32_t code)
{
    uint32_t lowered[THAW_MOST_LOWERED] = { code };
    const size_t count = w->form->lower ? thaw_character_lower(code, lowered) : 1;
    if (!thaw_byte_list_reserve(w->context, w->out, count * THAW_UTF8_BYTES))
        return false;
    for (size_t i = 0; i < count; i++)
        w->out->count += thaw_character_write(lowered[i], w->out->items + w->out->count);
    return true;
}

/* Writes the waiting marks by ascending class, those of one class in their order (Unicode, chapter 3.11, D109). Marks
   that are no accents have few classes, so each takes a pass. */
static bool write_marks(writer *w)
{
    const thaw_id_list *marks = w->marks;
    unsigned past = 0;
    for (size_t written = 0; written < marks->count; past++) {
        unsigned lowest = ~0U;
        for (size_t i = 0; i < marks->count; i++) {
            const unsigned class = thaw_character_class((uint32_t)marks->items[i]);
            lowest = class >= past && class < lowest ? class : lowest;
        }
        for (size_t i = 0; i < marks->count; i++) {
            if (thaw_character_class((uint32_t)marks->items[i]) != lowest)
                continue;
            if (!write(w, (uint32_t)marks->items[i]))
                return false;
            written++;
        }
        past = lowest;
    }
    w->marks->count = 0;
    return true;
}

/* Decomposes a character, drops accents, and keeps the order of marks canonical. */
static bool write_parts(writer *w, uint32_t code)
{
    uint32_t parts[THAW_MOST_DECOMPOSED];
    const size_t count = thaw_character_decompose(code, parts);
    for (size_t i = 0; i < count; i++) {
        const bool waits = thaw_character_class(parts[i]) != 0;
        if (!waits && w->marks->count && !write_marks(w))
            return false;
        if (thaw_character_is_accent(parts[i]))
            continue;
        if (waits ? !thaw_id_list_add(w->context, w->marks, (int32_t)parts[i]) : !write(w, parts[i]))
            return false;
    }
    return true;
}

static bool take(writer *w, uint32_t code)
{
    if (w->form->clean) {
        if (code == THAW_REPLACEMENT || thaw_character_is_control(code))
            return true;
        code = thaw_character_is_space(code) ? ' ' : code;
    }
    const bool apart = w->form->ideographs && thaw_character_is_ideograph(code);
    if (apart && !(w->form->accents ? write_parts(w, ' ') : write(w, ' ')))
        return false;
    if (!(w->form->accents ? write_parts(w, code) : write(w, code)))
        return false;
    return !apart || (w->form->accents ? write_parts(w, ' ') : write(w, ' '));
}

/* What becomes of a character of ASCII; 0: nothing. */
static unsigned char map_ascii(const thaw_bert_form *form, unsigned char c)
{
    if (form->lower && c >= 'A' && c <= 'Z')
        return (unsigned char)(c - 'A' + 'a');
    if (form->clean && (c == '\t' || c == '\n' || c == '\r'))
        return ' ';
    return form->clean && (c < ' ' || c == 0x7F) ? 0 : c;
}

bool thaw_bert_normalise(thaw_context *context, const thaw_bert_form *form, const unsigned char *text, size_t bytes,
                         thaw_id_list *marks, thaw_byte_list *normalised)
{
    writer w = { context, form, normalised, marks };
    const unsigned char *end = text + bytes;
    marks->count = 0;
    if (!thaw_byte_list_reserve(context, normalised, bytes))
        return false;
    while (text < end) {
        if (*text >= 0x80 || *text == 0) {
            if (!take(&w, thaw_character_next(&text)))
                return false;
            continue;
        }
        if (marks->count && !write_marks(&w))
            return false;
        if (!thaw_byte_list_reserve(context, normalised, (size_t)(end - text)))
            return false;
        for (; text < end && *text < 0x80 && *text; text++) {
            const unsigned char mapped = map_ascii(form, *text);
            normalised->items[normalised->count] = mapped;
            normalised->count += mapped != 0;
        }
    }
    return write_marks(&w);
}
