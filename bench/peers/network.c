/* The network that is trained. */
#include <stdio.h>
#include <string.h>

#include "worker.h"

/* Two layers over 50 steps, and a classifier of the last one. */
static thaw_status build_lstm(thaw_model *model)
{
    const thaw_recurrent_options lstm = { .name = "lstm", .units = 256, .layers = 2, .last_only = true };
    thaw_node node;
    thaw_status status = thaw_input(model, &(thaw_shape){ 2, { 50, 64 } }, &node);
    if (status == THAW_OK)
        status = thaw_lstm(model, node, &lstm, &node);
    if (status == THAW_OK)
        status = thaw_dense(model, node, &(thaw_dense_options){ .name = "head", .units = 10 }, &node);
    return status == THAW_OK ? thaw_softmax_cross_entropy(model, node, NULL, &node) : status;
}

static thaw_dtype dtype_of(const char *precision)
{
    return strcmp(precision, "bf16") == 0 ? THAW_BF16 : THAW_F32;
}

/* Only the adapters and the last group train. */
static thaw_status adapt(worker *w)
{
    const settings *s = &w->settings;
    const char *last = thaw_group_name(thaw_model_group(w->model, thaw_model_group_count(w->model) - 1));
    thaw_status status = thaw_model_freeze(w->model, "*");
    if (status == THAW_OK)
        status = thaw_model_unfreeze(w->model, last);
    return status == THAW_OK ? thaw_lora(w->model, s->lora, (int64_t)s->lora_rank, (double)s->lora_rank) : status;
}

bool worker_build(worker *w)
{
    const settings *s = &w->settings;
    thaw_optimizer *optimizer = NULL;
    const bool lstm = strcmp(s->network, "lstm") == 0;
    if ((lstm ? build_lstm(w->model) : thaw_zoo_build(w->model, s->network, s->classes)) != THAW_OK)
        return worker_fail(w, s->network);
    if (thaw_optimizer_create(w->context, s->optimizer, &optimizer) != THAW_OK)
        return worker_fail(w, s->optimizer);
    thaw_status status = thaw_select_optimizer(w->model, "*", optimizer);
    thaw_optimizer_destroy(optimizer);
    if (status == THAW_OK && strcmp(s->freeze, "convolutions") == 0)
        status = thaw_model_freeze(w->model, "conv*");
    if (status == THAW_OK && strcmp(s->freeze, "body") == 0) {
        thaw_group *last = thaw_model_group(w->model, thaw_model_group_count(w->model) - 1);
        status = thaw_model_freeze_before(w->model, thaw_group_name(last));
    }
    if (status == THAW_OK && strncmp(s->freeze, "before:", 7) == 0) {
        char pattern[64];
        snprintf(pattern, sizeof pattern, "%s|%s.*", s->freeze + 7, s->freeze + 7);
        status = thaw_model_freeze_before(w->model, pattern);
    }
    if (status == THAW_OK && s->lora)
        status = adapt(w);
    const thaw_precision precision = { .all = dtype_of(s->precision), .frozen = dtype_of(s->frozen_precision) };
    if (status == THAW_OK)
        status = thaw_model_set_precision(w->model, &precision);
    return status == THAW_OK || worker_fail(w, "the network");
}
