#include "support/parameters.h"

#include <stdio.h>

thaw_parameter_set parameters_create(thaw_context *context, const size_t *sizes, size_t count)
{
    thaw_parameter_set set = { .context = context };
    for (size_t i = 0; i < count; i++) {
        char name[32];
        thaw_group *group;
        snprintf(name, sizeof name, "group%zu", i);
        assert_ok(context, thaw_set_add_group(&set, name, &group));
        assert_ok(context, thaw_set_add_parameter(&set,
                                                  &(thaw_parameter_specification){
                                                      .name = "weight",
                                                      .shape = { 1, { (int64_t)sizes[i] } },
                                                      .initializer = THAW_INITIAL_ZERO,
                                                  },
                                                  (uint32_t)i));
        support_fill(set.parameters[i]->data, sizes[i], 100 + (uint32_t)i);
    }
    return set;
}

void parameters_optimize(thaw_parameter_set *set, size_t first, size_t past, const char *description)
{
    thaw_optimizer *optimizer;
    assert_ok(set->context, thaw_optimizer_create(set->context, description, &optimizer));
    for (size_t i = first; i < past; i++) {
        thaw_optimizer_destroy(set->groups[i]->optimizer);
        set->groups[i]->optimizer = thaw_optimizer_retain(optimizer);
    }
    thaw_optimizer_destroy(optimizer);
}

thaw_update_list *parameters_list(const thaw_parameter_set *set, size_t first, size_t past)
{
    thaw_update_list *list;
    assert_ok(set->context,
              thaw_update_list_create(set->context, set->parameters + first, past - first, PARAMETERS_ROOM, &list));
    return list;
}

void parameters_fill_gradients(const thaw_parameter_set *set, uint32_t seed)
{
    for (size_t i = 0; i < set->parameter_count; i++)
        if (set->parameters[i]->gradient)
            support_fill(set->parameters[i]->gradient, set->parameters[i]->count, seed + (uint32_t)i);
}
