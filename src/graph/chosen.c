#include "graph/chosen.h"

#include "core/allocation.h"

typedef struct choice {
    thaw_context *context;
    bool (*accept)(const thaw_parameter *parameter);
    thaw_chosen *chosen;
    bool failed;
} choice;

static void take(choice *c, thaw_parameter *parameter)
{
    if (c->failed || !c->accept(parameter))
        return;
    thaw_parameter **items =
        thaw_grow(c->context, c->chosen->items, &c->chosen->capacity, c->chosen->count + 1, sizeof(thaw_parameter *));
    c->failed = !items;
    if (c->failed)
        return;
    c->chosen->items = items;
    c->chosen->items[c->chosen->count++] = parameter;
}

static void visit(void *argument, thaw_selected selected)
{
    if (selected.parameter) {
        take(argument, selected.parameter);
        return;
    }
    for (size_t i = 0; i < selected.group->parameter_count; i++)
        take(argument, selected.group->parameters[i]);
}

thaw_status thaw_choose(thaw_model *model, const char *pattern, bool (*accept)(const thaw_parameter *parameter),
                        const char *what, thaw_chosen *chosen)
{
    *chosen = (thaw_chosen){ 0 };
    choice c = { .context = model->context, .accept = accept, .chosen = chosen };
    thaw_status status = thaw_set_select(&model->parameters, pattern, visit, &c);
    if (status == THAW_OK && c.failed)
        status = THAW_OUT_OF_MEMORY;
    if (status == THAW_OK && chosen->count == 0)
        status = thaw_fail(model->context, THAW_NOT_FOUND, "pattern \"%.200s\" selects %s", pattern, what);
    if (status != THAW_OK) {
        thaw_release(model->context, chosen->items);
        *chosen = (thaw_chosen){ 0 };
    }
    return status;
}
