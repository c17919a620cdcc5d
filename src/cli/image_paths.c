#include "cli/image_paths.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/failure.h"
#include "data/image_list.h"

static int visit_lines(cli_take_path *take, void *user)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;
    int code = CLI_DONE;
    errno = 0;
    while (code == CLI_DONE && (length = getline(&line, &capacity, stdin)) >= 0) {
        if (length && line[length - 1] == '\n')
            line[length - 1] = '\0';
        if (*line)
            code = take(user, line);
    }
    if (code == CLI_DONE && ferror(stdin))
        code = cli_fail("standard input", "cannot be read: %s", strerror(errno));
    free(line);
    return code;
}

static int visit_folder(thaw_context *context, const char *folder, cli_take_path *take, void *user)
{
    const thaw_image_scan scan = { AT_FDCWD, ".", false };
    thaw_image_list list = { .context = context };
    int code = cli_check(context, thaw_image_list_scan(&list, &scan, folder, 0), folder);
    if (code == CLI_DONE && list.count == 0)
        code = cli_fail(folder, "contains no JPEG or PNG images");
    for (size_t i = 0; i < list.count && code == CLI_DONE; i++)
        code = take(user, thaw_image_list_name(&list, i));
    thaw_image_list_release(&list);
    return code;
}

int cli_visit_images(thaw_context *context, const char *argument, cli_take_path *take, void *user)
{
    struct stat about;
    if (strcmp(argument, "-") == 0)
        return visit_lines(take, user);
    if (stat(argument, &about) == 0 && S_ISDIR(about.st_mode))
        return visit_folder(context, argument, take, user);
    return take(user, argument);
}
