/* Data sets of tables. */
#ifndef THAW_DATA_TABLE_OPEN_H
#define THAW_DATA_TABLE_OPEN_H

#include "data/description.h"
#include "data/table.h"

/* Opens what a description of the kind csv says. Errors: those of thaw_dataset_open_noted. */
thaw_status thaw_table_open(thaw_description *from, thaw_dataset **training, thaw_dataset **test);

/* Reads the table at `path`, which is written as the description says. Errors: those of thaw_unpacker_open and
   thaw_table_read. */
thaw_status thaw_table_read_file(const thaw_description *from, const char *path, thaw_table *table);

#endif
