#include "train/mixing.h"

#include <math.h>
#include <string.h>

#include "core/philox.h"
#include "core/shape.h"

/* Words of a part: those of beta, then which kind, and the middle of the rectangle. */
enum { KIND = THAW_BETA_WORDS, ACROSS, DOWN, WORDS = 64 };

static const double TURN = 6.28318530717958647692;

static thaw_stream stream_of(const thaw_mixing *part, uint32_t node)
{
    return (thaw_stream){ .seed = part->seed, .purpose = THAW_PURPOSE_MIXING, .node = node, .step = part->step };
}

/* Above 0 and below 1. */
static double open_unit(uint32_t word)
{
    return ((double)(word >> 8) + 0.5) * 0x1p-24;
}

static double normal(uint32_t radius, uint32_t angle)
{
    return sqrt(-2 * log(open_unit(radius))) * cos(TURN * open_unit(angle));
}

/* The logarithm of a number from Gamma(alpha, 1): Marsaglia and Tsang 2000, "A simple method for generating gamma
   variables", with alpha + 1 for an alpha below 1. So many attempts never fail all. */
static double log_gamma_variable(double alpha, const uint32_t *words)
{
    enum { ATTEMPTS = 9 };
    const double raised = alpha < 1 ? alpha + 1 : alpha, d = raised - 1.0 / 3, c = 1 / sqrt(9 * d);
    double found = log(d);
    for (int i = 0; i < ATTEMPTS; i++, words += 3) {
        const double x = normal(words[0], words[1]), root = 1 + c * x, v = root * root * root;
        if (root <= 0 || log(open_unit(words[2])) >= 0.5 * x * x + d - d * v + d * log(v))
            continue;
        found = log(d) + log(v);
        break;
    }
    return found;
}

double thaw_mixing_beta(double alpha, const uint32_t words[THAW_BETA_WORDS])
{
    enum { EACH = THAW_BETA_WORDS / 2 };
    double logs[2];
    for (int i = 0; i < 2; i++) {
        logs[i] = log_gamma_variable(alpha, words + i * EACH + 1);
        if (alpha < 1)
            logs[i] += log(open_unit(words[i * EACH])) / alpha;
    }
    return 1 / (1 + exp(logs[1] - logs[0]));
}

static size_t below(size_t bound, uint32_t word)
{
    return (size_t)((uint64_t)word * bound >> 32);
}

/* From torchvision's CutMix: the middle is uniform, and the rectangle ends at the borders. */
static void draw_rectangle(thaw_mixed *mixed, double lambda, const thaw_shape *sample, const uint32_t words[WORDS])
{
    const int64_t height = sample->dims[0], width = sample->dims[1];
    const int64_t x = (int64_t)below((size_t)width, words[ACROSS]), y = (int64_t)below((size_t)height, words[DOWN]);
    const double share = 0.5 * sqrt(1 - lambda);
    const int64_t half_width = (int64_t)(share * (double)width), half_height = (int64_t)(share * (double)height);
    const int64_t left = x > half_width ? x - half_width : 0, top = y > half_height ? y - half_height : 0;
    const int64_t right = x + half_width < width ? x + half_width : width;
    const int64_t bottom = y + half_height < height ? y + half_height : height;
    *mixed = (thaw_mixed){
        .other = (double)((right - left) * (bottom - top)) / (double)(width * height),
        .cuts = true,
        .top = (size_t)top,
        .left = (size_t)left,
        .height = (size_t)(bottom - top),
        .width = (size_t)(right - left),
    };
}

thaw_mixed thaw_mixing_draw(const thaw_mixing *part, const thaw_shape *sample)
{
    const thaw_mixing_options *options = part->options;
    const double alpha = options->feature_mixup > 0 ? options->feature_mixup : options->mixup;
    thaw_mixed mixed = { 0 };
    uint32_t words[WORDS];
    const thaw_stream random = stream_of(part, 0);
    if (alpha == 0 && options->cutmix == 0)
        return mixed;
    thaw_random_fill(part->context, &random, (uint64_t)part->first * WORDS, WORDS, words);
    if (options->cutmix > 0 && (alpha == 0 || words[KIND] >> 31))
        draw_rectangle(&mixed, thaw_mixing_beta(options->cutmix, words), sample, words);
    else
        mixed.other = 1 - thaw_mixing_beta(alpha, words);
    return mixed;
}

