#include "support/update_model.h"

#include <stdio.h>

#include "params/optimizer.h"

enum { SMALL = 512, LARGE_MEAN = 10000 };

/* Elements per tensor. They come in equal pairs, so that freezing every second tensor freezes half of the elements. */
static size_t tensor_count(size_t parameters, size_t tensors, size_t index)
{
    const size_t mean = parameters / tensors;
    if (mean < LARGE_MEAN)
        return mean;
    return index / 2 % 2 ? SMALL : 2 * mean - SMALL;
}

static thaw_status add_tensor(thaw_parameter_set *set, size_t index, size_t count, thaw_optimizer *optimizer)
{
    char name[32];
    thaw_group *group = NULL;
    const thaw_parameter_specification specification = {
        .name = "weight",
        .shape = { .rank = 1, .dims = { (int64_t)count } },
        .fan_in = 100,
    };
    snprintf(name, sizeof name, "layer%zu", index);
    const thaw_status status = thaw_set_add_group(set, name, &group);
    if (status != THAW_OK)
        return status;
    group->optimizer = thaw_optimizer_retain(optimizer);
    return thaw_set_add_parameter(set, &specification, (uint32_t)index);
}

static void fill_gradient(thaw_parameter *parameter)
{
    for (size_t i = 0; i < parameter->count; i++)
        parameter->gradient[i] = 1e-3F * (float)(i % 16) - 5e-3F;
}

thaw_status bench_model_create(thaw_context *context, size_t parameters, size_t tensors, thaw_optimizer *optimizer,
                               bool freeze_half, bench_model *model)
{
    *model = (bench_model){ .set = { .context = context } };
    thaw_parameter **trained = thaw_allocate_array(context, tensors, sizeof(thaw_parameter *));
    thaw_status status = trained ? THAW_OK : THAW_OUT_OF_MEMORY;
    size_t count = 0;
    for (size_t i = 0; status == THAW_OK && i < tensors; i++) {
        status = add_tensor(&model->set, i, tensor_count(parameters, tensors, i), optimizer);
        if (status != THAW_OK || (freeze_half && i % 2))
            continue;
        trained[count] = model->set.parameters[i];
        model->trained += trained[count++]->count;
    }
    if (status == THAW_OK)
        status = thaw_update_list_create(context, trained, count, 0, &model->list);
    for (size_t i = 0; status == THAW_OK && i < count; i++)
        fill_gradient(trained[i]);
    thaw_release(context, trained);
    if (status != THAW_OK)
        bench_model_release(model);
    return status;
}

void bench_model_release(bench_model *model)
{
    thaw_update_list_release(model->list);
    thaw_set_release(&model->set);
}
