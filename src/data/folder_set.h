/* A set of folders, identified by device and inode. */
#ifndef THAW_DATA_FOLDER_SET_H
#define THAW_DATA_FOLDER_SET_H

#include <sys/stat.h>
#include <thaw/context.h>

typedef struct thaw_folder_key {
    dev_t device;
    ino_t inode;
} thaw_folder_key;

/* Starts as zero, except the context. */
typedef struct thaw_folder_set {
    thaw_context *context;
    thaw_folder_key *places; /* open addressing; inode 0: empty */
    size_t count, capacity;  /* capacity: 0 or a power of two */
} thaw_folder_set;

/* Adds a folder; *added says whether it was not there yet. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_folder_set_add(thaw_folder_set *set, const struct stat *folder, bool *added);

void thaw_folder_set_release(thaw_folder_set *set);

#endif
