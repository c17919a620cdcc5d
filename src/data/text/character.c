#include "data/text/character.h"

#include <utf8proc.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))

typedef struct range {
    uint32_t first, last;
} range;

static bool is_among(uint32_t code, const range *ranges, size_t count)
{
    size_t low = 0;
    while (count > 0) {
        const size_t middle = low + count / 2;
        if (code > ranges[middle].last) {
            low = middle + 1;
            count -= count / 2 + 1;
        } else if (code >= ranges[middle].first) {
            return true;
        } else {
            count /= 2;
        }
    }
    return false;
}

/* Whether a character that is a mark, punctuation or a format character is younger than Unicode 8. Ranges run across
   characters of other categories, for which nobody asks. */
static bool is_young(uint32_t code)
{
    static const range young[] = {
        { 0x61D, 0x61D },     { 0x7FD, 0x7FD },     { 0x890, 0x8E2 },     { 0x9FD, 0x9FE },     { 0xA76, 0xA76 },
        { 0xAFA, 0xAFF },     { 0xB55, 0xB55 },     { 0xC04, 0xC3C },     { 0xC77, 0xC77 },     { 0xC84, 0xC84 },
        { 0xD00, 0xD00 },     { 0xD3B, 0xD3C },     { 0xD81, 0xD81 },     { 0xEBA, 0xEBA },     { 0xECE, 0xECE },
        { 0x1715, 0x1715 },   { 0x180F, 0x1886 },   { 0x1ABF, 0x1ACE },   { 0x1B7D, 0x1B7E },   { 0x1DF6, 0x1DFB },
        { 0x2E43, 0x2E5D },   { 0xA82C, 0xA82C },   { 0xA8C5, 0xA8C5 },   { 0xA8FF, 0xA8FF },   { 0xA9BD, 0xA9BD },
        { 0x10D24, 0x10F89 }, { 0x11070, 0x11074 }, { 0x110C2, 0x110CD }, { 0x111C9, 0x111C9 }, { 0x111CF, 0x111CF },
        { 0x1123E, 0x11241 }, { 0x1133B, 0x1133B }, { 0x11438, 0x1145E }, { 0x11660, 0x1166C }, { 0x116B9, 0x116B9 },
        { 0x1182F, 0x11FFF }, { 0x12FF1, 0x13455 }, { 0x16E97, 0x16F4F }, { 0x16FE2, 0x16FF1 }, { 0x1CF00, 0x1CF46 },
        { 0x1E000, 0x1E4EF }, { 0x1E944, 0x1E95F },
    };
    return is_among(code, young, LENGTH(young));
}

static utf8proc_category_t category(uint32_t code)
{
    return utf8proc_category((utf8proc_int32_t)code);
}

bool thaw_character_is_space(uint32_t code)
{
    if (code < 0x80)
        return code == ' ' || (code >= '\t' && code <= '\r');
    return code == 0x85 || code == 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 ||
           code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

bool thaw_character_is_letter(uint32_t code)
{
    const utf8proc_category_t found = category(code);
    return found >= UTF8PROC_CATEGORY_LU && found <= UTF8PROC_CATEGORY_LO;
}

bool thaw_character_is_number(uint32_t code)
{
    const utf8proc_category_t found = category(code);
    return found >= UTF8PROC_CATEGORY_ND && found <= UTF8PROC_CATEGORY_NO;
}

bool thaw_character_is_control(uint32_t code)
{
    const utf8proc_category_t found = category(code);
    if (found == UTF8PROC_CATEGORY_CF)
        return !is_young(code);
    return found == UTF8PROC_CATEGORY_CC || found == UTF8PROC_CATEGORY_CO;
}

bool thaw_character_is_punctuation(uint32_t code)
{
    if (code < 0x80)
        return (code > ' ' && code < '0') || (code > '9' && code < 'A') || (code > 'Z' && code < 'a') ||
               (code > 'z' && code < 0x7F);
    if (code == 0x166D || code == 0x111C9) /* have left the category since */
        return true;
    const utf8proc_category_t found = category(code);
    return found >= UTF8PROC_CATEGORY_PC && found <= UTF8PROC_CATEGORY_PO && !is_young(code);
}

bool thaw_character_is_accent(uint32_t code)
{
    if (code == 0x1734) /* has left the category since */
        return true;
    return category(code) == UTF8PROC_CATEGORY_MN && !is_young(code);
}

bool thaw_character_is_ideograph(uint32_t code)
{
    static const range ideographs[] = {
        { 0x3400, 0x4DBF },   { 0x4E00, 0x9FFF },   { 0xF900, 0xFAFF },   { 0x20000, 0x2A6DF },
        { 0x2A700, 0x2B81F }, { 0x2B920, 0x2CEAF }, { 0x2F800, 0x2FA1F },
    };
    return code >= 0x3400 && is_among(code, ideographs, LENGTH(ideographs));
}

size_t thaw_character_decompose(uint32_t code, uint32_t *parts)
{
    utf8proc_int32_t found[THAW_MOST_DECOMPOSED];
    int last = 0;
    const utf8proc_ssize_t count =
        is_young(code)
            ? 0
            : utf8proc_decompose_char((utf8proc_int32_t)code, found, THAW_MOST_DECOMPOSED, UTF8PROC_DECOMPOSE, &last);
    if (count <= 0 || count > THAW_MOST_DECOMPOSED) {
        parts[0] = code;
        return 1;
    }
    for (utf8proc_ssize_t i = 0; i < count; i++)
        parts[i] = (uint32_t)found[i];
    return (size_t)count;
}

unsigned thaw_character_class(uint32_t code)
{
    const int class = utf8proc_get_property((utf8proc_int32_t)code)->combining_class;
    return class && !is_young(code) ? (unsigned)class : 0;
}

size_t thaw_character_lower(uint32_t code, uint32_t *lowered)
{
    lowered[0] = (uint32_t)utf8proc_tolower((utf8proc_int32_t)code);
    if (code != 0x130) /* a capital I with a dot, the only one that becomes two */
        return 1;
    lowered[1] = 0x307;
    return 2;
}
