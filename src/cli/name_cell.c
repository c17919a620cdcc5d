#include "cli/name_cell.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/shown.h"
#include "core/utf8.h"

enum { FILE_COLUMNS = 100, LEAST_COLUMNS = 40 };

/* The bytes of the first `most` characters. */
static size_t bytes_of(const char *text, size_t most, size_t *characters)
{
    size_t at = 0;
    uint32_t code;
    for (*characters = 0; text[at] && *characters < most; ++*characters) {
        const size_t bytes = thaw_utf8_read(text + at, &code);
        at += bytes ? bytes : 1;
    }
    return at;
}

size_t cli_name_width(const char *name)
{
    const cli_shown shown = cli_show(name);
    size_t characters;
    bytes_of(shown.text, sizeof shown.text, &characters);
    return characters;
}

void cli_print_name(const char *name, size_t width, int right)
{
    const cli_shown shown = cli_show(name);
    const size_t needed = cli_name_width(name);
    size_t characters = needed;
    const size_t bytes = bytes_of(shown.text, needed > width && width ? width - 1 : width, &characters);
    const int blanks = needed < width ? (int)(width - needed) : 0;
    printf("%*s%.*s%s%*s", right ? blanks : 0, "", (int)bytes, shown.text, needed > width ? "…" : "",
           right ? 0 : blanks, "");
}

size_t cli_output_columns(void)
{
    struct winsize size;
    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < LEAST_COLUMNS)
        return FILE_COLUMNS;
    return size.ws_col;
}
