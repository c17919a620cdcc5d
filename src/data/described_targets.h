/* Scaling the targets of a description: the option scale-target, and the notes of a file of weights. */
#ifndef THAW_DATA_DESCRIBED_TARGETS_H
#define THAW_DATA_DESCRIBED_TARGETS_H

#include "data/description.h"
#include "data/samples.h"

/* Whether the notes are of a network for regression. */
bool thaw_targets_are_noted(const thaw_description *from);

/* Standardises the targets of regression in both parts, either of which may be empty: as noted, unless the targets are
   new; otherwise by the training part `all`. Errors: THAW_INVALID_ARGUMENT (the option contradicts the notes),
   THAW_BAD_FORMAT (the note, or a number), THAW_OUT_OF_MEMORY. */
thaw_status thaw_targets_scale(const thaw_description *from, bool new_targets, thaw_samples *all, thaw_samples *part);

#endif
