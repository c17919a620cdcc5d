/* Where Winograd's convolution is worth it. */
#include "kernels/strip_product.h"
#include "kernels/winograd.h"

/* Times as fast as oneDNN's kernel (2.6.3, one core of an EPYC with AVX-512; forward, backward data):
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
   and of bfloat16 on two cores, where oneDNN's kernel is twice as fast, too:
      32 -> 32              28      16      1.13  1.10
      48 -> 48              28      16      1.08  1.09
      64 -> 64              56      16      1.56  1.55
     128 -> 128             28      16      1.76  1.75
     256 -> 256             14      16      1.82  2.01
     512 -> 512              7      16      1.32  1.54
   Little is gained with few channels, and where much is computed that nobody wants: tiles beyond the border, filters
   beyond the last. */
enum { FEWEST_CHANNELS = 32, LEAST_WANTED_PERCENT = 70 };

/* Training transforms the weight in each step, which takes as long as what so many tiles gain. */
enum { FEWEST_TILES_TRAINING = 100 };

/* A frozen weight lies in memory in this form, 16/9 of its size, and as it is, while oneDNN's copy can stand for both:
   where that is much, images must be large to be worth it. The batch decides nothing here, so that a sample comes out the
   same in each. */
enum { MOST_BYTES_FROZEN = 8 << 20, MOST_BYTES_THRIFTY = 2 << 20, FEWEST_TILES_FROZEN = 64 };

enum { TILE = 2 };

static int64_t round_up(int64_t count, int64_t unit)
{
    return (count + unit - 1) / unit * unit;
}

static int64_t count_tiles(int64_t batch, const int64_t map[2])
{
    return batch * (round_up(map[0], TILE) / TILE) * (round_up(map[1], TILE) / TILE);
}

/* Of all that is computed for a map of so many filters. */
static int64_t wanted_percent(const int64_t map[2], int64_t filters)
{
    int64_t percent = 100 * filters / round_up(filters, THAW_STRIP);
    for (int i = 0; i < 2; i++)
        percent = percent * map[i] / round_up(map[i], TILE);
    return percent;
}

static bool suits(thaw_cpu_level level, const thaw_convolution *p, const int64_t map[2], int64_t filters)
{
    bool ours = (p->precision == THAW_F32 || level == THAW_CPU_V4_BF16) && p->groups == 1 && !p->primitive;
    for (int i = 0; i < 2; i++)
        ours = ours && p->kernel[i] == 3 && p->stride[i] == 1 && p->dilation[i] == 1 &&
               p->output[i] == p->input[i] + p->padding_before[i] + p->padding_after[i] - 2;
    return ours && p->input_channels >= FEWEST_CHANNELS && p->output_channels >= FEWEST_CHANNELS &&
           wanted_percent(map, filters) >= LEAST_WANTED_PERCENT;
}

bool thaw_winograd_suits_forward(thaw_cpu_level level, const thaw_convolution *p)
{
    const thaw_winograd_kernels kernels = { .depth = (size_t)p->input_channels,
                                            .filters = (size_t)p->output_channels,
                                            .narrow = p->precision == THAW_BF16 };
    if (!suits(level, p, p->output, p->output_channels) || p->after.activation > THAW_ACTIVATION_RELU6)
        return false;
    if (p->training)
        return count_tiles(p->batch, p->output) >= FEWEST_TILES_TRAINING;
    return thaw_winograd_kernels_bytes(&kernels) <= (p->thrifty ? MOST_BYTES_THRIFTY : MOST_BYTES_FROZEN) ||
           count_tiles(1, p->output) >= FEWEST_TILES_FROZEN;
}

bool thaw_winograd_suits_backward_data(thaw_cpu_level level, const thaw_convolution *p)
{
    return suits(level, p, p->input, p->input_channels) && count_tiles(p->batch, p->input) >= FEWEST_TILES_TRAINING;
}
