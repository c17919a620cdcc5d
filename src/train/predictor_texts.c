/* Answers to texts. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/allocation.h"
#include "core/context.h"
#include "data/description.h"
#include "data/text/text_list.h"
#include "data/text/text_open.h"
#include "train/inputs.h"
#include "train/predictor.h"

enum { BATCH = 32 };

/* Which field of texts an input is. */
typedef enum field { TOKEN_IDS, LENGTHS, TOKEN_TYPES, FIELDS } field;

/* Texts that are being answered. */
typedef struct answering {
    thaw_predictor *predictor;
    thaw_text_samples samples;
    size_t *order;            /* of samples, by length */
    int32_t *numbers[FIELDS]; /* of a batch */
    float *answers;           /* of a batch */
    float *scores;            /* of all, in the order of the texts */
    size_t elements;          /* of an answer */
} answering;

/* ---- opening ---- */

bool thaw_predictor_takes_texts(const thaw_predictor *predictor)
{
    return predictor->folder_of_texts || thaw_notes_find(&predictor->notes, "thaw.text");
}

bool thaw_predictor_takes_pairs(const thaw_predictor *predictor)
{
    return predictor->texts.second != NULL;
}

static thaw_status open_tokenizer(thaw_predictor *predictor)
{
    const thaw_description from = { .context = predictor->context,
                                    .name = "text",
                                    .notes = &predictor->notes,
                                    .texts = { .tokenizer = predictor->tokenizer_path } };
    if (predictor->tokenizer)
        return THAW_OK;
    if (!thaw_predictor_takes_texts(predictor))
        return thaw_fail(predictor->context, THAW_UNSUPPORTED,
                         "the weights were not trained on texts: they have no note thaw.text");
    if (predictor->folder_of_texts && !predictor->tokenizer_path)
        return thaw_fail(predictor->context, THAW_NOT_FOUND,
                         "the folder has no tokenizer, must have tokenizer.json, vocab.txt, or vocab.json and "
                         "merges.txt, or one must be named");
    thaw_text_form form;
    thaw_status status = thaw_texts_prepare(&from, &form, &predictor->tokenizer);
    if (status == THAW_OK)
        status = thaw_check_vocabulary(predictor->model, &form);
    thaw_text_form_release(predictor->context, &form);
    if (status == THAW_OK)
        return THAW_OK;
    thaw_tokenizer_destroy(predictor->tokenizer);
    predictor->tokenizer = NULL;
    return status;
}

/* Finds the field that an input has. */
static thaw_status find_field(const thaw_model *model, size_t index, field *found)
{
    static const char *const names[FIELDS] = { "token_ids", "lengths", "token_types" };
    const thaw_graph_input *input = &model->inputs[index];
    const char *name = model->nodes[input->node].name;
    for (*found = TOKEN_IDS; *found < FIELDS; ++*found)
        if (strcmp(name, names[*found]) == 0 && input->dtype == THAW_I32 && (*found == LENGTHS || input->sequence))
            return THAW_OK;
    return thaw_fail(model->context, THAW_UNSUPPORTED,
                     "the network's input \"%s\" is none of texts, which are the sequences token_ids and token_types, "
                     "and lengths, all of int32",
                     name);
}

/* ---- batches ---- */

/* The shorter first; of equal ones the earlier. */
static int compare(const void *left, const void *right)
{
    const size_t *one = left, *other = right;
    if (one[0] != other[0])
        return one[0] < other[0] ? -1 : 1;
    return one[1] < other[1] ? -1 : 1;
}

static thaw_status sort(answering *a)
{
    const size_t count = a->samples.count;
    size_t(*pairs)[2] = thaw_allocate_array(a->samples.context, count, sizeof *pairs);
    a->order = thaw_allocate_array(a->samples.context, count, sizeof *a->order);
    if (!pairs || !a->order) {
        thaw_release(a->samples.context, pairs);
        return THAW_OUT_OF_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        pairs[i][0] = thaw_text_samples_length(&a->samples, i);
        pairs[i][1] = i;
    }
    qsort(pairs, count, sizeof *pairs, compare);
    for (size_t i = 0; i < count; i++)
        a->order[i] = pairs[i][1];
    thaw_release(a->samples.context, pairs);
    return THAW_OK;
}

static thaw_status reserve(answering *a)
{
    thaw_context *context = a->samples.context;
    const size_t longest = a->samples.longest;
    a->elements = thaw_shape_count(thaw_predictor_answer(a->predictor));
    for (field i = TOKEN_IDS; i < FIELDS; i++) {
        a->numbers[i] = thaw_allocate_array(context, BATCH * (i == LENGTHS ? 1 : longest), sizeof *a->numbers[i]);
        if (!a->numbers[i])
            return THAW_OUT_OF_MEMORY;
    }
    a->answers = thaw_allocate_array(context, a->elements, BATCH * sizeof *a->answers);
    return a->answers ? THAW_OK : THAW_OUT_OF_MEMORY;
}

