#include "cli/shown.h"

#include "core/printable.h"

cli_shown cli_show(const char *text)
{
    cli_shown made;
    thaw_copy_printable(made.text, sizeof made.text, text);
    return made;
}
