#include "io/put.h"

#include <string.h>

#include "io/fixture.h"
#include "io/new_file.h"

thaw_status io_put(const char *where, const char *text)
{
    thaw_new_file file;
    thaw_status status = thaw_new_file_create(io_context, where, strlen(text), &file);
    if (status != THAW_OK)
        return status;
    status = thaw_new_file_write(&file, text, strlen(text));
    if (status == THAW_OK)
        return thaw_new_file_commit(&file);
    thaw_new_file_discard(&file);
    return status;
}

void io_assert_holds(const char *where, const char *text)
{
    char found[64] = "";
    const long count = support_read_file(where, found, sizeof found - 1);
    cr_assert_eq(count, (long)strlen(text), "%s has %ld bytes", where, count);
    cr_assert_str_eq(found, text);
}
