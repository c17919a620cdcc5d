#include "support/raw_json.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <thaw/base.h>

enum { NESTED = 100000, LONG_TEXT = 300000 };

typedef struct token {
    const char *text;
    size_t repeated; /* times; 0: once */
    const char *after;
    bool broken;
} token;

static const token tokens[] = {
    { "NaN", 0, "", true },
    { "-Infinity", 0, "", true },
    { "1e999", 0, "", true },
    { "-1e999", 0, "", true },
    { "18446744073709551616", 0, "", true },
    { "-9223372036854775809", 0, "", true },
    { "0x10", 0, "", true },
    { "01", 0, "", true },
    { "+1", 0, "", true },
    { "1.", 0, "", true },
    { "", 0, "", false }, /* an empty list, perhaps */
    { "'text'", 0, "", true },
    { "\"\\u0000\"", 0, "", true },
    { "\"\\ud800\"", 0, "", true },
    { "\"\\udc00\\ud800\"", 0, "", true },
    { "\"\xFF\xFE\"", 0, "", true },
    { "\"\xED\xA0\x80\"", 0, "", true },
    { "\"a\nb\"", 0, "", true },
    { "\"\\x41\"", 0, "", true },
    { "{\"a\":1,\"a\":2}", 0, "", true },
    { "{\"a\":1,}", 0, "", true },
    { "[", NESTED, "", true },
    { "{\"a\":", NESTED, "", true },
    { "-0", 0, "", false },
    { "-0.0", 0, "", false },
    { "1e-999", 0, "", false },
    { "1E308", 0, "", false },
    { "9223372036854775807", 0, "", false },
    { "\"\\ud83d\\ude00\\u001b[2J\\u202e\"", 0, "", false },
    { "\"", 0, "\"", false },
    { "\"x", LONG_TEXT, "\"", false },
    { "[[[[[[[[[[]]]]]]]]]]", 0, "", false },
};

typedef struct tour {
    const char *document;
    void (*use)(const raw_json *changed);
    char *room;
    size_t count;
} tour;

/* Past blanks. */
static const char *skip(const char *at)
{
    return at + strspn(at, " \t\r\n,:");
}

static const char *past_string(const char *at)
{
    for (at++; *at != '"'; at++)
        at += *at == '\\';
    return at + 1;
}

static const char *past_value(const char *at)
{
    if (*at == '"')
        return past_string(at);
    if (*at != '{' && *at != '[')
        return at + strcspn(at, ",]} \t\r\n");
    const char end = *at == '{' ? '}' : ']';
    at = skip(at + 1);
    while (*at != end)
        at = skip(past_value(at)); /* keys, too */
    return at + 1;
}

static char *repeat(char *to, const token *one)
{
    const size_t times = one->repeated ? one->repeated : 1, length = strlen(one->text);
    /* A long text begins with its quote alone. */
    for (size_t i = 0; i < times; i++) {
        const bool quoted = one->repeated && *one->text == '"' && i > 0;
        memcpy(to, one->text + quoted, length - quoted);
        to += length - quoted;
    }
    return stpcpy(to, one->after);
}

static void put(tour *now, const char *first, const char *past, const token *one)
{
    char *end = mempcpy(now->room, now->document, (size_t)(first - now->document));
    end = stpcpy(repeat(end, one), past);
    const raw_json changed = { now->room, (size_t)(end - now->room), one->text, (size_t)(first - now->document),
                               one->broken };
    now->use(&changed);
    now->count++;
}

static void visit(tour *now, const char *at)
{
    const char *past = past_value(at);
    for (size_t i = 0; i < THAW_COUNT(tokens); i++)
        put(now, at, past, &tokens[i]);
    if (*at == '"' || !strchr("{[", *at))
        return;
    const bool object = *at == '{';
    const char *child = skip(at + 1), *before_last = NULL;
    if (object && *child != '}') {
        char member[4096];
        const char *end = past_value(skip(past_string(child)));
        const size_t length = (size_t)(end - child);
        if (length < sizeof member - 1) {
            memcpy(member, child, length);
            strcpy(member + length, ",");
            put(now, child, child, &(token){ member, 0, "", true });
        }
    }
    for (bool first = true; *child != '}' && *child != ']'; first = false) {
        const char *value = object ? skip(past_string(child)) : child;
        if (object || first)
            visit(now, value);
        else
            before_last = value;
        child = skip(past_value(value));
    }
    if (before_last)
        visit(now, before_last);
}

size_t support_each_raw_json(const char *document, void (*use)(const raw_json *changed))
{
    tour now = { .document = document, .use = use, .room = malloc(strlen(document) + 6 * NESTED + LONG_TEXT) };
    cr_assert_not_null(now.room);
    visit(&now, skip(document));
    free(now.room);
    return now.count;
}
