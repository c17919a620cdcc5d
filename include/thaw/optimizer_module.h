/* What an optimizer is made of: a `const` struct of functions that know arithmetic and nothing else. Built-in modules
   use only this header, as yours do, and have no privilege. */
#ifndef THAW_OPTIMIZER_MODULE_H
#define THAW_OPTIMIZER_MODULE_H

#include <thaw/matrix_stage.h>
#include <thaw/optimizer.h>
#include <thaw/parameter.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { THAW_MAX_HYPERPARAMETERS = 16, THAW_MAX_SUMS = 8 };

/* The kind of module that this header describes, in the upper 16 bits, and its version, in the lower 16. */
enum { THAW_OPTIMIZER_ABI = 0x4F500001 };

/* Short for the first fields of a thaw_optimizer_module:
   `const thaw_optimizer_module thaw_module = { THAW_OPTIMIZER_MODULE_HEAD, .name = "lion", ... };`. */
#define THAW_OPTIMIZER_MODULE_HEAD .size = sizeof(thaw_optimizer_module), .abi = THAW_OPTIMIZER_ABI

/* A hyper-parameter: its default, and the closed range of accepted values. A flag is 0 or 1. Two names have a meaning
   to Thaw: "lr", which groups and schedules change, and "weight_decay", which groups change. */
typedef struct thaw_hyperparameter {
    const char *name;                 /* as users write it */
    double initial, minimum, maximum; /* the default and the range */
} thaw_hyperparameter;

/* What numbers a slot has, if it may be kept in fewer bits than 32 where users ask for it: "adamw:state=8bit". */
typedef enum thaw_slot_range {
    THAW_SLOT_EXACT = 0, /* always kept as floats */
    THAW_SLOT_SIGNED,    /* of any sign, such as a mean of gradients */
    THAW_SLOT_POSITIVE   /* never below zero, such as a mean of their squares */
} thaw_slot_range;

/* One span of one parameter, or copies of some of its elements side by side, if others are held (thaw/combine.h). The
   arrays' place and length therefore carry no meaning. All have `count` floats and do not overlap. */
typedef struct thaw_update {
    size_t count;                           /* elements of each array */
    float *parameter;                       /* read and written */
    const float *gradient;                  /* of the loss */
    float *slot[THAW_MAX_SLOTS];            /* zero before its first step, or set by `begin`; NULL where unused; those
                                               of one number, of any span, are read only */
    float scalar[THAW_MAX_HYPERPARAMETERS]; /* what `prepare` wrote, rounded to float */
    const double *hyperparameter;           /* the values in effect, for flags that choose a loop */
    uint64_t step;                          /* of this parameter, from 1 */
    uint64_t slot_step[THAW_MAX_SLOTS];     /* of a slot in use, from 1; below `step` if it came into use later */
    const float *before;                    /* the parameter before the step, for wrappers that compare; else NULL */
} thaw_update;

/* The sums of a step, for a module that needs more than elements: norms, dot products. Those of a parameter are over
   its elements that are not held. */
typedef struct thaw_conclusion {
    const double *own;            /* of this parameter: what `sums` has added up */
    const double *all;            /* of all parameters that the same optimizer updates in this step, together; NULL if
                                     the module has `own_sums` */
    const double *hyperparameter; /* the values in effect */
    uint64_t step;                /* of this parameter, from 1 */
    const thaw_shape *shape;      /* of this parameter */
    float *slot[THAW_MAX_SLOTS];  /* those of one number, of this parameter: read and written; NULL: all others */
} thaw_conclusion;

/* What a parameter is, for modules that are not for all of them. */
typedef struct thaw_suitor {
    thaw_role role;          /* weight, bias, ... */
    bool table;              /* its rows are looked up or added: embeddings, positions, tokens */
    const thaw_shape *shape; /* in PyTorch's layout */
    size_t rows, columns;    /* as a matrix: see thaw/matrix_stage.h */
} thaw_suitor;

/* A kind of optimizer. Fields that a module's `size` does not reach are zero, which is their default; `update` must be
   within it. */
struct thaw_optimizer_module {
    size_t size;  /* sizeof(thaw_optimizer_module), as the module was compiled */
    uint32_t abi; /* THAW_OPTIMIZER_ABI */

    const char *name;                           /* as users write it */
    const thaw_hyperparameter *hyperparameters; /* in the order of `scalar` */
    size_t hyperparameter_count;                /* at most THAW_MAX_HYPERPARAMETERS */
    const char *const *slots;                   /* names of the state arrays */
    size_t slot_count;                          /* at most THAW_MAX_SLOTS */

    /* The arithmetic. Called from many threads with disjoint spans whose borders carry no meaning. NULL if and only if
       the module has `matrix`. */
    void (*update)(const thaw_update *update);

    /* Whether these hyper-parameters need the slot. NULL: always. */
    bool (*uses_slot)(const double *hyperparameters, size_t slot);

