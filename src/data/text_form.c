#include "data/text_form.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/allocation.h"
#include "core/text.h"
#include "data/description.h"
#include "io/name_list.h"

enum { FINGERPRINT_BYTES = 33 };

static bool copy(thaw_context *context, const char *from, char **into)
{
    *into = from ? thaw_copy_text(context, from) : NULL;
    return *into || !from;
}

thaw_status thaw_text_form_copy(thaw_context *context, const thaw_text_form *from, thaw_text_form *into)
{
    *into = (thaw_text_form){ .length = from->length, .lm = from->lm, .vocabulary = from->vocabulary };
    memcpy(into->fingerprint, from->fingerprint, sizeof into->fingerprint);
    if (copy(context, from->text, &into->text) && copy(context, from->second, &into->second) &&
        copy(context, from->label, &into->label) && copy(context, from->tokenizer, &into->tokenizer))
        return THAW_OK;
    thaw_text_form_release(context, into);
    return THAW_OUT_OF_MEMORY;
}

void thaw_text_form_release(thaw_context *context, thaw_text_form *form)
{
    thaw_release(context, form->text);
    thaw_release(context, form->second);
    thaw_release(context, form->label);
    thaw_release(context, form->tokenizer);
    *form = (thaw_text_form){ 0 };
}

/* ---- writing ---- */

static void append_column(thaw_text *text, const char *option, const char *column)
{
    if (column)
        thaw_text_append(text, "%s=%s;", option, column);
}

static thaw_status write_tokenizer(thaw_context *context, const thaw_text_form *form, char **tokenizer)
{
    char fingerprint[FINGERPRINT_BYTES];
    snprintf(fingerprint, sizeof fingerprint, "%016" PRIx64 "%016" PRIx64, form->fingerprint[0], form->fingerprint[1]);
    const char *const both[] = { form->tokenizer, fingerprint };
    return thaw_name_list_write(context, both, THAW_COUNT(both), tokenizer);
}

thaw_status thaw_text_form_write(thaw_context *context, const thaw_text_form *form, char **text, char **tokenizer)
{
    thaw_text whole = { .context = context };
    *text = *tokenizer = NULL;
    if (!form->tokenizer)
        return THAW_OK;
    append_column(&whole, "text", form->text);
    append_column(&whole, "second", form->second);
    append_column(&whole, "label", form->label);
    thaw_text_append(&whole, "length=%zu%s", form->length, form->lm ? ";task=lm" : "");
    thaw_status status = thaw_text_finish(&whole, text);
    if (status == THAW_OK)
        status = write_tokenizer(context, form, tokenizer);
    if (status == THAW_OK)
        return THAW_OK;
    thaw_release(context, *text);
    *text = NULL;
    return status;
}

/* ---- reading ---- */

static thaw_status read_options(thaw_context *context, const char *note, thaw_text_form *form)
{
    thaw_description parsed = { .context = context, .name = "thaw.text" };
    parsed.text = thaw_copy_text(context, note);
    thaw_status status =
        parsed.text ? thaw_description_parse_options(&parsed, &thaw_described_text, parsed.text) : THAW_OUT_OF_MEMORY;
    const thaw_described_texts *texts = &parsed.texts;
    if (status == THAW_OK && !texts->length)
        status = thaw_fail(context, THAW_BAD_FORMAT, "length is missing");
    const thaw_text_form read = { .text = (char *)(uintptr_t)texts->text,
                                  .second = (char *)(uintptr_t)texts->second,
                                  .label = (char *)(uintptr_t)texts->label,
                                  .length = texts->length,
                                  .lm = texts->lm };
    if (status == THAW_OK)
        status = thaw_text_form_copy(context, &read, form);
    thaw_description_release(&parsed);
    if (status == THAW_OK || status == THAW_OUT_OF_MEMORY)
        return status;
    return thaw_fail(context, THAW_BAD_FORMAT, "thaw.text: \"%.100s\": %s", note, thaw_context_message(context));
}

static bool read_fingerprint(const char *text, uint64_t fingerprint[2])
{
    const size_t digits = strspn(text, "0123456789abcdef");
    return digits == FINGERPRINT_BYTES - 1 && !text[digits] &&
           sscanf(text, "%16" SCNx64 "%16" SCNx64, &fingerprint[0], &fingerprint[1]) == 2;
}

static thaw_status read_tokenizer(thaw_context *context, const char *note, thaw_text_form *form)
{
    char **both = NULL;
    size_t count = 0;
    thaw_status status = thaw_name_list_read(context, "thaw.tokenizer", note, &both, &count);
    if (status == THAW_OK && (count != 2 || !read_fingerprint(both[1], form->fingerprint)))
        status = thaw_fail(context, THAW_BAD_FORMAT,
                           "thaw.tokenizer: \"%.100s\": must be a path and a fingerprint of 32 digits", note);
    if (status == THAW_OK && !(form->tokenizer = thaw_copy_text(context, both[0])))
        status = THAW_OUT_OF_MEMORY;
    thaw_release(context, (void *)both);
    return status;
}

thaw_status thaw_text_form_read(thaw_context *context, const thaw_notes *notes, thaw_text_form *form)
{
    const char *text = notes ? thaw_notes_find(notes, "thaw.text") : NULL;
    const char *tokenizer = text ? thaw_notes_find(notes, "thaw.tokenizer") : NULL;
    *form = (thaw_text_form){ 0 };
    if (!text)
        return THAW_OK;
    if (!tokenizer)
        return thaw_fail(context, THAW_BAD_FORMAT, "the file notes thaw.text, but not thaw.tokenizer");
    thaw_status status = read_options(context, text, form);
    if (status == THAW_OK)
        status = read_tokenizer(context, tokenizer, form);
    if (status != THAW_OK)
        thaw_text_form_release(context, form);
    return status;
}

/* ---- completing ---- */

thaw_status thaw_text_form_complete(thaw_context *context, const char *tokenizer, const char *description,
                                    char **completed)
{
    thaw_description parsed = { .context = context };
    const thaw_described_set *set;
    thaw_text whole = { .context = context };
    *completed = NULL;
    thaw_status status = thaw_description_parse(&parsed, description, &set);
    const bool lacks = status == THAW_OK && set == &thaw_described_text && !parsed.texts.tokenizer;
    thaw_description_release(&parsed);
    if (lacks && strchr(tokenizer, ';'))
        status =
            thaw_fail(context, THAW_INVALID_ARGUMENT, "text: the path of the tokenizer %s has a semicolon", tokenizer);
    if (status != THAW_OK)
        return status;
    thaw_text_append(&whole, "%s", description);
    if (lacks)
        thaw_text_append(&whole, ";tokenizer=%s", tokenizer);
    return thaw_text_finish(&whole, completed);
}
