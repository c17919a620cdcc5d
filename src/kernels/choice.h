/* Which kernel is fastest: all such rules of the library, each with the measurement that supports it (choice.c).
   `./run bench kernels` measures the candidates on the machine at hand and prints where a rule is wrong there.

   A rule does not check whether a kernel can compute a problem, beyond what it names. Rules depend only on the
   problem, the CPU's level and oneDNN's limit on instructions: the same machine chooses the same kernels. */
#ifndef THAW_KERNELS_CHOICE_H
#define THAW_KERNELS_CHOICE_H

#include "core/cpu.h"
#include "onednn/convolution.h"
#include "onednn/inner_product.h"

/* ---- convolutions: best_convolution.h ---- */

/* Winograd's convolution (winograd.h) instead of oneDNN's. */
bool thaw_choose_winograd_forward(thaw_cpu_level level, const thaw_convolution *problem);
bool thaw_choose_winograd_backward_data(thaw_cpu_level level, const thaw_convolution *problem);

/* Winograd's filtering (winograd_weights.h) instead of oneDNN's gradient of the weight. */
bool thaw_choose_winograd_weights(const thaw_convolution *problem);

/* oneDNN's direct convolution instead of oneDNN's first choice. */
bool thaw_choose_direct_convolution(const thaw_convolution *problem);

/* ---- dense layers and other products: best_inner_product.h ---- */

/* The sum of outer products (outer_products.h) instead of oneDNN's gradient of the weight. */
bool thaw_choose_outer_products(const thaw_inner_product *problem);

/* The product by rows (row_product.h) instead of oneDNN's, if it has the activation. */
bool thaw_choose_row_product(const thaw_inner_product *problem);

/* Whether several threads share a product by rows. */
bool thaw_choose_row_product_team(size_t rows, size_t inputs, size_t outputs);

/* What a dense layer's forward pass packs: nothing, its weight, or its input, which swaps the two operands
   (swapped_dense.h). */
typedef enum thaw_dense_packing { THAW_PACK_NOTHING, THAW_PACK_WEIGHT, THAW_PACK_INPUT } thaw_dense_packing;

/* `changes`: the weight differs in each step. `packed` of the problem is not read. */
thaw_dense_packing thaw_choose_dense_packing(const thaw_inner_product *problem, bool changes);

/* ---- recurrent layers ---- */

/* Whether training packs the weight of the input. `changes`: that weight differs in each step. */
bool thaw_choose_packed_input_weight(size_t outputs, bool changes);

/* Whether the context's threads share a step's product of `batch` rows of `units` with the hidden state's weight. */
bool thaw_choose_recurrent_team(size_t batch, size_t units, size_t outputs);

#endif