    /* Whether an element whose gradient is zero keeps its value and its state to the bit, if these are finite. Thaw
       then skips rows of zeros (thaw_gradient_rows). NULL: never. */
    bool (*rests_at_zero)(const double *hyperparameters);

    /* Why these values do not go together, or NULL if they do. NULL function: every combination is accepted. */
    const char *(*check)(const double *hyperparameters);

    /* Computes, in double, what does not depend on the element, such as Adam's bias corrections. On entry, `scalars`
       holds the hyper-parameters. NULL: `update` uses those unchanged. */
    void (*prepare)(const double *hyperparameters, uint64_t step, double *scalars);

    /* Sets what the span of a slot in use holds before its first step, such as a copy of the parameter. `update`
       follows. Called for all elements, also for those that are held. NULL: slots begin at zero. */
    void (*begin)(const thaw_update *update, size_t slot);

    /* Sums over a parameter, for step sizes that depend on norms. A step then first calls `sums` for all elements, in
       spans of a fixed cut; it adds its span's sums to sums[0 .. sum_count), and may change slots, not the parameter.
       Thaw adds up the spans of a parameter, and the parameters, in a fixed order, so that the result is the same to
       the bit for any thread count. `conclude` turns them into scalars, once for each parameter; on entry, `scalars`
       holds what `prepare` wrote. Then `update` runs as always. The three for steps of length lr * |parameter|:

           static void sums(const thaw_update *u, double *sums)
           {
               sums[0] += thaw_sum_of_squares(u->parameter, u->count);
               sums[1] += thaw_sum_of_squares(u->gradient, u->count);
           }
           static void conclude(const thaw_conclusion *c, double *scalars)
           {
               scalars[RATE] = c->own[1] > 0 ? c->hyperparameter[LR] * sqrt(c->own[0] / c->own[1]) : 0;
           }
           static void update(const thaw_update *u)
           {
               for (size_t i = 0; i < u->count; i++)
                   u->parameter[i] -= u->scalar[RATE] * u->gradient[i];
           }

       A module with `conclude` alone has no sums, but numbers that it keeps for each parameter, in slots of one float
       each: a sum of learning rates, say. A number of the whole optimizer, such as Prodigy's estimate of the distance to
       the solution, is a slot of THAW_SLOT_SHARED. All parameters that the same optimizer updates in a step then begin
       it with the number of the one among them in whose slot it has had the most steps, and count on from there: one that
       thaws late joins the others. `conclude` must give all of them the same number, from `all`. The other functions read
       it. All NULL: the module needs none of it. */
    size_t sum_count;                                                     /* at most THAW_MAX_SUMS */
    void (*sums)(const thaw_update *update, double *sums);                /* as above */
    void (*conclude)(const thaw_conclusion *conclusion, double *scalars); /* as above */

    /* The arithmetic on a whole parameter as a matrix, by all threads together: see thaw/matrix_stage.h. `prepare` has
       been called. Such a module has none of `update`, `begin`, `rests_at_zero` and sums. */
    void (*matrix)(const thaw_matrix_update *matrix);

    /* The floats that `matrix` needs besides its arrays for a parameter of this size. The largest of all parameters is
       allocated once. NULL: none. */
    size_t (*scratch)(const double *hyperparameters, size_t rows, size_t columns);

    /* The longest side of the matrices that `matrix` decomposes for a parameter of this size (thaw_matrix_eigen,
       thaw_matrix_orthonormalize), so that their memory is allocated once. NULL: it decomposes none. */
    size_t (*decomposed_side)(const double *hyperparameters, size_t rows, size_t columns);

    /* Whether a parameter of this size has a slot that the hyper-parameters need (`uses_slot`). NULL: always. Only with
       `matrix`. Here, squares of a side are kept unless it is too long:

           static bool has_slot(const double *h, size_t slot, size_t rows, size_t columns)
           {
               return (double)(slot == LEFT ? rows : columns) <= h[MAX_DIM];
           } */
    bool (*has_slot)(const double *hyperparameters, size_t slot, size_t rows, size_t columns);

    /* Floating-point operations of `matrix` in a step, for thaw_plan_totals; if they differ from step to step, their
       mean. NULL: 0, of what is bound by memory. */
    double (*flops)(const double *hyperparameters, size_t rows, size_t columns);

    /* The shapes of the slots, in their order: without `matrix`, THAW_SLOT_WHOLE and, for `conclude`, THAW_SLOT_ONE
       and THAW_SLOT_SHARED. NULL: all have the parameter's. */
    const thaw_slot_shape *slot_shapes;

    /* Whether the module is for this parameter. Others are updated by the built-in module `fallback`, which must be for
       all. It has its own defaults, but a hyper-parameter of this module that is named "<fallback>_<name>", such as
       "adamw_lr", sets its `name`. A group's learning rate changes that of the fallback in the same proportion; a
       group's weight decay applies to both. thaw_parameter_module tells which one updates a parameter. Weights whose rows
       are not looked up (thaw_suits_matrix), and AdamW for the rest:

           ... .suits = thaw_suits_matrix, .fallback = "adamw",

       Both NULL: it is for all. */
    bool (*suits)(const thaw_suitor *parameter);
    const char *fallback; /* as above */

