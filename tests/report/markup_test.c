#include "report/markup.h"

#include <math.h>

#include "support/support.h"

static void assert_text(void (*write)(thaw_text *text, const char *raw), const char *raw, const char *expected)
{
    thaw_context *context = support_context(1);
    thaw_text text = { .context = context };
    char *made;
    write(&text, raw);
    assert_ok(context, thaw_text_finish(&text, &made));
    cr_assert_str_eq(made, expected);
    thaw_text_destroy(context, made);
    thaw_context_destroy(context);
}

static void five(thaw_text *text, const char *raw)
{
    thaw_markup_label(text, raw, 5);
}

Test(markup, escapes_what_would_be_read_as_markup)
{
    assert_text(thaw_markup_text, "a<b>&\"c\"\x01é", "a&lt;b&gt;&amp;&quot;c&quot;\uFFFDé");
    assert_text(thaw_markup_text, "", "");
}

Test(markup, cuts_at_characters)
{
    assert_text(five, "abcde", "abcde");
    assert_text(five, "abcdef", "abcd…");
    assert_text(five, "äöüßéè", "äöüß…");
    assert_text(five, "<<<<<<", "&lt;&lt;&lt;&lt;…");
}

Test(markup, numbers_are_short)
{
    char field[THAW_FIELD_BYTES];
    cr_assert_str_eq(thaw_format_percent(field, 0.93684), "93.68");
    cr_assert_str_eq(thaw_format_points(field, -0.00234), "−0.23");
    cr_assert_str_eq(thaw_format_points(field, 0.0123), "+1.23");
    cr_assert_str_eq(thaw_format_points(field, -0.00001), "0.00");
    cr_assert_str_eq(thaw_format_seconds(field, 0.1042), "104\u202Fms");
    cr_assert_str_eq(thaw_format_seconds(field, 0.9999), "1.00\u202Fs");
    cr_assert_str_eq(thaw_format_seconds(field, 7200), "2.00\u202Fh");
    cr_assert_str_eq(thaw_format_seconds(field, 3.1e-6), "3.10\u202Fµs");
    cr_assert_str_eq(thaw_format_bytes(field, 44200000), "44.2\u202FMB");
    cr_assert_str_eq(thaw_format_bytes(field, 0), "0 B");
    cr_assert_str_eq(thaw_format_count(field, 600165), "600\u202F165");
    cr_assert_str_eq(thaw_format_count(field, 1000000), "1\u202F000\u202F000");
    cr_assert_str_eq(thaw_format_quantity(field, 4.646e9, "FLOP"), "4.65\u202FGFLOP");
    char *(*const formats[])(char *, double) = { thaw_format_percent, thaw_format_points, thaw_format_seconds,
                                                 thaw_format_bytes, thaw_format_count };
    for (size_t i = 0; i < THAW_COUNT(formats); i++)
        for (int infinite = 0; infinite < 2; infinite++)
            cr_assert_str_eq(formats[i](field, infinite ? (double)INFINITY : (double)NAN), "–");
}
