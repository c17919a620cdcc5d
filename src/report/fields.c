/* Fields of the JSON that sections read. */
#include <math.h>

#include "report/page.h"

const char *thaw_report_string(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

double thaw_report_number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

bool thaw_report_true(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

const char *thaw_report_strategy(const thaw_report_page *page, size_t index)
{
    return thaw_report_string(json_array_get(page->strategies, index), "name");
}

const char *thaw_report_optimizer(const thaw_report_page *page, size_t index)
{
    return thaw_report_string(json_array_get(page->optimizers, index), "description");
}

const thaw_report_point *thaw_report_find(const thaw_report_page *page, size_t strategy, size_t optimizer)
{
    for (size_t i = 0; i < page->point_count; i++)
        if (page->points[i].strategy == strategy && page->points[i].optimizer == optimizer)
            return &page->points[i];
    return NULL;
}

size_t thaw_report_epochs(const thaw_report_page *page)
{
    const double epochs = thaw_report_number(json_object_get(page->results, "experiment"), "epochs");
    return epochs >= 1 && epochs < 1e9 ? (size_t)epochs : 1;
}
