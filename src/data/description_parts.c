/* Data sets of samples in memory, as a description selects them. */
#include "data/description.h"
#include "data/widened.h"

static thaw_status make(const thaw_description *from, thaw_samples *samples, bool trains, thaw_dataset **dataset)
{
    thaw_dataset_selection selection = trains ? from->selection : (thaw_dataset_selection){ 0 };
    selection.first_class = from->selection.first_class;
    selection.last_class = from->has_classes ? from->selection.last_class : SIZE_MAX;
    const bool selects = from->has_classes || selection.per_class || selection.repeat;
    const thaw_status status = thaw_samples_make(samples, selects ? &selection : NULL, dataset);
    if (status != THAW_OK || !from->arrays.channels)
        return status;
    return thaw_dataset_widen(from->context, dataset, from->arrays.channels);
}

thaw_status thaw_description_make_parts(const thaw_description *from, thaw_samples *all, thaw_samples *part,
                                        thaw_dataset **training, thaw_dataset **test)
{
    thaw_status status = THAW_OK;
    if (test && part->inputs.data)
        status = make(from, part, false, test);
    if (status == THAW_OK && training)
        status = make(from, all, true, training);
    if (status != THAW_OK && test) {
        thaw_dataset_destroy(*test);
        *test = NULL;
    }
    return status;
}
