#include "core/printable.h"

#include <string.h>

#include "core/context.h"
#include "support/support.h"

static const struct {
    const char *text, *wanted;
} cases[] = {
    { "", "" },
    { "conv1.weight \\ \" '", "conv1.weight \\ \" '" },
    { "Gr\xC3\xBC\xC3\x9F"
      "e \xE6\x97\xA5 \xF0\x9F\x98\x80",
      "Gr\xC3\xBC\xC3\x9F"
      "e \xE6\x97\xA5 \xF0\x9F\x98\x80" },
    { "\x1B[2J", "\\x1b[2J" },                        /* clears the screen */
    { "a\nb\tc\rd\x7F", "a\\x0ab\\x09c\\x0dd\\x7f" }, /* lines of one's own */
    { "\xC2\x9B"
      "2J",
      "\\xc2\\x9b2J" },                                               /* U+009B: CSI in one character */
    { "\x9B", "\\x9b" },                                              /* CSI of eight bits */
    { "\xE2\x80\xAEgpj.exe", "\\xe2\\x80\\xaegpj.exe" },              /* U+202E turns what follows around */
    { "\xE2\x81\xA6\xE2\x80\xA8", "\\xe2\\x81\\xa6\\xe2\\x80\\xa8" }, /* U+2066, U+2028 */
    { "\xC0\x8A", "\\xc0\\x8a" },                                     /* a line feed in two bytes */
    { "\xE0\x80\x8A", "\\xe0\\x80\\x8a" },                            /* in three */
    { "\xED\xA0\x80", "\\xed\\xa0\\x80" },                            /* a surrogate */
    { "\xF4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },                   /* above U+10FFFF */
    { "\xE6\x97", "\\xe6\\x97" },                                     /* cut short */
    { "\xFF\xFE", "\\xff\\xfe" },
};

Test(printable, takes_from_a_terminal_what_it_obeys)
{
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        char once[128], twice[128];
        thaw_copy_printable(once, sizeof once, cases[i].text);
        cr_assert_str_eq(once, cases[i].wanted, "%zu", i);
        thaw_copy_printable(twice, sizeof twice, once);
        cr_assert_str_eq(twice, once, "%zu", i);
        cr_assert_eq(thaw_is_printable(cases[i].text), strcmp(cases[i].text, cases[i].wanted) == 0, "%zu", i);
    }
}

Test(printable, is_cut_between_characters)
{
    static const char *const wanted[] = { "", "", "a", "a", "a", "a", "a\\x1b", "a\\x1b", "a\\x1b\xC3\xBC" };
    for (size_t capacity = 1; capacity < THAW_COUNT(wanted); capacity++) {
        char text[16];
        memset(text, 'z', sizeof text);
        thaw_copy_printable(text, capacity, "a\x1B\xC3\xBC");
        cr_assert_str_eq(text, wanted[capacity], "%zu bytes", capacity);
    }
}

static char logged[2048];

static void keep(void *user, thaw_log_level level, const char *message)
{
    (void)user, (void)level;
    strcpy(logged, message);
}

Test(printable, are_all_messages)
{
    thaw_context *context;
    cr_assert_eq(thaw_context_create(&(thaw_context_options){ .threads = 1, .log = keep }, &context), THAW_OK);
    thaw_fail(context, THAW_IO_ERROR, "%s: bad", "\x1B[2J\n");
    cr_assert_str_eq(thaw_context_message(context), "\\x1b[2J\\x0a: bad");
    thaw_log(context, THAW_LOG_WARNING, "%s: bad", "\x1B]0;x\x07");
    cr_assert_str_eq(logged, "\\x1b]0;x\\x07: bad");
    thaw_context_destroy(context);
}
