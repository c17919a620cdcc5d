#include "cli/photos.h"

#include <criterion/criterion.h>
#include <stdio.h>

char photos_folder[SUPPORT_PATH_BYTES], photos_weights[SUPPORT_PATH_BYTES];
static char data[SUPPORT_PATH_BYTES + 64];
const char *photos_variables[6] = { data, photos_weights, photos_folder };
support_run photos_run;

void photos_begin(const char *options)
{
    folder_join(photos_folder, "images");
    folder_join(photos_weights, "weights");
    snprintf(data, sizeof data, "folder:%.480s;size=28;channels=1%s;val=0", photos_folder, options);
}

void photos_command(const char *line, int code)
{
    support_command(&photos_run, folder_path, line, photos_variables);
    cr_assert_eq(photos_run.code, code, "%s: %d: %s", line, photos_run.code, photos_run.errors);
}
