/* Training data in two parts, of which one is held out for validation. */
#ifndef THAW_DATA_HELD_OUT_H
#define THAW_DATA_HELD_OUT_H

#include <thaw/data.h>

/* Divides the samples of `from`, which must outlive both parts, and no sample is in both: a sample that the data set
   repeats is in one part as often as there. The split depends on the seed alone. Of each class, `share` of the samples
   are held out, rounded, but at least one and not all, and none of a class of one sample; without classes, that is so
   of the whole. Both parts keep the order of `from`.
   Errors: THAW_INVALID_ARGUMENT (the share is not above 0 and below 1; samples are drawn, as by thaw_dataset_balance;
   there are too few), those of reading the labels, THAW_OUT_OF_MEMORY. */
thaw_status thaw_dataset_hold_out(thaw_context *context, thaw_dataset *from, double share, uint64_t seed,
                                  thaw_dataset **rest, thaw_dataset **held_out);

#endif
