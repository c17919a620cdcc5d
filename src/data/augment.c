#include "data/augment.h"

#include <string.h>

#include "core/nearest.h"
#include "core/number.h"
#include "core/philox.h"
#include "data/transform.h"

/* ---------------------------------------------------------------- reading */

enum { MOST_NAME = 64 };

/* A word up to one of the ends, which is left in *text. Longer ones are cut: none of that length is known. */
static void take_word(const char **text, const char *ends, char word[MOST_NAME])
{
    const size_t length = strcspn(*text, ends), kept = length < MOST_NAME - 1 ? length : MOST_NAME - 1;
    memcpy(word, *text, kept);
    word[kept] = '\0';
    *text += length;
}

static size_t count_parameters(const thaw_transform_kind *kind)
{
    size_t count = 0;
    while (count < THAW_MOST_PARAMETERS && kind->parameters[count].name)
        count++;
    return count;
}

static thaw_status find_kind(thaw_context *context, const char *name, const thaw_transform_kind **kind)
{
    const char *known[THAW_TRANSFORMS];
    for (size_t i = 0; i < THAW_TRANSFORMS; i++) {
        known[i] = thaw_transform_kinds[i].name;
        if (strcmp(name, known[i]) == 0) {
            *kind = &thaw_transform_kinds[i];
            return THAW_OK;
        }
    }
    return thaw_fail_unknown(context, "transform of augment", name, known, THAW_TRANSFORMS);
}

static thaw_status find_parameter(thaw_context *context, const thaw_transform_kind *kind, const char *name,
                                  size_t *which)
{
    const char *known[THAW_MOST_PARAMETERS];
    const size_t count = count_parameters(kind);
    char what[MOST_NAME + 16] = "parameter of ";
    for (size_t i = 0; i < count; i++) {
        known[i] = kind->parameters[i].name;
        if (strcmp(name, known[i]) == 0) {
            *which = i;
            return THAW_OK;
        }
    }
    strncat(what, kind->name, MOST_NAME);
    return thaw_fail_unknown(context, what, name, known, count);
}

/* Reads "brightness=0.4,hue=0.1", up to a plus. */
static thaw_status read_parameters(thaw_context *context, const char **text, thaw_transform *into)
{
    unsigned given = 0;
    do {
        char name[MOST_NAME], value[MOST_NAME] = "";
        size_t which = 0;
        double number;
        ++*text;
        take_word(text, "=,+", name);
        if (**text == '=') {
            ++*text;
            take_word(text, ",+", value);
        }
        const thaw_status status = find_parameter(context, into->kind, name, &which);
        if (status != THAW_OK)
            return status;
        const thaw_transform_parameter *parameter = &into->kind->parameters[which];
        if (given >> which & 1)
            return thaw_fail(context, THAW_INVALID_ARGUMENT, "augment: %s of %s is given twice", name,
                             into->kind->name);
        given |= 1U << which;
        if (!thaw_parse_number(value, strlen(value), &number) || !(number >= parameter->least) ||
            !(number <= parameter->most) || (parameter->whole && number != rint(number)))
            return thaw_fail(context, THAW_INVALID_ARGUMENT,
                             "augment: %s of %s is \"%s\", must be a %snumber from %g to %g", name, into->kind->name,
                             value, parameter->whole ? "whole " : "", parameter->least, parameter->most);
        into->values[which] = number;
    } while (**text == ',');
    return THAW_OK;
}

/* Where both bounds of a range are parameters. */
static thaw_status check_range(thaw_context *context, const thaw_transform *read, size_t least)
{
    const thaw_transform_parameter *parameters = read->kind->parameters;
    if (read->values[least] <= read->values[least + 1])
        return THAW_OK;
    return thaw_fail(context, THAW_INVALID_ARGUMENT, "augment: %s of %s is %g, must not be above %s, which is %g",
                     parameters[least].name, read->kind->name, read->values[least], parameters[least + 1].name,
                     read->values[least + 1]);
}

static thaw_status check_ranges(thaw_context *context, const thaw_transform *read)
{
    if (read->kind == &thaw_transform_kinds[THAW_TRANSFORM_ERASING])
        return check_range(context, read, 1);
    if (read->kind != &thaw_transform_kinds[THAW_TRANSFORM_CROP])
        return THAW_OK;
    const thaw_status status = check_range(context, read, 0);
    return status == THAW_OK ? check_range(context, read, 2) : status;
}

