/* Parameters, the groups that layers register them in, and the choice of what trains.

   Patterns are shell-style: * ? [a-z] {a,b}, and | for alternatives; * also spans dots. A pattern is matched against
   group names ("conv1", "layer1.0.conv2") and parameter names ("conv1.weight"). Where a group's name matches, the whole
   group is meant; else the single parameters that match. A pattern that matches neither is THAW_NOT_FOUND, and one that
   is not well formed THAW_INVALID_ARGUMENT; then nothing has changed.

   None of these calls is safe while another thread uses the model. */
#ifndef THAW_PARAMETER_H
#define THAW_PARAMETER_H

#include <thaw/optimizer.h>
#include <thaw/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The network; see thaw/model.h. */
typedef struct thaw_model thaw_model;
/* The parameters of one layer, with their settings. It belongs to the model. */
typedef struct thaw_group thaw_group;
/* A named tensor of the model, which it belongs to. */
typedef struct thaw_parameter thaw_parameter;

/* A statistic (BatchNorm's running mean) never trains. */
typedef enum thaw_role { THAW_WEIGHT, THAW_BIAS, THAW_SCALE, THAW_SHIFT, THAW_STATISTIC } thaw_role;

/* Where initial values come from. Fans: the inputs and outputs that an element of the weight takes part in. */
typedef enum thaw_initializer {
    THAW_INITIAL_DEFAULT = 0, /* uniform in +-1/sqrt(fan_in): PyTorch's for dense and convolution */
    THAW_INITIAL_ZERO,
    THAW_INITIAL_ONE,
    THAW_INITIAL_HE_UNIFORM,     /* He et al. 2015, arXiv 1502.01852: bound sqrt(6 / fan_in) */
    THAW_INITIAL_HE_NORMAL,      /* standard deviation sqrt(2 / fan_in) */
    THAW_INITIAL_XAVIER_UNIFORM, /* Glorot & Bengio 2010: bound sqrt(6 / (fan_in + fan_out)) */
    THAW_INITIAL_XAVIER_NORMAL,  /* standard deviation sqrt(2 / (fan_in + fan_out)) */
    THAW_INITIAL_HE_NORMAL_OUT,  /* standard deviation sqrt(2 / fan_out): of convolutions in residual networks */
    THAW_INITIAL_UNIFORM_OUT,    /* uniform in +-1/sqrt(fan_out): of classifiers in EfficientNet */
    THAW_INITIAL_SMALL_NORMAL    /* standard deviation 0.01: of classifiers in VGG and MobileNet */
} thaw_initializer;

/* A parameter to make. One that a layer registers has the full name "<layer>.<name>". */
typedef struct thaw_parameter_specification {
    const char *name;             /* such as "weight" */
    const char *path;             /* what stands before its name in the full name; NULL: the layer's name */
    thaw_role role;               /* what it is */
    thaw_shape shape;             /* in PyTorch's layout */
    thaw_initializer initializer; /* of its first values */
    double fan_in, fan_out;       /* for the initializers that read them */
    size_t zeros_at, zeros;       /* so many elements from there on are zero at first, whatever the initializer */
} thaw_parameter_specification;

/* ---- what trains ---- */

/* Freezes what matches: a group with all its parameters, or single parameters of a group. Takes effect at the next
   step, which compiles a new plan. Optimizer state is kept (thaw_select_release_state frees it). Frozen bytes never
   change: no gradient step, no weight decay, no stale momentum. Errors: THAW_NOT_FOUND. */
THAW_API thaw_status thaw_model_freeze(thaw_model *model, const char *pattern);

/* The opposite of thaw_model_freeze. A parameter goes on with the step count and the optimizer state it had; one that
   never trained starts at step 1 with none. Errors: THAW_NOT_FOUND. */
THAW_API thaw_status thaw_model_unfreeze(thaw_model *model, const char *pattern);

/* Freezes every group registered before the first whose name matches `pattern`, and unfreezes that one and all after
   it. Errors: THAW_NOT_FOUND. */
THAW_API thaw_status thaw_model_freeze_before(thaw_model *model, const char *pattern);

/* A layer that does not lead to the loss, such as a second head, is not computed in training. Its parameters keep their
   flags and may be trainable, but have no gradient, step count or weight decay, and keep their bytes, whatever the
   optimizer; they train from the step on in which the loss depends on them. */

/* How much of something trains. Partial: of what it is computed from, or made of, a part trains and a part does not. */
typedef enum thaw_trainability { THAW_FROZEN, THAW_PARTIAL, THAW_TRAINABLE } thaw_trainability;

/* "frozen", "partial" or "trainable". Static storage; thread-safe. */
THAW_API const char *thaw_trainability_name(thaw_trainability trainability);

/* Of everything that matches, as one: a layer ("conv1"), a compound of layers ("layer1.*"), single parameters. Frozen
   when all of them are, trainable when all are, else partial; statistics do not count, nor do added parameters that no
   layer computes with, and a parameter that is bound to an expression (thaw/combine.h) counts as that expression.
   Errors: THAW_NOT_FOUND. */
THAW_API thaw_status thaw_model_trainability(thaw_model *model, const char *pattern, thaw_trainability *trainability);

/* ---- settings of groups ----
   These take group patterns; where only a parameter's name matches, its group is meant. */

