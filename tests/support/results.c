#include "support/results.h"

#include <thaw/base.h>

void support_forget_times(json_t *file)
{
    json_object_del(file, "checksum");
    static const char *const timed[] = { "jobs",
                                         "seconds",
                                         "times",
                                         "test_seconds",
                                         "wall_seconds",
                                         "samples_per_second",
                                         "joules",
                                         "seconds_per_epoch",
                                         "seconds_to_target",
                                         "joules_per_epoch",
                                         "pareto_time" };
    json_t *profiles = json_object_get(file, "profiles");
    json_object_del(json_object_get(profiles, "optimizers"), "by_seconds");
    json_object_del(json_object_get(profiles, "strategies"), "by_seconds");
    const char *const lists[] = { "runs", "configurations", "trials" };
    json_t *costs = json_object_get(json_object_get(file, "tuning"), "optimizers");
    for (size_t i = 0; i < json_array_size(costs); i++)
        json_object_del(json_array_get(costs, i), "seconds");
    for (size_t k = 0; k < THAW_COUNT(lists); k++) {
        size_t index;
        json_t *one;
        json_array_foreach(json_object_get(file, lists[k]), index, one)
        {
            size_t at_epoch;
            json_t *epoch;
            for (size_t i = 0; i < THAW_COUNT(timed); i++)
                json_object_del(one, timed[i]);
            json_t *target = json_object_get(one, "to_target");
            json_object_del(target, "seconds");
            json_object_del(target, "rank_by_seconds");
            json_array_foreach(json_object_get(one, "epochs"), at_epoch,
                               epoch) for (size_t i = 0; i < THAW_COUNT(timed); i++) json_object_del(epoch, timed[i]);
        }
    }
}
