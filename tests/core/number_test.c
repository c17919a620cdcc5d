#include "core/number.h"

#include <locale.h>
#include <string.h>

#include "support/support.h"

Test(number, reads_decimals)
{
    static const struct {
        const char *text;
        double value;
    } cases[] = {
        { "0", 0 },     { "1e-3", 1e-3 }, { "-2.5", -2.5 }, { "+4", 4 },     { ".5", 0.5 },      { "7.", 7 },
        { "1E2", 100 }, { "0.1", 0.1 },   { "1e-400", 0 },  { "00012", 12 }, { "1e308", 1e308 },
    };
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        double value = -99;
        cr_assert(thaw_parse_number(cases[i].text, strlen(cases[i].text), &value), "%s", cases[i].text);
        cr_assert(value == cases[i].value, "%s: %.17g", cases[i].text, value);
    }
}

Test(number, refuses_the_rest)
{
    static const char *const texts[] = {
        "",
        " 1",
        "1 ",
        "0x10",
        "nan",
        "inf",
        "1e999",
        "-1e999",
        "1,5",
        "1e",
        "e1",
        "--1",
        "1.2.3",
        "+",
        "-",
        ".",
        "1-2",
        "1f",
        "\t1",
        "1\n",
        "infinity",
        "1e+-3",
        "1000000000000000000000000000000000000000000000000000000000000000",
    };
    for (size_t i = 0; i < THAW_COUNT(texts); i++) {
        double value = -99;
        cr_assert_not(thaw_parse_number(texts[i], strlen(texts[i]), &value), "\"%s\" gave %g", texts[i], value);
        cr_assert(value == -99);
    }
    double value = -99;
    cr_assert_not(thaw_parse_number("1\0002", 3, &value), "a zero byte in the middle");
}

Test(number, reads_no_further_than_the_length)
{
    double value = 0;
    cr_assert(thaw_parse_number("1.25,3", 4, &value));
    cr_assert(value == 1.25);
}

Test(number, does_not_follow_the_locale)
{
    if (!setlocale(LC_ALL, "de_DE.UTF-8"))
        setlocale(LC_ALL, "de_DE");
    double value = 0;
    cr_assert(thaw_parse_number("1.25", 4, &value));
    cr_assert(value == 1.25);
}