/* The groups' own learning rate, in place of their optimizer's; schedules multiply it. NAN: the optimizer's again.
   Errors: THAW_NOT_FOUND; THAW_INVALID_ARGUMENT when negative or infinite. */
THAW_API thaw_status thaw_select_learning_rate(thaw_model *model, const char *pattern, double learning_rate);

/* The groups' own weight decay, in place of their optimizer's. NAN: the optimizer's again. Errors: as above; also
   THAW_INVALID_ARGUMENT when the optimizer has no "weight_decay". */
THAW_API thaw_status thaw_select_weight_decay(thaw_model *model, const char *pattern, double weight_decay);

/* The optimizer of the groups. The model keeps a reference, so the caller may destroy its own at any time. A change to
   another kind of optimizer discards the groups' state and step counts. Errors: THAW_NOT_FOUND; THAW_INVALID_ARGUMENT
   (no optimizer, or one that was made with another context than the model). */
THAW_API thaw_status thaw_select_optimizer(thaw_model *model, const char *pattern, thaw_optimizer *optimizer);

/* Frees optimizer state and zeroes step counts of the groups. Errors: THAW_NOT_FOUND. */
THAW_API thaw_status thaw_select_release_state(thaw_model *model, const char *pattern);

/* Initialises matching parameters anew and discards their optimizer state: to replace the head of a loaded network.
   Random values are drawn afresh, and not those that the layer began with: a head that was trained from these must not
   have its first weights back because the seed is the same. They depend on the seed and on how often the parameter was
   reset. Errors: THAW_NOT_FOUND. */
THAW_API thaw_status thaw_model_reset(thaw_model *model, const char *pattern);

/* ---- groups ---- */

THAW_API size_t thaw_model_group_count(const thaw_model *model);                 /* one per layer with parameters */
THAW_API thaw_group *thaw_model_group(thaw_model *model, size_t index);          /* NULL past the end */
THAW_API thaw_group *thaw_model_find_group(thaw_model *model, const char *name); /* NULL when unknown */
THAW_API const char *thaw_group_name(const thaw_group *group);                   /* "conv1" */
THAW_API bool thaw_group_trainable(const thaw_group *group);       /* the flag; parameters may override it */
THAW_API double thaw_group_learning_rate(const thaw_group *group); /* in effect, before schedules; NAN: no optimizer */
THAW_API double thaw_group_weight_decay(const thaw_group *group);  /* in effect; NAN: the optimizer has none */
THAW_API thaw_optimizer *thaw_group_optimizer(const thaw_group *group); /* borrowed; NULL before one is set */
THAW_API size_t thaw_group_parameter_count(const thaw_group *group);    /* statistics among them */
THAW_API thaw_parameter *thaw_group_parameter(const thaw_group *group, size_t index); /* NULL past the end */

/* ---- parameters ---- */

THAW_API size_t thaw_model_parameter_count(const thaw_model *model);                     /* statistics among them */
THAW_API thaw_parameter *thaw_model_parameter(thaw_model *model, size_t index);          /* NULL past the end */
THAW_API thaw_parameter *thaw_model_find_parameter(thaw_model *model, const char *name); /* NULL when unknown */
THAW_API const char *thaw_parameter_name(const thaw_parameter *parameter);               /* "conv1.weight" */
THAW_API thaw_role thaw_parameter_role(const thaw_parameter *parameter);                 /* what it is */
THAW_API const thaw_shape *thaw_parameter_shape(const thaw_parameter *parameter); /* in PyTorch's layout; borrowed */
THAW_API thaw_group *thaw_parameter_group(const thaw_parameter *parameter);       /* that it belongs to */
THAW_API bool thaw_parameter_trainable(const thaw_parameter *parameter);          /* flag, override and role together */

/* The same for what its layer computes with: of a parameter that is bound to an expression (thaw/combine.h) the
   expression's, of one with frozen slices partial. */
THAW_API thaw_trainability thaw_parameter_trainability(const thaw_parameter *parameter);

THAW_API uint64_t thaw_parameter_steps(const thaw_parameter *parameter); /* updates it has had */

/* The values, row-major in PyTorch's layout. Valid as long as the model: a frozen weight, which otherwise is kept in its
   layer's packed copy alone, takes memory for both from this call on. */
THAW_API const float *thaw_parameter_data(const thaw_parameter *parameter);

/* The same, for writing before the next call on the model: copies that kernels hold are made anew. */
THAW_API float *thaw_parameter_edit(thaw_parameter *parameter);

/* The gradient of the last step, in the parameter's layout; NULL while the parameter has none: frozen, or none of its
   layers leads to the loss, or no step yet. With thaw_step_options.clip_norm it is the clipped gradient, which the
   optimizer saw, as PyTorch's clip_grad_norm_ leaves it, with gradients_only as well; of a step that was skipped the
   gradient as it was computed. Valid until the next call on the model. */
THAW_API const float *thaw_parameter_gradient(const thaw_parameter *parameter);

/* Optimizer state by slot name ("momentum_buffer", "exp_avg"), one float an element; NULL when there is none. Valid
   until the next call on the model. */
THAW_API const float *thaw_parameter_state(const thaw_parameter *parameter, const char *slot);

#ifdef __cplusplus
}
#endif

#endif
