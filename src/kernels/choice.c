#include "kernels/choice.h"

#include "kernels/panel_product.h"
#include "kernels/winograd.h"
#include "kernels/winograd_weights.h"

static int64_t round_up(int64_t count, int64_t unit)
{
    return (count + unit - 1) / unit * unit;
}

/* ---- convolutions ---- */

/* Winograd F(2x2, 3x3), times as fast as oneDNN's kernel (2.6.3, one core of an EPYC with AVX-512; forward, backward
   data):
     channels -> filters   image   batch
      16 -> 16              56      16      0.87  1.06
      16 -> 32              28      16      1.36  0.86
      32 -> 32              28      16      1.59  1.57
      32 -> 32               7     128      1.16  1.22
      48 -> 48              28      16      1.24  1.38
      64 -> 64              56      16      1.67  1.87
      64 -> 64               3      64      0.93  0.80
     128 -> 128             28      16      1.90  2.12
     256 -> 256             14      16      1.93  2.15
     512 -> 512              7      16      1.45  1.48
     512 -> 512              7       1      1.13  1.15
   and in bfloat16 on two cores, where oneDNN's kernel is also twice as fast:
      32 -> 32              28      16      1.13  1.10
      48 -> 48              28      16      1.08  1.09
      64 -> 64              56      16      1.56  1.55
     128 -> 128             28      16      1.76  1.75
     256 -> 256             14      16      1.82  2.01
     512 -> 512              7      16      1.32  1.54
   It gains little with few channels, and if much of what it computes is dropped: tiles beyond the border, filters past
   the last. */
enum { WINOGRAD_CHANNELS = 32, WINOGRAD_WANTED_PERCENT = 70 };

/* Training transforms the weight in each step, which takes as long as this many tiles save. */
enum { WINOGRAD_TILES_TRAINING = 100 };

/* A frozen weight is in memory twice: as it is, and in this form, which is 16/9 of its size. oneDNN's copy can
   replace the weight. If the transformed kernels exceed these bytes, the image must have at least this many tiles.
   The batch does not count, so that a sample has the same result in every batch. */
enum { WINOGRAD_BYTES_FROZEN = 8 << 20, WINOGRAD_BYTES_SAVING = 2 << 20, WINOGRAD_TILES_FROZEN = 64 };

enum { TILE = 2 };

static int64_t count_tiles(int64_t batch, const int64_t map[2])
{
    return batch * (round_up(map[0], TILE) / TILE) * (round_up(map[1], TILE) / TILE);
}

/* The share of the computed elements that are in the map: not beyond its border or its last filter. */
static int64_t wanted_percent(const int64_t map[2], int64_t filters)
{
    int64_t percent = 100 * filters / round_up(filters, THAW_PANEL_WIDTH);
    for (int i = 0; i < 2; i++)
        percent = percent * map[i] / round_up(map[i], TILE);
    return percent;
}

/* 3x3, dense, with stride 1 and one group. */
static bool is_plain(const thaw_convolution *p)
{
    bool plain = p->groups == 1;
    for (int i = 0; i < 2; i++)
        plain = plain && p->kernel[i] == 3 && p->stride[i] == 1 && p->dilation[i] == 1;
    return plain;
}

static bool suits_winograd(thaw_cpu_level level, const thaw_convolution *p, const int64_t map[2], int64_t filters)
{
    bool ours = (p->precision == THAW_F32 || level == THAW_CPU_V4_BF16) && is_plain(p);
    for (int i = 0; i < 2; i++)
        ours = ours && p->output[i] == p->input[i] + p->padding_before[i] + p->padding_after[i] - 2;
    return ours && p->input_channels >= WINOGRAD_CHANNELS && p->output_channels >= WINOGRAD_CHANNELS &&
           wanted_percent(map, filters) >= WINOGRAD_WANTED_PERCENT;
}

bool thaw_choose_winograd_forward(thaw_cpu_level level, const thaw_convolution *p)
{
    const thaw_winograd_kernels kernels = { .depth = (size_t)p->input_channels,
                                            .filters = (size_t)p->output_channels,
                                            .bf16 = p->precision == THAW_BF16 };
    if (!suits_winograd(level, p, p->output, p->output_channels) || p->after.activation > THAW_ACTIVATION_RELU6)
        return false;
    if (p->training)
        return count_tiles(p->batch, p->output) >= WINOGRAD_TILES_TRAINING;
    return thaw_winograd_kernels_bytes(&kernels) <= (p->save_memory ? WINOGRAD_BYTES_SAVING : WINOGRAD_BYTES_FROZEN) ||
           count_tiles(1, p->output) >= WINOGRAD_TILES_FROZEN;
}

