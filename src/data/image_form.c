#include "data/image_form.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/allocation.h"
#include "core/text.h"
#include "data/description.h"
#include "data/folder.h"

typedef enum part { SIZE, RESIZE, CHANNELS, MEAN, STD, DECODE, PARTS } part;

static const char *const names[PARTS] = { "size", "resize", "channels", "mean", "std", "decode" };

thaw_folder_options thaw_image_form_of(const thaw_folder_options *options)
{
    thaw_folder_options form = {
        .size = options->size,
        .resize = options->resize,
        .channels = options->channels,
        .decode_fully = options->decode_fully,
    };
    for (int c = 0; c < options->channels; c++) {
        form.mean[c] = options->mean[c];
        form.std[c] = options->std[c];
    }
    return form;
}

/* ---------------------------------------------------------------- writing */

/* Nine digits always suffice. */
static int write_float(char *text, size_t capacity, float value)
{
    int length = 0;
    for (int digits = 6; digits <= 9; digits++) {
        length = snprintf(text, capacity, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value)
            break;
    }
    return length;
}

static void write_levels(char *text, const float *levels, int channels)
{
    size_t at = strlen(text);
    for (int c = 0; c < channels; c++) {
        at += (size_t)snprintf(text + at, THAW_FORM_BYTES - at, "%s", c ? "," : "");
        at += (size_t)write_float(text + at, THAW_FORM_BYTES - at, levels[c]);
    }
}

/* Writes "mean=0.5". */
static void write_part(char text[THAW_FORM_BYTES], const thaw_folder_options *form, part which)
{
    snprintf(text, THAW_FORM_BYTES, "%s=", names[which]);
    const size_t length = strlen(text);
    switch (which) {
    case SIZE:
        snprintf(text + length, THAW_FORM_BYTES - length, "%" PRId64, form->size);
        break;
    case RESIZE:
        snprintf(text + length, THAW_FORM_BYTES - length, "%" PRId64, form->resize ? form->resize : form->size);
        break;
    case CHANNELS:
        snprintf(text + length, THAW_FORM_BYTES - length, "%d", form->channels);
        break;
    case MEAN:
        write_levels(text, form->mean, form->channels);
        break;
    case STD:
        write_levels(text, form->std, form->channels);
        break;
    case DECODE:
    case PARTS:
        snprintf(text + length, THAW_FORM_BYTES - length, "%s", form->decode_fully ? "full" : "scaled");
        break;
    }
}

thaw_status thaw_image_form_write(thaw_context *context, const thaw_folder_options *form, char **text)
{
    thaw_text whole = { .context = context };
    for (part i = SIZE; i < PARTS; i++) {
        char written[THAW_FORM_BYTES];
        write_part(written, form, i);
        thaw_text_append(&whole, "%s%s", i ? ";" : "", written);
    }
    return thaw_text_finish(&whole, text);
}

/* ---------------------------------------------------------------- reading */

/* Options that are no part of a form. */
static const char *find_foreign(const thaw_description *parsed)
{
    const thaw_described_set *set = &thaw_described_folder;
    for (size_t i = 0; i < set->option_count; i++) {
        part known = SIZE;
        while (known < PARTS && strcmp(set->options[i].name, names[known]) != 0)
            known++;
        if (known == PARTS && (parsed->given >> i & 1))
            return set->options[i].name;
    }
    return NULL;
}

static thaw_status read_options(thaw_description *parsed)
{
    thaw_status status = thaw_description_parse_options(parsed, &thaw_described_folder, parsed->text);
    const char *foreign = find_foreign(parsed);
    if (status == THAW_OK && foreign)
        status = thaw_fail(parsed->context, THAW_BAD_FORMAT, "has the option %s, which no sample depends on", foreign);
    return status == THAW_OK ? thaw_folder_complete(parsed->context, &parsed->folder) : status;
}

thaw_status thaw_image_form_read(thaw_context *context, const char *what, const char *text, thaw_folder_options *form)
{
    thaw_description parsed = { .context = context, .name = what };
    *form = (thaw_folder_options){ 0 };
    parsed.text = thaw_copy_text(context, text);
    thaw_status status = parsed.text ? read_options(&parsed) : THAW_OUT_OF_MEMORY;
    thaw_description_release(&parsed);
    if (status == THAW_OK)
        *form = thaw_image_form_of(&parsed.folder);
    else if (status != THAW_OUT_OF_MEMORY)
        status = thaw_fail(context, THAW_BAD_FORMAT, "%s: \"%.100s\": %s", what, text, thaw_context_message(context));
    return status;
}

/* ---------------------------------------------------------------- completing */

/* Whether the description leaves the part out, and what it gives does not rule out the form's. */
static bool is_left_out(const thaw_description *parsed, const thaw_folder_options *form, part which)
{
    const thaw_described_set *set = &thaw_described_folder;
    const thaw_folder_options *given = &parsed->folder;
    if (thaw_description_gives(parsed, set, names[which]))
        return false;
    if (which == RESIZE)
        return !thaw_description_gives(parsed, set, "size") || given->size == form->size;
    if (which == MEAN || which == STD)
        return !thaw_description_gives(parsed, set, "channels") || given->channels == form->channels;
    return true;
}

thaw_status thaw_image_form_complete(thaw_context *context, const thaw_folder_options *form, const char *description,
                                     char **completed)
{
    thaw_description parsed = { .context = context };
    const thaw_described_set *set;
    thaw_text whole = { .context = context };
    *completed = NULL;
    const thaw_status status = thaw_description_parse(&parsed, description, &set);
    thaw_text_append(&whole, "%s", description);
    for (part i = SIZE; i < PARTS && status == THAW_OK && set == &thaw_described_folder; i++) {
        char written[THAW_FORM_BYTES];
        if (!is_left_out(&parsed, form, i))
            continue;
        write_part(written, form, i);
        thaw_text_append(&whole, "%s%s", whole.length && whole.characters[whole.length - 1] == ';' ? "" : ";", written);
    }
    thaw_description_release(&parsed);
    if (status == THAW_OK)
        return thaw_text_finish(&whole, completed);
    thaw_release(context, whole.characters);
    return status;
}

/* ---------------------------------------------------------------- comparing */

bool thaw_image_form_differs(const thaw_folder_options *one, const thaw_folder_options *other,
                             char first[THAW_FORM_BYTES], char second[THAW_FORM_BYTES])
{
    for (part i = SIZE; i < DECODE; i++) {
        if (i == RESIZE && (!one->resize || !other->resize))
            continue;
        write_part(first, one, i);
        write_part(second, other, i);
        if (strcmp(first, second) != 0)
            return true;
    }
    return false;
}
