#include "io/fixture.h"

thaw_context *io_context;
char io_directory[SUPPORT_PATH_BYTES], io_path[SUPPORT_PATH_BYTES];

void io_begin(void)
{
    io_context = support_context(1);
    support_make_directory(io_directory);
    support_path(io_path, io_directory, "file");
}

void io_end(void)
{
    support_remove_directory(io_directory);
    thaw_context_destroy(io_context);
}
