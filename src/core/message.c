/* What a context tells its host: the message of the last error, and lines for its log. */
#include <stdio.h>
#include <thaw/runtime.h>

#include "core/context.h"
#include "core/printable.h"

const char *thaw_context_message(const thaw_context *context)
{
    return context->message;
}

thaw_status thaw_fail_list(thaw_context *context, thaw_status status, const char *format, va_list arguments)
{
    /* Uses a second buffer: an argument may be the message itself. */
    char message[THAW_MESSAGE_BYTES];
    vsnprintf(message, sizeof message, format, arguments);
    thaw_copy_printable(context->message, sizeof context->message, message);
    return status;
}

thaw_status thaw_fail(thaw_context *context, thaw_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    thaw_fail_list(context, status, format, arguments);
    va_end(arguments);
    return status;
}

void thaw_log(thaw_context *context, thaw_log_level level, const char *format, ...)
{
    if (!context->log)
        return;
    char message[THAW_MESSAGE_BYTES], printable[THAW_MESSAGE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    thaw_copy_printable(printable, sizeof printable, message);
    context->log(context->log_user, level, printable);
}
