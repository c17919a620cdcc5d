/* Parameters, the groups that layers register them in, and the choice of what trains.

   Patterns are shell-style: * ? [a-z] {a,b}, and | for alternatives; * also matches dots. A pattern is matched against
   group names ("conv1", "layer1.0.conv2") and parameter names ("conv1.weight"). If a group's name matches, the whole
   group is selected; otherwise the single parameters that match. A pattern that matches nothing gives THAW_NOT_FOUND,
   and a malformed one THAW_INVALID_ARGUMENT; neither changes anything.

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
/* The parameters of one layer, with their settings. A group belongs to the model. */
typedef struct thaw_group thaw_group;
/* A named tensor. A parameter belongs to the model. */
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
    THAW_INITIAL_SMALL_NORMAL,   /* standard deviation 0.01: of classifiers in VGG and MobileNet */
    THAW_INITIAL_TRANSFORMER,    /* normal, standard deviation 0.02: of transformers */
    THAW_INITIAL_NORMAL,         /* standard deviation 1: of embeddings, as in PyTorch */
    THAW_INITIAL_CONSTANT        /* thaw_parameter_specification.constant, which a layer sets */
} thaw_initializer;

/* A parameter with a row for each token of a sequence: `tokens` rows, and then those of a grid of positions, row by
   row. If a file has a square grid of another size, loading resamples it: see thaw/weights.h. */
typedef struct thaw_position_grid {
    int64_t tokens, height, width; /* rows of tokens; the grid's rows and columns */
} thaw_position_grid;

/* A parameter to make. One that a layer registers has the full name "<layer>.<name>". */
typedef struct thaw_parameter_specification {
    const char *name;             /* such as "weight" */
    const char *path;             /* the prefix of its name in the full name; NULL: the layer's name; "": no prefix */
    thaw_role role;               /* what it is */
    thaw_shape shape;             /* in PyTorch's layout */
    thaw_initializer initializer; /* of its first values */
    double fan_in, fan_out;       /* for the initializers that read them */
    double constant;              /* for THAW_INITIAL_CONSTANT */
    thaw_position_grid grid;      /* all 0: the parameter has none */
    bool transposed;              /* files of weights have this matrix transposed (thaw/weights.h) */
    bool table;             /* its rows are looked up or added, not multiplied with: not every optimizer is for it */
    size_t zeros_at, zeros; /* this many elements from `zeros_at` on start at zero, whatever the initializer */
} thaw_parameter_specification;

/* ---- what trains ---- */

/* Freezes what matches: whole groups, or single parameters of a group. Takes effect at the next step, which compiles
   a new plan. Optimizer state is kept (thaw_select_release_state frees it). Frozen bytes never change, neither by
   gradients nor by weight decay or old momentum. Errors: THAW_NOT_FOUND. */
THAW_API thaw_status thaw_model_freeze(thaw_model *model, const char *pattern);

/* The opposite of thaw_model_freeze. A parameter continues with its step count and optimizer state; one that never
   trained starts at step 1 without state. Errors: THAW_NOT_FOUND. */
THAW_API thaw_status thaw_model_unfreeze(thaw_model *model, const char *pattern);

/* Freezes every group registered before the first one whose name matches `pattern`, and unfreezes that one and all
   later ones. Errors: THAW_NOT_FOUND. */
THAW_API thaw_status thaw_model_freeze_before(thaw_model *model, const char *pattern);

/* Layers that do not lead to the loss, such as a second head, are not computed in training. Their parameters keep
   their flags and may be trainable. But they have no gradient, step count or weight decay, and keep their bytes,
   whatever the optimizer. They train as soon as the loss depends on them. */

/* How much of something trains. Partial means that it consists of, or is computed from, both training and frozen
   parts. */
typedef enum thaw_trainability { THAW_FROZEN, THAW_PARTIAL, THAW_TRAINABLE } thaw_trainability;

/* "frozen", "partial" or "trainable". Static storage; thread-safe. */
THAW_API const char *thaw_trainability_name(thaw_trainability trainability);

/* The trainability of everything that matches, taken together: a layer ("conv1"), several layers ("layer1.*"), or
   single parameters. It is frozen if all of them are, trainable if all are, and partial otherwise. Statistics do not
   count, nor do added parameters that no layer uses. A parameter that is bound to an expression (thaw/combine.h) counts
   as that expression.
   Errors: THAW_NOT_FOUND. */
THAW_API thaw_status thaw_model_trainability(thaw_model *model, const char *pattern, thaw_trainability *trainability);

/* ---- settings of groups ----
   These take group patterns. If only a parameter's name matches, its group is selected. */

/* Sets the groups' own learning rate, which replaces their optimizer's. Schedules multiply it. NAN restores the
   optimizer's. Errors: THAW_NOT_FOUND; THAW_INVALID_ARGUMENT if negative or infinite. */
THAW_API thaw_status thaw_select_learning_rate(thaw_model *model, const char *pattern, double learning_rate);

/* Sets the groups' own weight decay, which replaces their optimizer's. NAN restores the optimizer's. Errors: as
   above; also THAW_INVALID_ARGUMENT if the optimizer has no "weight_decay". */
THAW_API thaw_status thaw_select_weight_decay(thaw_model *model, const char *pattern, double weight_decay);

/* Sets the groups' optimizer. The model keeps a reference, so the caller may destroy its own at any time. Changing
   to another kind of optimizer discards the groups' state and step counts. Errors: THAW_NOT_FOUND;
   THAW_INVALID_ARGUMENT (no optimizer, or one of another context than the model's). */