bool thaw_choose_winograd_backward_data(thaw_cpu_level level, const thaw_convolution *p)
{
    return suits_winograd(level, p, p->input, p->input_channels) &&
           count_tiles(p->batch, p->input) >= WINOGRAD_TILES_TRAINING;
}

/* Winograd F(3x3, 4x4) is chosen if it has at least this many times fewer multiplications than the definition.
   Milliseconds on one core of an EPYC 9005, oneDNN 2.6.3 and this:
     channels -> filters   image   batch   fewer    float32      bfloat16
      64 -> 64              56      16      4       19.9  6.2    10.3  6.0
     128 -> 128             28      16      4       18.9  5.9     9.2  5.6
     256 -> 256             14      16      3.06    18.5  8.7     9.6  8.5
     512 -> 512              7      16      3.06    25.0  9.4    12.8  9.9
      32 -> 32              28      16      4        0.87 0.52    0.60 0.44
      24 -> 24              28      16      2.25     0.69 0.56
      64 -> 64               6      64      2.25     0.61 0.44    0.58 0.46
      16 -> 32              28      16      2        0.46 0.49
      64 -> 64               5      64      1.56     0.41 0.51 */
static const double fewer_multiplications = 2.25;

bool thaw_choose_winograd_weights(const thaw_convolution *p)
{
    const double direct =
        9.0 * (double)(p->output[0] * p->output[1]) * (double)(p->input_channels * p->output_channels);
    return is_plain(p) && direct * (double)p->batch >= fewer_multiplications * thaw_winograd_weights_multiplications(p);
}

/* Up to this many input channels, oneDNN's second choice on AVX-512, the direct convolution, is faster than its first,
   blocks of matrix products. Microseconds on one core, oneDNN 2.6.3, 3x3: 1->8 on 28x28, batch 500: 707 against 3409;
   1->32 on 28x28, batch 128: 353 against 532; 8->16 on 14x14, batch 500: 999 against 1482. With 16 channels they are
   equal, with more the first is better. */
enum { DIRECT_CHANNELS = 8 };

bool thaw_choose_direct_convolution(const thaw_convolution *p)
{
    return p->groups == 1 && p->input_channels <= DIRECT_CHANNELS && p->kernel[0] * p->kernel[1] > 1;
}

/* ---- dense layers and other products ---- */

/* Outer products, times as fast as oneDNN's product of matrices (2.6.3, two cores of an EPYC with AVX-512):
     inputs -> outputs    batch 16    64   128
        512 ->    10          1.9   1.7   1.4
       1280 ->    10          1.9   1.4   1.3
        100 ->    30                1.5
         64 ->  1024                1.4
        512 ->   512                1.07
        512 ->  1000          1.07  1.07
        784 ->   500                1.00
        784 ->   512                      0.97
       1536 ->  1000                0.97
       2048 ->  1000          0.88  0.97
       4096 ->  1000          0.86  0.82
         48 ->   500                0.83
         16 ->   512                0.57
   Long rows would have to be copied close together, and little is gained if many of the computed columns are beyond the
   last. It also saves memory: if no layer runs oneDNN's product, 3 MB of code are not generated. AVX2 is similar except
   for powers of two: 1024 -> 1024, batch 64: 0.6. */
enum { OUTER_SAMPLES = 128, OUTER_INPUTS = 1536, OUTER_WANTED_PERCENT = 76 };

bool thaw_choose_outer_products(const thaw_inner_product *p)
{
    return p->precision == THAW_F32 && !p->transposed && p->batch <= OUTER_SAMPLES && p->inputs >= THAW_PANEL_WIDTH &&
           p->inputs <= OUTER_INPUTS && 100 * p->inputs >= OUTER_WANTED_PERCENT * round_up(p->inputs, THAW_PANEL_WIDTH);
}

/* The product by rows. A row's bits in oneDNN's product depend on how many other rows there are, with AVX2 and with
   AVX-512. In training they may: there the faster one counts. Times as fast as oneDNN's (2.6.3, one core, medians of 31
   on a Zen 3 with AVX2, and of 5 on a Zen 4 with AVX-512):
     inputs -> outputs    rows 1      8     16     32    128    500    AVX-512: rows 1      8     16     32    128
         500 64 ->     5        5.14   4.57   3.17   2.21   1.26   1.04              4.17   2.33
        256 ->   256        1.43   1.42   1.23   1.22   1.10   1.12
        512 ->    10        1.78   1.67   1.54   1.38   1.20   1.14              1.37   1.20   1.11   0.99   0.93   0.93
        512 ->   512        1.08   1.78   1.55   1.53   1.45   1.43              1.04   0.98   0.95   0.97   0.91   0.88
        512 ->  1000        1.03   1.35   1.15   1.00   1.04   0.98              1.14   0.96   0.97   0.98   0.89   0.93
        784 ->   500        1.05   1.30   1.22   1.14   1.08   1.07              1.02   0.99   0.99   0.91   0.88   0.94
        784 ->   512        1.01   1.89   1.63   1.51   1.43   1.45              1.03   0.98   0.97   0.96   0.92   0.90
       4608 ->   128        1.06   1.39   1.15   1.06   1.13   1.13              1.08   0.99   0.99   1.02   0.93   0.94
      25088 ->  4096        1.36          2.08                                   1.56          0.85 */
