/* Paths of images from a command line: files, folders, and lists on standard input. */
#ifndef THAW_CLI_IMAGE_PATHS_H
#define THAW_CLI_IMAGE_PATHS_H

#include <thaw/context.h>

/* Takes one path, which is only valid during the call; returns an exit code, and whatever is not CLI_DONE ends the
   visit. */
typedef int cli_take_path(void *argument, const char *path);

/* Visits what an argument stands for: "-" each line of standard input, a folder the images in it and below it in the
   order of their names, anything else itself. Prints any error and returns an exit code. */
int cli_visit_images(thaw_context *context, const char *argument, cli_take_path *take, void *user);

#endif
