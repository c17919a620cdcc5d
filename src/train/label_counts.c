#include "train/label_counts.h"

#include <math.h>

#include "core/allocation.h"
#include "distributed/exchange.h"

enum { TOP = 5 };

/* The values: three totals, then three of each class. */
enum { COUNTED, CORRECT, AMONG_TOP, TOTALS };
enum { RIGHT, LABELLED, PREDICTED, OF_CLASS };

static size_t count_values(const thaw_label_counts *counts)
{
    return TOTALS + OF_CLASS * counts->classes;
}

static uint64_t *of_class(const thaw_label_counts *counts, size_t class)
{
    return counts->values + TOTALS + OF_CLASS * class;
}

size_t thaw_predicted_class(const float *outputs, size_t classes)
{
    size_t best = 0;
    for (size_t k = 1; k < classes; k++)
        if (outputs[k] > outputs[best])
            best = k;
    return best;
}

bool thaw_label_counts_of(const thaw_graph_node *loss, int32_t label)
{
    return !(loss->ignores && label == loss->ignored_label);
}

thaw_status thaw_label_counts_create(const thaw_model *model, thaw_label_counts *counts)
{
    *counts = (thaw_label_counts){ .classes = thaw_model_label_classes(model) };
    counts->values = thaw_allocate_array(model->context, count_values(counts), sizeof *counts->values);
    return counts->values ? THAW_OK : THAW_OUT_OF_MEMORY;
}

void thaw_label_counts_release(thaw_context *context, thaw_label_counts *counts)
{
    thaw_release(context, counts->values);
    counts->values = NULL;
}

/* Whether fewer than TOP outputs come before the label's. As in torch.topk, NaN is the largest value; of equals, the
   first come first. */
static bool is_among_top(const float *outputs, size_t classes, size_t label)
{
    const float own = outputs[label];
    size_t before = 0;
    for (size_t k = 0; k < classes; k++) {
        const bool equal = outputs[k] == own || (isnan(outputs[k]) && isnan(own));
        const bool larger = outputs[k] > own || (isnan(outputs[k]) && !isnan(own));
        before += larger || (equal && k < label);
    }
    return before < TOP;
}

void thaw_label_counts_add(thaw_label_counts *counts, const thaw_model *model, const float *outputs,
                           const void *targets, size_t count)
{
    const size_t classes = counts->classes;
    if (classes == 0)
        return;
    const thaw_graph_node *loss = &model->nodes[thaw_model_loss(model)];
    const int32_t *labels = targets;
    for (size_t i = 0; i < count; i++) {
        const float *row = outputs + i * classes;
        if (!thaw_label_counts_of(loss, labels[i]))
            continue;
        const size_t predicted = thaw_predicted_class(row, classes);
        counts->values[COUNTED]++;
        of_class(counts, predicted)[PREDICTED]++;
        if (labels[i] < 0 || (size_t)labels[i] >= classes) /* a host's loss may take others */
            continue;
        const size_t label = (size_t)labels[i];
        of_class(counts, label)[LABELLED]++;
        of_class(counts, label)[RIGHT] += predicted == label;
        counts->values[CORRECT] += predicted == label;
        counts->values[AMONG_TOP] += is_among_top(row, classes, label);
    }
}

thaw_status thaw_label_counts_gather(thaw_context *context, const thaw_communicator *communicator,
                                     thaw_label_counts *counts)
{
    void *all;
    const size_t count = count_values(counts);
    const thaw_status status = thaw_gather(context, communicator, counts->values, count * sizeof *counts->values, &all);
    if (status != THAW_OK)
        return status;
    const uint64_t *found = all;
    for (size_t i = 0; i < count; i++) {
        counts->values[i] = 0;
        for (size_t rank = 0; rank < (size_t)communicator->ranks; rank++)
            counts->values[i] += found[rank * count + i];
    }
    thaw_release(context, all);
    return THAW_OK;
}

static double share_of_counted(const thaw_label_counts *counts, size_t what)
{
    const uint64_t counted = counts->values[COUNTED];
    return counted ? (double)counts->values[what] / (double)counted : NAN;
}

double thaw_label_counts_accuracy(const thaw_label_counts *counts)
{
    return share_of_counted(counts, CORRECT);
}

double thaw_label_counts_top5(const thaw_label_counts *counts)
{
    return counts->classes > TOP ? share_of_counted(counts, AMONG_TOP) : NAN;
}

double thaw_label_counts_macro_f1(const thaw_label_counts *counts)
{
    double sum = 0;
    size_t present = 0;
    for (size_t c = 0; c < counts->classes; c++) {
        const uint64_t *own = of_class(counts, c), both = own[LABELLED] + own[PREDICTED];
        if (both == 0)
            continue;
        sum += 2 * (double)own[RIGHT] / (double)both;
        present++;
    }
    return present ? sum / (double)present : NAN;
}
