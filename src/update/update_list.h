/* The internals of the update list. */
#ifndef THAW_UPDATE_UPDATE_LIST_H
#define THAW_UPDATE_UPDATE_LIST_H

#include <stdatomic.h>

#include "update/update.h"

enum { THAW_NORM_BLOCK = 4096 /* floats of a block of the norm */ };

/* Blocks of the norm do not cross from one parameter to the next. */
static inline size_t thaw_norm_blocks_of(const thaw_parameter *parameter)
{
    return (parameter->count + THAW_NORM_BLOCK - 1) / THAW_NORM_BLOCK;
}

/* A piece of one parameter. */
typedef struct thaw_span {
    size_t parameter, begin, count;
} thaw_span;

/* Shared by parameters of one group and step count. */
typedef struct thaw_rule {
    double values[THAW_MAX_HYPERPARAMETERS];
    double exact[THAW_MAX_HYPERPARAMETERS]; /* what `prepare` wrote */
    float scalars[THAW_MAX_HYPERPARAMETERS];
    uint64_t step;
    unsigned used_slots, whole_slots; /* a bit each: those in use, and of these, those with a number for each element */
} thaw_rule;

/* The scalars of a parameter whose module concludes them from its sums. */
typedef struct thaw_concluded {
    float scalars[THAW_MAX_HYPERPARAMETERS];
} thaw_concluded;

typedef struct thaw_matrix_stage thaw_matrix_stage;

/* The optimizers' modules are one list, and each level of wrappers is another, which runs after it. */
struct thaw_update_list {
    thaw_context *context;
    thaw_parameter **parameters;
    const thaw_optimizer_module **modules; /* that update them; NULL: the group has no optimizer, or no such wrapper */
    size_t *first_slot;                    /* of each parameter's module, among the parameter's slots */
    thaw_dtype *states;                    /* of each: thaw_parameter_state_dtype; of wrappers THAW_F32 */
    size_t parameter_count;
    float *gradients; /* of all parameters, padded; then room */
    uint64_t **held;  /* bits of a parameter's elements: 1 where updates keep the value; NULL: nowhere */
    size_t *rule_of;  /* a parameter's rule */
    thaw_rule *rules;

    thaw_span *spans; /* what each thread updates, element by element */
    size_t span_count;
    size_t *first_span; /* of each thread, and one past the last */
    int threads;
    double gradient_scale; /* of the run under way */
    atomic_bool suspect;   /* see thaw_update_list_suspect */

    thaw_span *norm_blocks; /* pieces of fixed size, whatever the thread count */
    double *norm_sums;      /* of each block: its sum of squares, or whether it is not finite */
    size_t norm_count;

    /* NULL unless a module needs sums */
    double (*block_sums)[THAW_MAX_SUMS];     /* of each norm block */
    double (*parameter_sums)[THAW_MAX_SUMS]; /* of each parameter */
    thaw_concluded *concluded;               /* of each parameter */
    size_t *groups; /* of parameters whose modules have own_sums: the first norm block of each; see sum_groups.h */
    size_t group_count;

    thaw_matrix_stage *matrices; /* NULL unless a module has the stage */

    float **before;             /* each parameter before its step, where a wrapper needs it; else NULL */
    float *before_floats;       /* their memory */
    bool perturbs;              /* the wrappers that perturb run now, and no others */
    thaw_update_list *wrappers; /* the level around this one, or NULL */
    thaw_update_list *wrapped;  /* the optimizers' list, which has the parameters, held bits, rule numbers and blocks */
};

/* Allocates what lists of optimizers and of wrappers have alike. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_update_list_allocate(thaw_update_list *list, thaw_context *context, size_t count);

/* Cuts the spans that are updated, and allocates what sums need. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_update_list_make_stages(thaw_update_list *list);

/* Counts a step of the slots in use, and computes what the hyper-parameters say of the modules that run now. */
void thaw_update_list_fill_rules(thaw_update_list *list, double rate_factor);

/* Whether the parameter's module has a part in what the list does now: update, or perturb. */
static inline bool thaw_update_list_runs(const thaw_update_list *list, size_t index)
{
    return list->modules[index] && (list->modules[index]->perturb != NULL) == list->perturbs;
}

/* Whether the parameter is summed and updated in a group: see sum_groups.h. With several threads that took longer than
   all sums before all updates, by 1.2 to 1.6 times for LAMB on two busy cores: they wait for each other twice a group. */
static inline bool thaw_sums_in_groups(const thaw_update_list *list, size_t index)
{
    return list->threads == 1 && list->modules[index] && list->modules[index]->own_sums;
}

/* The spans of one thread of a team: [*first, *past). A team may have fewer threads than the list has shares, such as
   one inside a parallel region of the host. Then a thread does several shares. */
static inline void thaw_share_of(const thaw_update_list *list, int thread, int threads, size_t *first, size_t *past)
{
    *first = list->first_span[list->threads * thread / threads];
    *past = list->first_span[list->threads * (thread + 1) / threads];
}

#endif
