#include "core/name.h"

#include <string.h>

#include "core/pattern.h"
#include "support/support.h"

static void assert_error(const char *name, const char *text)
{
    const char *error = thaw_name_error(name);
    cr_assert(error && strstr(error, text), "\"%s\": \"%s\" lacks \"%s\"", name, error ? error : "no error", text);
}

Test(name, is_refused_where_a_pattern_would_read_it_otherwise)
{
    for (const char *special = "*?[]{}|,"; *special; special++) {
        assert_error((const char[]){ *special, '\0' }, "patterns");
        assert_error((const char[]){ 'a', *special, 'b', '\0' }, "patterns");
    }
    assert_error("", "is empty");
}

Test(name, selects_itself_when_it_is_fine)
{
    char name[] = "x_x";
    for (int character = 1; character < 128; character++) {
        if (strchr("*?[]{}|,", character))
            continue;
        name[1] = (char)character;
        cr_assert_null(thaw_name_error(name), "character %d", character);
        cr_assert_null(thaw_pattern_error(name), "character %d", character);
        cr_assert(thaw_pattern_matches(name, name) && !thaw_pattern_matches(name, "xyz"), "character %d", character);
    }
}

Test(name, is_utf8)
{
    static const char *const fine[] = { "\xC2\x80",     "\xDF\xBF",         "\xE0\xA0\x80",     "\xED\x9F\xBF",
                                        "\xEE\x80\x80", "\xEF\xBF\xBF",     "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF",
                                        "a\xC3\xA9z",   "\xE5\xB1\xA4.conv" };
    static const char *const broken[] = { "\x80",
                                          "\xBF",
                                          "\xC0\x80",
                                          "\xC1\xBF",
                                          "\xC2",
                                          "\xC2\x41",
                                          "\xC2\xC2",
                                          "\xE0\x9F\xBF",
                                          "\xE1\x80",
                                          "\xE1\x80\x41",
                                          "\xED\xA0\x80",
                                          "\xED\xBF\xBF",
                                          "\xF0\x8F\xBF\xBF",
                                          "\xF0\x90\x80",
                                          "\xF4\x90\x80\x80",
                                          "\xF5\x80\x80\x80",
                                          "\xFF",
                                          "ok\xE9" };
    for (size_t i = 0; i < THAW_COUNT(fine); i++)
        cr_assert_null(thaw_name_error(fine[i]), "text %zu", i);
    for (size_t i = 0; i < THAW_COUNT(broken); i++)
        assert_error(broken[i], "UTF-8");
}