/* ---- loops ---- */

enum { PIECE = 256 };

typedef struct mixed_rows {
    float *rows;
    size_t count, elements;
    float own, other;
} mixed_rows;

/* From the last row up, so that the row before is still what it was. */
static void mix_columns(void *argument, size_t begin, size_t end)
{
    const mixed_rows *m = argument;
    for (size_t first = begin; first < end; first += PIECE) {
        const size_t length = end - first < PIECE ? end - first : PIECE;
        float *row = m->rows + (m->count - 1) * m->elements + first, last[PIECE];
        memcpy(last, row, length * sizeof *last);
        for (size_t i = m->count; i-- > 0; row -= m->elements) {
            const float *before = i ? row - m->elements : last;
            for (size_t k = 0; k < length; k++)
                row[k] = before[k] * m->other + row[k] * m->own;
            if (i == 0)
                break;
        }
    }
}

void thaw_mixing_rows(const thaw_mixing *part, double other, float *rows, size_t elements)
{
    mixed_rows mixed = { rows, part->count, elements, (float)(1 - other), (float)other };
    if (part->count > 1 && other > 0)
        thaw_parallel_for(part->context, elements, PIECE, mix_columns, &mixed);
}

typedef struct cut_images {
    float *images;
    size_t count, elements, first, row, pieces; /* floats: of an image, before the rectangle, of a row, of its part */
} cut_images;

static void cut_rows(void *argument, size_t begin, size_t end)
{
    const cut_images *c = argument;
    for (size_t y = begin; y < end; y++)
        for (size_t first = 0; first < c->pieces; first += PIECE) {
            const size_t bytes = (c->pieces - first < PIECE ? c->pieces - first : PIECE) * sizeof(float);
            float *place = c->images + c->first + y * c->row + first, last[PIECE];
            memcpy(last, place + (c->count - 1) * c->elements, bytes);
            for (size_t i = c->count; i-- > 1;)
                memcpy(place + i * c->elements, place + (i - 1) * c->elements, bytes);
            memcpy(place, last, bytes);
        }
}

void thaw_mixing_cut(const thaw_mixing *part, const thaw_mixed *mixed, const thaw_shape *sample, float *images)
{
    const size_t channels = (size_t)sample->dims[2], row = (size_t)sample->dims[1] * channels;
    cut_images cut = { images,
                       part->count,
                       thaw_shape_count(sample),
                       mixed->top * row + mixed->left * channels,
                       row,
                       mixed->width * channels };
    thaw_parallel_for(part->context, mixed->height, 1, cut_rows, &cut);
}

typedef struct noisy_rows {
    const thaw_mixing *part;
    uint32_t node;
    float *rows;
    size_t places, channels;
} noisy_rows;

/* Two numbers give each channel its factor. */
static void add_noise(void *argument, size_t begin, size_t end)
{
    const noisy_rows *n = argument;
    const size_t channels = n->channels, words_each = 2 * ((channels + 1) / 2 * 2);
    const thaw_stream random = stream_of(n->part, n->node);
    for (size_t i = begin; i < end; i++)
        for (size_t first = 0; first < channels; first += PIECE) {
            const size_t length = channels - first < PIECE ? channels - first : PIECE;
            uint32_t words[2 * PIECE];
            float factors[PIECE], *place = n->rows + i * n->places * channels + first;
            thaw_random_fill(n->part->context, &random, (n->part->first + i) * words_each + 2 * first, 2 * length,
                             words);
            for (size_t c = 0; c < length; c++)
                factors[c] = (float)(1 + n->part->options->feature_noise * normal(words[2 * c], words[2 * c + 1]));
            for (size_t p = 0; p < n->places; p++, place += channels)
                for (size_t c = 0; c < length; c++)
                    place[c] *= factors[c];
        }
}

void thaw_mixing_features(const thaw_mixing *part, size_t cut, const thaw_shape *sample, float *rows)
{
    const size_t channels = (size_t)sample->dims[sample->rank - 1], elements = thaw_shape_count(sample);
    noisy_rows noisy = { part, 1 + (uint32_t)cut, rows, elements / channels, channels };
    if (part->options->feature_mixup > 0)
        thaw_mixing_rows(part, thaw_mixing_draw(part, sample).other, rows, elements);
    if (part->options->feature_noise > 0)
        thaw_parallel_for(part->context, part->count, 1, add_noise, &noisy);
}
