#include "cli/failure.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/shown.h"

enum { MESSAGE_BYTES = 4096 };

static bool holding, log_is_off;
static char held[MESSAGE_BYTES + 128];

void cli_hold(void)
{
    if (!holding)
        held[0] = '\0';
    holding = true;
}

const char *cli_held(void)
{
    return held;
}

const char *cli_release(void)
{
    holding = false;
    return held;
}

void cli_log_nothing(void)
{
    log_is_off = true;
}

/* Prints text with unprintable bytes as \xNN. */
static void print(const char *what, const char *format, va_list arguments)
{
    char message[MESSAGE_BYTES];
    vsnprintf(message, sizeof message, format, arguments);
    fflush(stdout);
    if (!holding)
        fprintf(stderr, "thaw: %s: %s\n", cli_show(what).text, cli_show(message).text);
    else if (!held[0])
        snprintf(held, sizeof held, "%.100s: %s", cli_show(what).text, cli_show(message).text);
}

int cli_fail(const char *what, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print(what, format, arguments);
    va_end(arguments);
    return CLI_FAILED;
}

int cli_misuse(const char *what, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print(what, format, arguments);
    va_end(arguments);
    return CLI_MISUSED;
}

void cli_note_file(const char *what, const char *path)
{
    fprintf(stderr, "thaw: %s: saved %s\n", what, cli_show(path).text);
}

/* Whether the log has printed this message before, perhaps for another run. Runs may be concurrent. */
static bool was_said(const char *message)
{
    enum { MOST = 16 };
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static char *said[MOST];
    pthread_mutex_lock(&lock);
    size_t i = 0;
    while (i < MOST && said[i] && strcmp(said[i], message) != 0)
        i++;
    const bool found = i < MOST && said[i];
    if (i < MOST && !found)
        said[i] = strdup(message);
    pthread_mutex_unlock(&lock);
    return found;
}

void cli_log(void *user, thaw_log_level level, const char *message)
{
    (void)user;
    if (log_is_off || was_said(message))
        return;
    fflush(stdout);
    fprintf(stderr, "%sthaw: %s%s\n", isatty(STDERR_FILENO) ? "\r\033[K" : "",
            level == THAW_LOG_WARNING ? "warning: " : "", message);
}

int cli_check(const thaw_context *context, thaw_status status, const char *what)
{
    return status == THAW_OK ? CLI_DONE : cli_fail(what, "%s", thaw_context_message(context));
}

int cli_check_option(const thaw_context *context, thaw_status status, const char *option)
{
    if (status == THAW_INVALID_ARGUMENT || status == THAW_NOT_FOUND || status == THAW_DUPLICATE)
        return cli_misuse(option, "%s", thaw_context_message(context));
    return cli_check(context, status, option);
}
