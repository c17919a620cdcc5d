#include "data/text/text_open.h"

#include <string.h>
#include <thaw/notes.h>

#include "core/allocation.h"
#include "data/samples.h"
#include "data/selection.h"
#include "data/text/plain_text.h"
#include "data/text/text_file.h"
#include "data/text/text_source.h"

/* ---- the form ---- */

/* The description's word, or else the noted one. */
static char *choose(const char *given, const char *noted)
{
    return (char *)(uintptr_t)(given ? given : noted);
}

static thaw_status complete(const thaw_description *from, const thaw_text_form *noted, thaw_text_form *form)
{
    const thaw_described_texts *given = &from->texts;
    const bool says_task = thaw_description_gives(from, &thaw_described_text, "task");
    thaw_text_form chosen = {
        .length = given->length   ? given->length
                  : noted->length ? noted->length
                                  : THAW_DEFAULT_LENGTH,
        .lm = says_task ? given->lm : noted->lm,
        .tokenizer = choose(given->tokenizer, noted->tokenizer),
        .text = choose(given->text, noted->text),
        .second = choose(given->second, noted->second),
        .label = choose(given->label, noted->label),
    };
    if (!chosen.tokenizer)
        return thaw_fail(from->context, THAW_INVALID_ARGUMENT,
                         "text: tokenizer=PATH is missing: a folder with tokenizer.json, with vocab.txt, or with "
                         "vocab.json and merges.txt");
    if (chosen.lm && (given->text || given->second || given->label))
        return thaw_fail(from->context, THAW_INVALID_ARGUMENT,
                         "text: task=lm reads a plain text, so %s=COLUMN cannot be given",
                         given->text     ? "text"
                         : given->second ? "second"
                                         : "label");
    if (chosen.lm)
        chosen.text = chosen.second = chosen.label = NULL;
    return thaw_text_form_copy(from->context, &chosen, form);
}

static thaw_status check_fingerprint(const thaw_description *from, const thaw_text_form *noted,
                                     const thaw_text_form *form)
{
    const bool same_path = noted->tokenizer && strcmp(noted->tokenizer, form->tokenizer) == 0;
    if (!noted->tokenizer || memcmp(noted->fingerprint, form->fingerprint, sizeof form->fingerprint) == 0)
        return THAW_OK;
    if (same_path)
        return thaw_fail(from->context, THAW_INVALID_ARGUMENT,
                         "text: the tokenizer %s has changed since the weights were trained with it", form->tokenizer);
    return thaw_fail(from->context, THAW_INVALID_ARGUMENT,
                     "text: tokenizer=%s is not the one that the weights were trained with, %s", form->tokenizer,
                     noted->tokenizer);
}

thaw_status thaw_texts_prepare(const thaw_description *from, thaw_text_form *form, thaw_tokenizer **tokenizer)
{
    thaw_text_form noted;
    *form = (thaw_text_form){ 0 };
    *tokenizer = NULL;
    thaw_status status = thaw_text_form_read(from->context, from->notes, &noted);
    if (status == THAW_OK)
        status = complete(from, &noted, form);
    if (status == THAW_OK)
        status = thaw_tokenizer_open(from->context, form->tokenizer, tokenizer);
    if (status == THAW_OK) {
        form->vocabulary = thaw_tokenizer_count(*tokenizer);
        thaw_tokenizer_fingerprint(*tokenizer, form->fingerprint);
        status = check_fingerprint(from, &noted, form);
    }
    thaw_text_form_release(from->context, &noted);
    return status;
}

int32_t thaw_texts_padding(const thaw_tokenizer *tokenizer)
{
    const int32_t one = thaw_tokenizer_id(tokenizer, "[PAD]"), other = thaw_tokenizer_id(tokenizer, "<pad>");
    return one >= 0 ? one : other >= 0 ? other : 0;
}

/* ---- reading ---- */

/* Texts under construction. */
typedef struct texts {
    const thaw_description *from;
    thaw_text_form form;
    thaw_tokenizer *tokenizer;
    thaw_words classes;
    thaw_text_samples all, part; /* of the training part, and of the test part */
} texts;

static thaw_status read_classes(texts *set)
{
    char **names = NULL;
    size_t count = 0;
    thaw_status status = set->from->notes && thaw_notes_find(set->from->notes, "thaw.text")
                             ? thaw_notes_classes(set->from->notes, &names, &count)
                             : THAW_OK;
    for (size_t i = 0; i < count && status == THAW_OK; i++)
        status = thaw_words_add(&set->classes, names[i]);
    thaw_release(set->from->context, (void *)names);
    return status;
}