    /* For optimizers whose gradients are taken at other weights than those that count: writes the weights to evaluate
       and to save, into `evaluated`, from the parameter and its slots. Called for spans of all elements, also of those
       that are held; there is no gradient. Schedule-Free, whose parameter is y, evaluates its average x:

           static void view(const thaw_update *u, float *evaluated)
           {
               for (size_t i = 0; i < u->count; i++)
                   evaluated[i] = u->parameter[i] + (float)(1 - 1 / u->hyperparameter[BETA1]) *
                                                        (u->slot[Z][i] - u->parameter[i]);
           }

       A trainer puts these weights into the model as it does averages (thaw/average.h). NULL: the parameter is what
       counts. */
    void (*view)(const thaw_update *update, float *evaluated);

    /* Whether it is a wrapper: what it does, it does to the step of another optimizer, whichever that is. `begin` then
       sees the parameter before its first step, and `sums`, `conclude` and `update` run after each step, with the
       parameter as it is then. The gradient is still the one of the step, as it was clipped. Slots are the wrapper's
       own; scalars and hyper-parameters, too, so no "lr" or "weight_decay" of a group applies. A wrapper has none of
       `matrix`, `suits`, `view` and `rests_at_zero`, and cannot wrap what has a `view`. Held elements, which the step has
       not changed, are not shown to it either. Lookahead goes back every k steps, halfway to where it has come from:

           static void begin(const thaw_update *u, size_t slot)
           {
               memcpy(u->slot[slot], u->parameter, u->count * sizeof(float));
           }
           static void update(const thaw_update *u)
           {
               for (size_t i = 0; u->step % 5 == 0 && i < u->count; i++)
                   u->parameter[i] = u->slot[SLOW][i] += 0.5F * (u->parameter[i] - u->slot[SLOW][i]);
           }
           ... .wraps = true,

       Users write "lookahead:k=5/adamw:lr=1e-3". */
    bool wraps;

    /* Whether a wrapper's functions compare with `before`. That takes a copy of the parameters that it updates. */
    bool compares;

    /* Moves the parameters of a wrapper to other weights, at which the gradient of the step is then taken, in a second
       pass over the batch. The gradient that it sees, and before it `sums` and `conclude`, is that of the first pass, at
       the weights themselves, and not clipped; what a step tells of the loss is of the first pass, too. The parameters are
       put back to the bit before the step. Dropout is the same in both passes, and running statistics are those of the
       second. Such a wrapper has no `update` and no slots. SAM goes up to where the loss is higher:

           static void perturb(const thaw_update *u)
           {
               for (size_t i = 0; i < u->count; i++)
                   u->parameter[i] += u->scalar[SCALE] * u->gradient[i];
           }

       NULL: there is no second pass. */
    void (*perturb)(const thaw_update *update);

    /* Which slots may be kept in fewer bits than 32, in their order: see thaw_optimizer_create about "state". Before
       `update`, Thaw makes floats of them, and afterwards rounds what it finds there; `update` sees no difference. Those
       of Adam are { THAW_SLOT_SIGNED, THAW_SLOT_POSITIVE }. A module that has them has neither a hyper-parameter named
       "state" nor `matrix`, `conclude`, `view` or `wraps`. NULL: all are floats, and "state" is not accepted. */
    const thaw_slot_range *slot_ranges;

    /* Whether `conclude` reads the sums of the parameter itself only: `all` is NULL then. On one thread, Thaw sums and
       updates a few parameters at a time, so that `update` finds in a cache what `sums` has read. */
    bool own_sums;
};

/* Whether a parameter is a matrix by which inputs are multiplied: a weight of two dimensions or more, such as a
   convolution's, and no table such as an embedding. For `suits`. */
static inline bool thaw_suits_matrix(const thaw_suitor *parameter)
{
    return parameter->role == THAW_WEIGHT && parameter->shape->rank >= 2 && !parameter->table;
}

/* The sum of the squares of some floats, in double and in a fixed order that vectors can follow. For `sums`. */
static inline double thaw_sum_of_squares(const float *values, size_t count)
{
    enum { LANES = 8 };
    const size_t whole = count - count % LANES;
    double lanes[LANES] = { 0 }, sum = 0;
    for (size_t i = 0; i < whole; i += LANES)
        for (size_t k = 0; k < LANES; k++)
            lanes[k] += (double)values[i + k] * (double)values[i + k];
    for (size_t i = whole; i < count; i++)
        sum += (double)values[i] * (double)values[i];
    for (size_t k = 0; k < LANES; k++)
        sum += lanes[k];
    return sum;
}

#ifdef __cplusplus
}
#endif

#endif
