#include "graph/parameter_list.h"

#include "core/allocation.h"

typedef struct choice {
    thaw_context *context;
    bool (*accept)(const thaw_parameter *parameter);
    thaw_parameter_list *list;
    bool failed;
} choice;

static void take(void *argument, thaw_parameter *parameter)
{
    choice *c = argument;
    if (c->failed || !c->accept(parameter))
        return;
    thaw_parameter **items =
        thaw_grow(c->context, c->list->items, &c->list->capacity, c->list->count + 1, sizeof(thaw_parameter *));
    c->failed = !items;
    if (c->failed)
        return;
    c->list->items = items;
    c->list->items[c->list->count++] = parameter;
}

static void visit(void *argument, thaw_selected selected)
{
    thaw_selected_visit(selected, take, argument);
}

thaw_status thaw_list_parameters(thaw_model *model, const char *pattern,
                                 bool (*accept)(const thaw_parameter *parameter), const char *what,
                                 thaw_parameter_list *list)
{
    *list = (thaw_parameter_list){ 0 };
    choice c = { .context = model->context, .accept = accept, .list = list };
    thaw_status status = thaw_set_select(&model->parameters, pattern, visit, &c);
    if (status == THAW_OK && c.failed)
        status = THAW_OUT_OF_MEMORY;
    if (status == THAW_OK && list->count == 0)
        status = thaw_fail(model->context, THAW_NOT_FOUND, "pattern \"%.200s\" selects %s", pattern, what);
    if (status != THAW_OK) {
        thaw_release(model->context, list->items);
        *list = (thaw_parameter_list){ 0 };
    }
    return status;
}
