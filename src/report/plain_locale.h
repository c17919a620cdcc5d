/* Numbers in files use a decimal point, whatever the host's locale. */
#ifndef THAW_REPORT_PLAIN_LOCALE_H
#define THAW_REPORT_PLAIN_LOCALE_H

#include <locale.h>
#include <thaw/context.h>

typedef struct thaw_plain_locale {
    locale_t plain, before;
} thaw_plain_locale;

/* Changes the calling thread's locale. Errors: THAW_OUT_OF_MEMORY, which changes nothing. */
thaw_status thaw_plain_locale_enter(thaw_context *context, thaw_plain_locale *locale);

void thaw_plain_locale_leave(const thaw_plain_locale *locale);

#endif
