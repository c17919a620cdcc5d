/* Combinations of parameters: a layer can compute with an expression over several parameters, some of which train while
   others are frozen.

   A layer's parameter, say "dense1.weight", is two things: a place in the layer, and a tensor stored under its name. By
   default the layer uses the stored tensor. Bound to an expression, it uses the expression's value. The stored tensor
   may be in that expression, in others, or in none.

   Each parameter in an expression keeps its group, flag, learning rate and optimizer, which decide whether and how it
   trains, independently of the other parameters. Its gradient follows from the expression's by the chain rule, summed
   over all layers that use it. Elements that cannot affect the loss have no gradient and keep their bytes, whatever the
   optimizer, weight decay and momentum. These are: masked elements, elements outside of every slice that is used, and
   elements of a factor that only meet masked elements, or zeros of constants, in a product.

   Expressions belong to their model and live as long as it does. They are immutable, and may be part of several
   others. A call that makes one sets *result to NULL on failure. Errors of all of them: THAW_INVALID_ARGUMENT (an
   operand is NULL or belongs to another model; expressions are nested deeper than 64), THAW_OUT_OF_MEMORY. Not safe
   while another thread uses the model. */
#ifndef THAW_COMBINE_H
#define THAW_COMBINE_H

#include <thaw/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A value computed from parameters. */
typedef struct thaw_expression thaw_expression;

/* ---- parameters that belong to no layer ---- */

/* Adds a parameter that belongs to no layer, for use in expressions. Its name is "<group>.<name>". The group is
   created, unless an earlier call created it. Errors: THAW_DUPLICATE (the name exists, or the group is a layer's),
   THAW_INVALID_ARGUMENT (invalid names, by the rules for layers; the shape, the initial values, a statistic, more
   than THAW_MAX_PARAMETERS in a group). */
THAW_API thaw_status thaw_model_add_parameter(thaw_model *model, const char *group,
                                              const thaw_parameter_specification *specification,
                                              thaw_parameter **parameter);

/* ---- expressions ---- */

/* The stored tensor of a parameter, whatever the parameter is bound to. Errors: THAW_INVALID_ARGUMENT (a parameter
   of another model, a statistic, one that thaw_merge has removed). */
THAW_API thaw_status thaw_expression_of(thaw_model *model, thaw_parameter *parameter, thaw_expression **result);

/* What the parameter's layer currently uses: the expression that it is bound to, or its stored tensor. Tied weights
   therefore stay tied when one of them is bound to something else. Errors: as above. */
THAW_API thaw_status thaw_expression_bound(thaw_model *model, thaw_parameter *parameter, thaw_expression **result);

/* A tensor that never trains. The values (THAW_F32) are copied. Errors: THAW_INVALID_ARGUMENT (values, shape). */
THAW_API thaw_status thaw_expression_constant(thaw_model *model, const thaw_tensor *values, thaw_expression **result);

/* Element-wise operations. Shapes broadcast as in NumPy and PyTorch: they are aligned at the last dimension, a
   dimension of 1 is repeated, and missing ones count as 1. Multiplying by a parameter with one element scales by it.
   Errors: THAW_SHAPE_MISMATCH. */
THAW_API thaw_status thaw_expression_add(thaw_expression *left, thaw_expression *right, thaw_expression **result);
THAW_API thaw_status thaw_expression_subtract(thaw_expression *left, thaw_expression *right, thaw_expression **result);
THAW_API thaw_status thaw_expression_multiply(thaw_expression *left, thaw_expression *right, thaw_expression **result);

/* factor * operand. Errors: THAW_INVALID_ARGUMENT (the factor is not finite). */
THAW_API thaw_status thaw_expression_scale(thaw_expression *operand, double factor, thaw_expression **result);

/* The operand where the mask is 1, and 0 where the mask is 0. The mask (THAW_F32 or THAW_U8) is copied and broadcast
   to the operand's shape. Errors: THAW_INVALID_ARGUMENT (another dtype, other values), THAW_SHAPE_MISMATCH. */
