/* A folder for the files of one test. */
#ifndef THAW_TESTS_SUPPORT_FOLDER_H
#define THAW_TESTS_SUPPORT_FOLDER_H

#include "support/files.h"

enum { FOLDER_TEXT_BYTES = 8 * SUPPORT_PATH_BYTES };

extern char folder_path[SUPPORT_PATH_BYTES];

/* Makes the folder, and removes it with all that is in it. */
void folder_set_up(void);
void folder_tear_down(void);

/* Writes the path of what is called so in the folder, and returns it. */
const char *folder_join(char path[SUPPORT_PATH_BYTES], const char *name);

/* Writes a file; makes folders on the way. */
void folder_put(const char *name, const void *bytes, size_t count);
void folder_put_text(const char *name, const char *text);

/* Writes the text with the folder's path in place of each %, and returns it: "csv:%/rows.csv;label=y". */
const char *folder_expand(char text[FOLDER_TEXT_BYTES], const char *pattern);

/* Makes the folders that lead to a path in the folder. */
void folder_make_way(char *path);

#endif
