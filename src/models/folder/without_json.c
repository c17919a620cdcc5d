/* Replaces the folder's reading if the library is built with -Djson=disabled. */
#include "models/folder/folder.h"

thaw_status thaw_model_folder_open(thaw_context *context, const char *path, thaw_model_folder **folder)
{
    *folder = NULL;
    return thaw_fail(context, THAW_UNSUPPORTED,
                     "%s: this libthaw was built with -Djson=disabled and cannot read config.json",
                     path ? path : "a network's folder");
}
