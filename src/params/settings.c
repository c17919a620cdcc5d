#include "params/settings.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <thaw/runtime.h>

#include "core/nearest.h"
#include "core/number.h"
#include "params/optimizer.h"

enum { LONGEST_NAME = 63 };

int thaw_hyperparameter_index(const thaw_optimizer_module *module, const char *name)
{
    for (size_t i = 0; i < module->hyperparameter_count; i++)
        if (strcmp(module->hyperparameters[i].name, name) == 0)
            return (int)i;
    return -1;
}

static thaw_status unknown_name(thaw_context *context, const thaw_optimizer_module *module, const char *name)
{
    const char *known[THAW_MAX_HYPERPARAMETERS];
    char what[LONGEST_NAME + 32];
    for (size_t i = 0; i < module->hyperparameter_count; i++)
        known[i] = module->hyperparameters[i].name;
    snprintf(what, sizeof what, "hyper-parameter of %s", module->name);
    return thaw_fail_unknown(context, what, name, known, module->hyperparameter_count);
}

thaw_status thaw_setting_apply(thaw_context *context, const thaw_optimizer_module *module, const char *name,
                               double value, double *values)
{
    const int index = thaw_hyperparameter_index(module, name);
    if (index < 0)
        return unknown_name(context, module, name);
    const thaw_hyperparameter *meant = &module->hyperparameters[index];
    if (!isfinite(value))
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: %s is %g, must be finite", module->name, name, value);
    if (value < meant->minimum || value > meant->maximum)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: %s is %.16g, must be from %.16g to %.16g", module->name,
                         name, value, meant->minimum, meant->maximum);
    values[index] = value;
    return THAW_OK;
}

thaw_status thaw_settings_check(thaw_context *context, const thaw_optimizer_module *module, const double *values)
{
    const char *error = module->check ? module->check(values) : NULL;
    return error ? thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: %s", module->name, error) : THAW_OK;
}

/* Reads one "name=value" of `length` characters. `given` records which were named. */
static thaw_status parse_item(thaw_context *context, const thaw_optimizer_module *module, const char *item,
                              size_t length, size_t *given, double *values)
{
    const char *equals = memchr(item, '=', length);
    const size_t name_length = equals ? (size_t)(equals - item) : length;
    if (!equals || name_length == 0 || name_length > LONGEST_NAME)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: \"%.*s\", must be NAME=VALUE", module->name,
                         (int)(length < 100 ? length : 100), item);
    char name[LONGEST_NAME + 1] = { 0 };
    memcpy(name, item, name_length);
    const size_t value_length = length - name_length - 1;
    const bool percent = value_length > 1 && equals[value_length] == '%';
    double value = 0;
    int index = thaw_hyperparameter_index(module, name);
    if (index < 0 && strcmp(name, "wd") == 0)
        index = thaw_hyperparameter_index(module, "weight_decay");
    if (index < 0)
        return unknown_name(context, module, name);
    if (given[index]++)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: %s is given twice", module->name, name);
    if (!thaw_parse_number(equals + 1, value_length - percent, &value))
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: %s=\"%.*s\", must be a finite number such as 1e-3",
                         module->name, name, (int)(value_length < 100 ? value_length : 100), equals + 1);
    return thaw_setting_apply(context, module, module->hyperparameters[index].name, percent ? value / 100 : value,
                              values);
}

thaw_status thaw_settings_parse(thaw_context *context, const thaw_optimizer_module *module, const char *text,
                                double *values)
{
    size_t given[THAW_MAX_HYPERPARAMETERS] = { 0 };
    for (size_t i = 0; i < module->hyperparameter_count; i++)
        values[i] = module->hyperparameters[i].initial;
    if (!text || !*text)
        return thaw_settings_check(context, module, values);
    for (const char *item = text;;) {
        const size_t length = strcspn(item, ",");
        const thaw_status status = parse_item(context, module, item, length, given, values);
        if (status != THAW_OK)
            return status;
        if (!item[length])
            return thaw_settings_check(context, module, values);
        item += length + 1;
    }
}
