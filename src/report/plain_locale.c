#include "report/plain_locale.h"

#include <thaw/runtime.h>

thaw_status thaw_plain_locale_enter(thaw_context *context, thaw_plain_locale *locale)
{
    locale->plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!locale->plain)
        return thaw_fail(context, THAW_OUT_OF_MEMORY, "no memory for the report's locale");
    locale->before = uselocale(locale->plain);
    return THAW_OK;
}

void thaw_plain_locale_leave(const thaw_plain_locale *locale)
{
    uselocale(locale->before);
    freelocale(locale->plain);
}