THAW_API thaw_status thaw_expression_mask(thaw_expression *operand, const thaw_tensor *mask, thaw_expression **result);

/* Concatenates the operands along an axis, counted from 0. Their other dimensions must be equal.
   Errors: THAW_INVALID_ARGUMENT (no operand, the axis), THAW_SHAPE_MISMATCH. */
THAW_API thaw_status thaw_expression_concatenate(thaw_expression *const *operands, size_t count, int axis,
                                                 thaw_expression **result);

/* Indices [begin, end) along an axis. Errors: THAW_INVALID_ARGUMENT (the axis, an empty or invalid range). */
THAW_API thaw_status thaw_expression_slice(thaw_expression *operand, int axis, int64_t begin, int64_t end,
                                           thaw_expression **result);

/* The matrix product of [m, k] and [k, n]. Errors: THAW_SHAPE_MISMATCH. */
THAW_API thaw_status thaw_expression_product(thaw_expression *left, thaw_expression *right, thaw_expression **result);

/* base + scale * up down, where `base` as a matrix is [first dimension, all others], `up` [first dimension, rank] and
   `down` [rank, all others] (Hu et al. 2021, arXiv 2106.09685: W + s B A). Errors: THAW_INVALID_ARGUMENT (a rank larger
   than the matrix, a scale that is not finite), THAW_SHAPE_MISMATCH. */
THAW_API thaw_status thaw_expression_low_rank(thaw_expression *base, thaw_expression *up, thaw_expression *down,
                                              double scale, thaw_expression **result);

/* magnitude * direction / |direction|, with one magnitude and one Euclidean norm for each index of the first
   dimension (Salimans & Kingma 2016, arXiv 1602.07868; PyTorch's weight_norm with dim 0). `magnitude` must have as
   many elements as the direction's first dimension. A direction of norm 0 gives NaN, as in PyTorch. Errors:
   THAW_SHAPE_MISMATCH. */
THAW_API thaw_status thaw_expression_weight_norm(thaw_expression *magnitude, thaw_expression *direction,
                                                 thaw_expression **result);

/* The shape of its value. Borrowed from the expression. */
THAW_API const thaw_shape *thaw_expression_shape(const thaw_expression *expression);

/* Frozen if every parameter in it is frozen (constants always are), trainable if all train entirely, else partial. A
   mask that contains a 0 makes it partial. */
THAW_API thaw_trainability thaw_expression_trainability(const thaw_expression *expression);

/* The expression as a formula, such as "dense1.weight + 2 * dense1.weight.lora_B @ dense1.weight.lora_A". Long
   formulas are cut. The caller owns `*text` (thaw_text_destroy). */
THAW_API thaw_status thaw_expression_describe(const thaw_expression *expression, char **text);

/* Evaluates the expression now, into a THAW_F32 tensor of its shape. Errors: THAW_SHAPE_MISMATCH. */
THAW_API thaw_status thaw_expression_evaluate(thaw_expression *expression, const thaw_tensor *values);

/* ---- binding ---- */

/* From the next step on, the parameter's layer computes with the expression; with NULL, it uses the stored tensor
   again. A stored tensor that no layer depends on does not train, is not counted and not saved, and loads do not
   require it. It keeps its values and its optimizer's state. The same holds for an added parameter that was never in a
   binding, and for adapters after NULL: the model is then saved like an ordinary one, and binding the same expression
   again continues.
   Errors: THAW_INVALID_ARGUMENT (a statistic; a parameter of no layer or of another model; one that thaw_merge has
   removed; a cycle through thaw_expression_bound, or a chain of more than 1000 operations), THAW_SHAPE_MISMATCH. */
THAW_API thaw_status thaw_parameter_bind(thaw_model *model, thaw_parameter *parameter, thaw_expression *expression);

/* The expression that the parameter is bound to; NULL if it uses its stored tensor. */
THAW_API thaw_expression *thaw_parameter_binding(const thaw_parameter *parameter);