static void add(thaw_augment *augment, const thaw_transform *read)
{
    if (read->kind == &thaw_transform_kinds[THAW_TRANSFORM_CROP]) {
        augment->crops = true;
        augment->crop = (thaw_crop_bounds){ read->values[0], read->values[1], read->values[2], read->values[3] };
    } else if (read->kind == &thaw_transform_kinds[THAW_TRANSFORM_FLIP]) {
        augment->flips = true;
        augment->flip_share = read->values[0];
    } else {
        augment->transforms[augment->count++] = *read;
    }
}

thaw_status thaw_augment_parse(thaw_context *context, const char *text, thaw_augment *augment)
{
    unsigned given = 0;
    *augment = (thaw_augment){ 0 };
    for (const char *next = text;; next++) {
        thaw_transform read = { 0 };
        char name[MOST_NAME];
        take_word(&next, ":+", name);
        thaw_status status = find_kind(context, name, &read.kind);
        for (size_t i = 0; status == THAW_OK && i < count_parameters(read.kind); i++)
            read.values[i] = read.kind->parameters[i].usual;
        if (status == THAW_OK && *next == ':')
            status = read_parameters(context, &next, &read);
        if (status == THAW_OK)
            status = check_ranges(context, &read);
        if (status != THAW_OK)
            return status;
        const size_t number = (size_t)(read.kind - thaw_transform_kinds);
        if (given >> number & 1)
            return thaw_fail(context, THAW_INVALID_ARGUMENT, "augment: %s is given twice", name);
        given |= 1U << number;
        add(augment, &read);
        if (*next == '\0')
            return THAW_OK;
    }
}

/* ---------------------------------------------------------------- use */

bool thaw_augment_changes(const thaw_augment *augment)
{
    return augment->crops || augment->flips || augment->count;
}

void thaw_augment_digest(const thaw_augment *augment, thaw_digest *digest)
{
    const thaw_crop_bounds *crop = &augment->crop;
    const double bounds[] = { crop->least_area, crop->most_area, crop->least_ratio, crop->most_ratio,
                              augment->flip_share };
    thaw_digest_add_number(digest, augment->crops);
    thaw_digest_add_number(digest, augment->flips);
    thaw_digest_add(digest, bounds, sizeof bounds);
    for (size_t i = 0; i < augment->count; i++) {
        thaw_digest_add_text(digest, augment->transforms[i].kind->name);
        thaw_digest_add(digest, augment->transforms[i].values, sizeof augment->transforms[i].values);
    }
}

/* Words of a transform, by its number; the frame has number 0. */
static void fill(const thaw_augment_draw *draw, uint32_t node, uint32_t words[THAW_AUGMENT_WORDS])
{
    const thaw_stream random = {
        .seed = draw->seed, .purpose = THAW_PURPOSE_AUGMENT, .step = draw->view, .node = node
    };
    thaw_random_fill(draw->context, &random, draw->sample * THAW_AUGMENT_WORDS, THAW_AUGMENT_WORDS, words);
}

void thaw_augment_frame(const thaw_augment_draw *draw, size_t width, size_t height, size_t size, thaw_frame *frame)
{
    uint32_t words[THAW_AUGMENT_WORDS];
    if (!draw->augment->crops && !draw->augment->flips)
        return;
    fill(draw, 0, words);
    if (draw->augment->crops)
        *frame = thaw_frame_random(width, height, size, &draw->augment->crop, words);
    /* 0.5 is the highest bit */
    frame->flipped =
        draw->augment->flips && (double)thaw_unit(words[THAW_FRAME_WORDS]) >= 1 - draw->augment->flip_share;
}

void thaw_augment_pixels(const thaw_augment_draw *draw, thaw_pixels *pixels)
{
    uint32_t words[THAW_AUGMENT_WORDS];
    for (size_t i = 0; i < draw->augment->count; i++) {
        const thaw_transform *next = &draw->augment->transforms[i];
        if (!next->kind->change)
            continue;
        fill(draw, 1 + (uint32_t)(next->kind - thaw_transform_kinds), words);
        next->kind->change(next->values, words, pixels);
    }
}

void thaw_augment_sample(const thaw_augment_draw *draw, float *sample, size_t size, size_t channels)
{
    uint32_t words[THAW_AUGMENT_WORDS];
    for (size_t i = 0; i < draw->augment->count; i++) {
        const thaw_transform *next = &draw->augment->transforms[i];
        if (!next->kind->finish)
            continue;
        fill(draw, 1 + (uint32_t)(next->kind - thaw_transform_kinds), words);
        next->kind->finish(next->values, words, sample, size, channels);
    }
}