/* Answers to the samples at `count` places of the order from `first` on, the last of which is the longest. */
static thaw_status answer_batch(answering *a, size_t first, size_t count)
{
    const thaw_model *model = a->predictor->model;
    const size_t longest = thaw_text_samples_length(&a->samples, a->order[first + count - 1]);
    const int32_t padding = thaw_texts_padding(a->predictor->tokenizer);
    thaw_tensor inputs[THAW_MOST_MODEL_INPUTS];
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < count; i++) {
        const size_t index = a->order[first + i];
        a->numbers[LENGTHS][i] = (int32_t)thaw_text_samples_length(&a->samples, index);
        thaw_text_samples_read(&a->samples, index, padding, longest, a->numbers[TOKEN_IDS] + i * longest,
                               a->numbers[TOKEN_TYPES] + i * longest);
    }
    for (size_t k = 0; k < model->input_count && status == THAW_OK; k++) {
        field which;
        status = find_field(model, k, &which);
        if (status == THAW_OK)
            inputs[k] = (thaw_tensor){ .dtype = THAW_I32,
                                       .shape = { which == LENGTHS ? 1 : 2, { (int64_t)count, (int64_t)longest } },
                                       .data = a->numbers[which] };
    }
    if (status == THAW_OK)
        status = thaw_predictor_samples(a->predictor, inputs, a->answers);
    for (size_t i = 0; i < count && status == THAW_OK; i++)
        memcpy(a->scores + a->order[first + i] * a->elements, a->answers + i * a->elements,
               a->elements * sizeof *a->scores);
    return status;
}

/* ---- all ---- */

static thaw_status check_texts(const answering *a, const char *const *seconds)
{
    const thaw_predictor *predictor = a->predictor;
    if (!seconds != !predictor->texts.second)
        return thaw_fail(predictor->context, THAW_INVALID_ARGUMENT,
                         seconds ? "the weights were trained on single texts, not on pairs"
                                 : "the weights were trained on pairs of texts: the second one is missing");
    if (!predictor->model->longest)
        return thaw_fail(predictor->context, THAW_UNSUPPORTED, "the network has no sequence as an input");
    return THAW_OK;
}

static thaw_status encode(answering *a, const char *const *texts, const char *const *seconds, size_t count)
{
    thaw_context *context = a->samples.context;
    const size_t length = (size_t)a->predictor->model->longest;
    const thaw_status status =
        thaw_text_list_encode(&a->samples, a->predictor->tokenizer, texts, seconds, count, length);
    for (size_t i = 0; i < count && status == THAW_OK; i++)
        if (thaw_text_samples_length(&a->samples, i) == 0)
            return thaw_fail(context, THAW_INVALID_ARGUMENT, "text %zu of %zu has no tokens", i + 1, count);
    if (status == THAW_OK && a->samples.replaced)
        thaw_log(context, THAW_LOG_WARNING, "%zu parts of texts are not UTF-8 and were replaced by U+FFFD",
                 a->samples.replaced);
    return status;
}

thaw_status thaw_predictor_texts(thaw_predictor *predictor, const char *const *texts, const char *const *seconds,
                                 size_t count, float *scores)
{
    thaw_context *context = predictor->context;
    answering a = { .predictor = predictor, .samples = { .context = context }, .scores = scores };
    thaw_status status = open_tokenizer(predictor);
    if (status != THAW_OK || count == 0)
        return status;
    status = check_texts(&a, seconds);
    if (status == THAW_OK)
        status = encode(&a, texts, seconds, count);
    if (status == THAW_OK)
        status = sort(&a);
    if (status == THAW_OK)
        status = reserve(&a);
    for (size_t first = 0; first < count && status == THAW_OK; first += BATCH)
        status = answer_batch(&a, first, count - first < BATCH ? count - first : BATCH);
    for (field i = TOKEN_IDS; i < FIELDS; i++)
        thaw_release(context, a.numbers[i]);
    thaw_release(context, a.answers);
    thaw_release(context, a.order);
    thaw_text_samples_release(&a.samples);
    return status;
}

thaw_status thaw_predictor_text(thaw_predictor *predictor, const char *text, const char *second, float *scores)
{
    return thaw_predictor_texts(predictor, &text, second ? &second : NULL, 1, scores);
}