/* ---- ready-made combinations, by pattern ----
   Patterns select layers and their parameters (thaw/parameter.h). Each call acts on those selected parameters that
   its description names. A parameter that is bound already enters the new expression with its present binding. An
   error changes nothing. */

/* Low-rank adaptation (LoRA): binds each selected weight matrix W (a layer's parameter of role THAW_WEIGHT and rank 2
   or more) to W + alpha / rank * B A, and freezes W. B, "<W's name>.lora_B" [outputs, rank], starts at zero. A, "<W's
   name>.lora_A" [rank, inputs], starts uniform as in peft (kaiming_uniform with a = sqrt 5). A convolution has channels
   * height * width inputs. Both are in the group "<W's name>.lora", which trains with the optimizer of W's group, if
   there is one. Nothing else is frozen: call thaw_model_freeze(model, "*") before to train only the adapters.
   Errors: THAW_NOT_FOUND (no weight matrix), THAW_INVALID_ARGUMENT (rank below 1 or larger than a matrix, alpha not
   finite), THAW_DUPLICATE (W already has adapters of that name). */
THAW_API thaw_status thaw_lora(thaw_model *model, const char *pattern, int64_t rank, double alpha);

/* Binds each selected weight to itself under a mask of 0 and 1 (as thaw_expression_mask). If `mask` is NULL, the
   mask is 1 where the weight is not 0 now: a pruned network then trains and stays pruned. Errors: THAW_NOT_FOUND (no
   weight), and those of thaw_expression_mask. */
THAW_API thaw_status thaw_mask(thaw_model *model, const char *pattern, const thaw_tensor *mask);

/* Binds each selected weight W to W * l, with one factor per index of `axis` (0: outputs, 1: inputs), and freezes W.
   The factors, "<W's name>.ia3_l" in the group "<W's name>.ia3", start at 1 (Liu et al. 2022, arXiv 2205.05638,
   applied to weights instead of activations). Errors: as thaw_lora; THAW_INVALID_ARGUMENT (the axis). */
THAW_API thaw_status thaw_scale_adapter(thaw_model *model, const char *pattern, int axis);

/* Trains only the biases and shifts among the selected parameters, and freezes the others (BitFit: Ben Zaken et al.
   2021, arXiv 2106.10199). Errors: THAW_NOT_FOUND. */
THAW_API thaw_status thaw_bias_only(thaw_model *model, const char *pattern);

/* Freezes indices [begin, end) along an axis of the selected parameters' stored tensors, except statistics: some rows
   of a dense layer, some filters of a convolution. They have no gradient and keep their bytes, even if the parameter is
   frozen and unfrozen as a whole. If every element of a parameter is frozen, the parameter is frozen as by
   thaw_model_freeze instead, and the context's log says so.
   Errors: THAW_NOT_FOUND, THAW_INVALID_ARGUMENT (the axis or the range, for any selected parameter). */
THAW_API thaw_status thaw_freeze_slice(thaw_model *model, const char *pattern, int axis, int64_t begin, int64_t end);

/* Unfreezes slices; elements in other frozen slices stay frozen, and so does a parameter that is frozen as a whole.
   Errors: as above. */
THAW_API thaw_status thaw_unfreeze_slice(thaw_model *model, const char *pattern, int axis, int64_t begin, int64_t end);

/* Writes the values of the selected parameters' bindings into their stored tensors, and unbinds them. The network
   computes the same as before, and is saved like an ordinary one. The parameters' flags decide whether they train
   (thaw_lora froze them). Added parameters that are no longer used are removed from the model. Pointers to them stay
   valid as long as the model, but they cannot be bound again. Tied weights become equal, separate weights.
   Errors: THAW_NOT_FOUND (nothing selected is bound), THAW_INVALID_ARGUMENT (a stored tensor that would change is
   part of an expression that is not merged with it). */
THAW_API thaw_status thaw_merge(thaw_model *model, const char *pattern);

#ifdef __cplusplus
}
#endif

#endif
