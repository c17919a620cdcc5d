/* The fields of samples: see thaw_field. */
#ifndef THAW_DATA_FIELDS_H
#define THAW_DATA_FIELDS_H

#include <thaw/data.h>

enum { THAW_MOST_WHOLE_NUMBER = 1 << 24 /* floats represent all whole numbers up to this */ };

/* Gives a source that has fields the shape of a whole sample: that of a single field, else all values in a row. Errors:
   THAW_INVALID_ARGUMENT. */
thaw_status thaw_fields_pack(thaw_context *context, thaw_source *source);

/* Copies fields with their names into one block; a shape of rank 0 becomes [1]. *copy is NULL if there are none.
   Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_fields_copy(thaw_context *context, const thaw_field *fields, size_t count, thaw_field **copy);

/* In place of a field's index: samples do not have it. */
#define THAW_NO_FIELD SIZE_MAX

/* A data set whose samples are some fields of another's, in another order. Where an index is THAW_NO_FIELD, the field
   is that of `absent` at the same place, and 0 everywhere. `from` must outlive it. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_dataset_arrange(thaw_dataset *from, const size_t *fields, const thaw_field *absent, size_t count,
                                 thaw_dataset **dataset);

#endif