bool thaw_choose_row_product(const thaw_inner_product *p)
{
    return p->packed && p->precision == THAW_F32 && !p->transposed && !(p->training && thaw_dnn_has_avx512());
}

/* Multiplications per thread below which waiting for another thread costs more than it saves. Fetching a weight
   takes as long as multiplying FETCHING_ROWS rows. */
enum { LEAST_WORK = 100000, FETCHING_ROWS = 8 };

bool thaw_choose_row_product_team(size_t rows, size_t inputs, size_t outputs)
{
    return (rows + FETCHING_ROWS) * inputs * outputs >= 2 * (size_t)LEAST_WORK;
}

/* oneDNN is slow on a plain weight, fast if the weight is packed, and as fast if the input is packed instead.
   oneDNN 2.6.3, 2 cores with AVX-512, microseconds: plain; product + packing the weight; product + packing the input +
   transposing the product.
     784->512, batch 128    266    208 + 64      216 + 15 + 9
               batch 32     107     59 + 59       54 + 4 + 3
               batch 8       18     14 + 59       31 + 3 + 1
     512->1000, batch 16    217     36 + 290      38 + 1 + 1     (1000 is padded to 1024, which makes packing slow)
     4608->128, batch 128   727    330 + 86      343 + 93 + 3
     512->512, batch 128    235    137 + 37      137 + 9 + 9
     512->10, batch 128     9.5    6.6 + 3.2     4.6 + 9.8 + 1.8
   So a weight is packed if it is frozen or has to be rounded. If it trains, the cheaper operand is packed, unless there
   are too few rows.

   Without AVX-512, packing a weight is for the product by rows. With many rows, oneDNN's product of matrices, which
   packs both operands as it goes, is faster. Times as fast (2.6.3, two cores of a Zen 3):
     inputs -> outputs    rows 500   1024   2048   3152
        384 ->   384          1.14   0.90   1.06   1.24
        384 ->  1536          1.22   1.23   1.26   1.35
       1536 ->   384          1.02   1.03   1.07   1.22
        768 ->  3072          1.14   1.14   1.14   1.11
        784 ->   512          0.99   1.07   1.05   1.06
        512 ->   512          0.97   1.10   1.11   1.18
   If the weight is frozen, or if the input would be packed, nothing is packed from fewer rows on: a step of GPT-2, 256
   rows, is 1.13 times as fast, and one of MiniLM with adapters, 512 rows, takes 0.88 of the memory. */
enum { FEWEST_ROWS_PACKED = 16, UNPADDED_OUTPUTS = 64, MOST_ROWS_PACKED = 1024, MOST_ROWS_PACKED_ELSE = 200 };

static bool prefers_matrices(const thaw_inner_product *p, int64_t most_rows)
{
    return p->precision == THAW_F32 && p->training && p->batch > most_rows && !thaw_dnn_has_avx512();
}

thaw_dense_packing thaw_choose_dense_packing(const thaw_inner_product *p, bool changes)
{
    const double rows = (double)p->batch, inputs = (double)p->inputs, outputs = (double)p->outputs;
    if (prefers_matrices(p, changes ? MOST_ROWS_PACKED : MOST_ROWS_PACKED_ELSE))
        return THAW_PACK_NOTHING;
    if (!changes || p->precision != THAW_F32)
        return THAW_PACK_WEIGHT;
    if (p->batch < FEWEST_ROWS_PACKED)
        return THAW_PACK_NOTHING;
    if (rows * (inputs + 2 * outputs) < inputs * outputs)
        return prefers_matrices(p, MOST_ROWS_PACKED_ELSE) ? THAW_PACK_NOTHING : THAW_PACK_INPUT;
    return p->outputs % UNPADDED_OUTPUTS == 0 ? THAW_PACK_WEIGHT : THAW_PACK_NOTHING;
}

/* ---- recurrent layers ---- */

/* As for dense layers: oneDNN is slow at packing a weight whose rows it has to pad. */
bool thaw_choose_packed_input_weight(size_t outputs, bool changes)
{
    return !changes || outputs % UNPADDED_OUTPUTS == 0;
}

/* Operations of a step's product below which sharing it costs a team more than it saves. */
static const double least_recurrent_flops = 5e5;

bool thaw_choose_recurrent_team(size_t batch, size_t units, size_t outputs)
{
    return 2 * (double)batch * (double)outputs * (double)units >= least_recurrent_flops;
}