THAW_API thaw_status thaw_select_optimizer(thaw_model *model, const char *pattern, thaw_optimizer *optimizer);

/* Frees optimizer state and zeroes step counts of the groups. Errors: THAW_NOT_FOUND. */
THAW_API thaw_status thaw_select_release_state(thaw_model *model, const char *pattern);

/* Reinitialises matching parameters and discards their optimizer state: used to replace the head of a loaded
   network. The random values differ from the layer's first ones; otherwise a head that was trained from these would
   start from them again because the seed is the same. They depend on the seed and on how often the parameter was
   reset. Errors: THAW_NOT_FOUND. */
THAW_API thaw_status thaw_model_reset(thaw_model *model, const char *pattern);

/* ---- groups ---- */

THAW_API size_t thaw_model_group_count(const thaw_model *model);                 /* one per layer with parameters */
THAW_API thaw_group *thaw_model_group(thaw_model *model, size_t index);          /* NULL past the end */
THAW_API thaw_group *thaw_model_find_group(thaw_model *model, const char *name); /* NULL if unknown */
THAW_API const char *thaw_group_name(const thaw_group *group);                   /* "conv1" */
THAW_API bool thaw_group_trainable(const thaw_group *group); /* the flag; parameters may override it */
/* The learning rate in effect, before schedules; NAN without an optimizer. */
THAW_API double thaw_group_learning_rate(const thaw_group *group);
THAW_API double thaw_group_weight_decay(const thaw_group *group);       /* in effect; NAN if the optimizer has none */
THAW_API thaw_optimizer *thaw_group_optimizer(const thaw_group *group); /* borrowed; NULL before one is set */
THAW_API size_t thaw_group_parameter_count(const thaw_group *group);    /* includes statistics */
THAW_API thaw_parameter *thaw_group_parameter(const thaw_group *group, size_t index); /* NULL past the end */

/* ---- parameters ---- */

THAW_API size_t thaw_model_parameter_count(const thaw_model *model);                     /* includes statistics */
THAW_API thaw_parameter *thaw_model_parameter(thaw_model *model, size_t index);          /* NULL past the end */
THAW_API thaw_parameter *thaw_model_find_parameter(thaw_model *model, const char *name); /* NULL if unknown */
THAW_API const char *thaw_parameter_name(const thaw_parameter *parameter);               /* "conv1.weight" */
THAW_API thaw_role thaw_parameter_role(const thaw_parameter *parameter);                 /* what it is */
THAW_API const thaw_shape *thaw_parameter_shape(const thaw_parameter *parameter); /* in PyTorch's layout; borrowed */
THAW_API thaw_group *thaw_parameter_group(const thaw_parameter *parameter);       /* the group that it belongs to */
THAW_API bool thaw_parameter_trainable(const thaw_parameter *parameter);          /* combines flag, override and role */

/* The same for what its layer computes with: that of the expression for a parameter bound to one (thaw/combine.h);
   partial for a parameter with frozen slices. */
THAW_API thaw_trainability thaw_parameter_trainability(const thaw_parameter *parameter);

THAW_API uint64_t thaw_parameter_steps(const thaw_parameter *parameter); /* the number of updates */

/* The values, row-major in PyTorch's layout. Valid as long as the model. A frozen weight is otherwise only kept in
   its layer's packed copy; from this call on it takes memory for both. */
THAW_API const float *thaw_parameter_data(const thaw_parameter *parameter);

/* The same, for writing before the next call on the model. Kernels' copies are updated afterwards. */
THAW_API float *thaw_parameter_edit(thaw_parameter *parameter);

/* The gradient of the last step, in the parameter's layout. NULL if the parameter has none: it is frozen, none of
   its layers leads to the loss, or no step was taken. With thaw_step_options.clip_norm it is the clipped gradient
   that the optimizer used, as PyTorch's clip_grad_norm_ leaves it, even with gradients_only. After a skipped step it
   is the gradient as computed. Valid until the next call on the model. */
THAW_API const float *thaw_parameter_gradient(const thaw_parameter *parameter);

/* The module that updates the parameter: that of its group's optimizer, or the fallback if that does not suit the
   parameter (thaw/optimizer_module.h). NULL: the group has no optimizer. */
THAW_API const thaw_optimizer_module *thaw_parameter_module(const thaw_parameter *parameter);

/* Optimizer state by slot name ("momentum_buffer", "exp_avg"); NULL if there is none, or it is not kept in floats. One
   float per element, unless the module gives the slot another shape. Valid until the next call on the model. */
THAW_API const float *thaw_parameter_state(const thaw_parameter *parameter, const char *slot);

/* Copies state [first, first + count) of a slot into `values`, also of one that is kept in fewer bits
   (thaw_optimizer_create). False, and nothing is copied: there is none, or it has fewer numbers. */
THAW_API bool thaw_parameter_read_state(const thaw_parameter *parameter, const char *slot, size_t first, size_t count,
                                        float *values);

/* Puts the weights that count in place of those that train, or these back, to the bit: to evaluate, to predict with and
   to save them. They differ where an optimizer takes gradients at other weights than those that it is to find, as
   Schedule-Free does (`view` in thaw/optimizer_module.h); otherwise nothing happens. Trainers do so for their tests and
   their best weights. The model is not to be changed meanwhile. Calls that train, or save or load a checkpoint, put the
   weights that train back first. Errors: THAW_OUT_OF_MEMORY; the weights are those that train, then. Putting them back
   does not fail. */
THAW_API thaw_status thaw_model_use_view(thaw_model *model, bool use);

#ifdef __cplusplus
}
#endif

#endif