static thaw_status fail_missing(const texts *set, const char *option)
{
    return thaw_fail(set->from->context, THAW_INVALID_ARGUMENT,
                     "%s: %s=COLUMN is missing: the name of a column, or its number from 1", set->from->directory,
                     option);
}

/* Test data alone do not need the training file, if the classes are noted. */
static thaw_status read_columns(texts *set, bool trains)
{
    const thaw_description *from = set->from;
    const char *test = from->texts.test;
    if (!set->form.text || !set->form.label)
        return fail_missing(set, set->form.text ? "label" : "text");
    thaw_status status = read_classes(set);
    thaw_text_options options = { .path = from->directory,
                                  .test = test,
                                  .text = set->form.text,
                                  .second = set->form.second,
                                  .label = set->form.label,
                                  .length = set->form.length,
                                  .split = from->split,
                                  .seed = from->seed };
    const bool alone = !trains && test && set->classes.count;
    if (alone) {
        options.path = test;
        options.test = NULL;
    }
    return status == THAW_OK ? thaw_text_file_read(set->tokenizer, &options, &set->classes,
                                                   alone ? &set->part : &set->all, alone ? &set->all : &set->part)
                             : status;
}

static thaw_status split_windows(texts *set)
{
    bool *marked = NULL;
    size_t count;
    thaw_status status =
        thaw_samples_draw(set->from->context, set->all.count, set->from->split, set->from->seed, &marked, &count);
    if (status == THAW_OK)
        status = thaw_text_samples_move(&set->all, marked, count, &set->part);
    thaw_release(set->from->context, marked);
    return status;
}

static thaw_status read_plain(texts *set)
{
    const char *test = set->from->texts.test;
    const size_t length = set->form.length;
    if (set->from->has_classes || set->from->selection.per_class || set->from->selection.repeat)
        return thaw_fail(set->from->context, THAW_INVALID_ARGUMENT,
                         "text: classes, per-class and repeat are for classes, not for task=lm");
    thaw_status status = thaw_plain_text_read(set->tokenizer, set->from->directory, length, &set->all);
    if (status == THAW_OK && test)
        return thaw_plain_text_read(set->tokenizer, test, length, &set->part);
    return status == THAW_OK && set->from->split > 0 ? split_windows(set) : status;
}

/* ---- data sets ---- */

static thaw_status make(texts *set, thaw_text_samples *samples, bool trains, thaw_dataset **dataset)
{
    const thaw_description *from = set->from;
    thaw_dataset_selection selection = trains ? from->selection : (thaw_dataset_selection){ 0 };
    thaw_dataset *whole;
    selection.first_class = from->selection.first_class;
    selection.last_class = from->has_classes ? from->selection.last_class : SIZE_MAX;
    const thaw_status status =
        thaw_text_source_create(samples, &set->form, thaw_texts_padding(set->tokenizer), &set->classes, &whole);
    if (status == THAW_OK && (from->has_classes || selection.per_class || selection.repeat))
        return thaw_select_owned(from->context, whole, &selection, dataset);
    *dataset = whole;
    return status;
}

static thaw_status open_parts(texts *set, thaw_dataset **training, thaw_dataset **test)
{
    thaw_status status = thaw_texts_prepare(set->from, &set->form, &set->tokenizer);
    const bool tests = set->from->texts.test || set->from->split > 0;
    if (status != THAW_OK || (!training && !tests)) /* there are no test data to read for */
        return status;
    status = set->form.lm ? read_plain(set) : read_columns(set, training != NULL);
    if (status == THAW_OK && test && set->part.count)
        status = make(set, &set->part, false, test);
    if (status == THAW_OK && training)
        status = make(set, &set->all, true, training);
    if (status != THAW_OK && test) {
        thaw_dataset_destroy(*test);
        *test = NULL;
    }
    return status;
}

thaw_status thaw_texts_open(thaw_description *from, thaw_dataset **training, thaw_dataset **test)
{
    thaw_context *context = from->context;
    texts set = {
        .from = from,
        .classes = { .context = context },
        .all = { .context = context },
        .part = { .context = context },
    };
    const thaw_status status = open_parts(&set, training, test);
    thaw_text_samples_release(&set.all);
    thaw_text_samples_release(&set.part);
    thaw_words_release(&set.classes);
    thaw_tokenizer_destroy(set.tokenizer);
    thaw_text_form_release(context, &set.form);
    return status;
}
