#include "core/pattern.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { LONGEST = THAW_LONGEST_PATTERN };

typedef enum token { LITERAL, ANY_ONE, ANY_RUN, SET, OPEN, COMMA, CLOSE, BAR } token;

/* A pattern as a nondeterministic automaton: state i is active if everything before position i has matched. Moves
   that consume nothing only lead to later positions, so one pass in ascending order follows them all. */
typedef struct automaton {
    size_t length;
    uint8_t token[LONGEST];
    uint16_t next[LONGEST];  /* SET: the position after it; OPEN, COMMA: where this alternative ends */
    uint16_t close[LONGEST]; /* OPEN, COMMA: the closing brace */
} automaton;

/* The parser's position. `starts` holds, for each open brace, where its current alternative begins. */
typedef struct parser {
    const char *pattern;
    automaton *machine;
    size_t position;
    size_t depth, opens[LONGEST], starts[LONGEST + 1];
} parser;

static const char *parse_set(parser *parse)
{
    const char *pattern = parse->pattern;
    const size_t begin = parse->position;
    size_t i = begin + 1;
    i += pattern[i] == '!';
    const size_t first = i;
    /* A bracket that comes first is literal. */
    while (pattern[i] && (pattern[i] != ']' || i == first)) {
        const bool range = pattern[i + 1] == '-' && pattern[i + 2] && pattern[i + 2] != ']';
        if (range && (unsigned char)pattern[i] > (unsigned char)pattern[i + 2])
            return "a range between [ and ] is reversed";
        i += range ? 3 : 1;
    }
    if (!pattern[i])
        return "a [ is not closed";
    memset(parse->machine->token + begin, SET, i + 1 - begin);
    parse->machine->next[begin] = (uint16_t)(i + 1);
    parse->position = i;
    return NULL;
}

/* Ends the current alternative, before `,` `}` `|` or the end of the pattern. */
static const char *end_alternative(parser *parse)
{
    const size_t start = parse->starts[parse->depth];
    if (parse->position == start)
        return "an alternative is empty";
    if (parse->depth)
        parse->machine->next[start - 1] = (uint16_t)parse->position;
    parse->starts[parse->depth] = parse->position + 1;
    return NULL;
}

static const char *close_brace(parser *parse)
{
    if (!parse->depth)
        return "a } has no {";
    const char *error = end_alternative(parse);
    if (error)
        return error;
    automaton *machine = parse->machine;
    for (size_t i = parse->opens[--parse->depth]; i != parse->position; i = machine->next[i])
        machine->close[i] = (uint16_t)parse->position;
    return NULL;
}

static void open_brace(parser *parse)
{
    parse->opens[parse->depth++] = parse->position;
    parse->starts[parse->depth] = parse->position + 1;
}

static token classify(char character, size_t depth)
{
    switch (character) {
    case '*':
        return ANY_RUN;
    case '?':
        return ANY_ONE;
    case '[':
        return SET;
    case '{':
        return OPEN;
    case ',':
        return depth ? COMMA : LITERAL;
    case '}':
        return CLOSE;
    case '|':
        return BAR;
    default:
        return LITERAL;
    }
}

static const char *parse_one(parser *parse)
{
    const char character = parse->pattern[parse->position];
    const token kind = classify(character, parse->depth);
    parse->machine->token[parse->position] = (uint8_t)kind;
    if (kind == SET)
        return parse_set(parse);
    if (kind == CLOSE)
        return close_brace(parse);
    if (kind == BAR && parse->depth)
        return "a | is between { and }, where commas separate alternatives";
    if (kind == BAR || kind == COMMA)
        return end_alternative(parse);
    if (kind == OPEN)
        open_brace(parse);
    return character == ']' ? "a ] has no [" : NULL;
}

static const char *build(automaton *machine, const char *pattern)
{
    machine->length = strnlen(pattern, LONGEST + 1);
    if (machine->length > LONGEST)
        return "longer than 256 characters";
    parser parse = { .pattern = pattern, .machine = machine };
    for (; parse.position < machine->length; parse.position++) {
        const char *error = parse_one(&parse);
        if (error)
            return error;
    }
    return parse.depth ? "a { is not closed" : end_alternative(&parse);
}

const char *thaw_pattern_error(const char *pattern)
{
    automaton machine;
    return build(&machine, pattern);
}

/* Adds to `states` every state that they reach without consuming a character. */
static void close_states(const automaton *machine, bool *states)
{
    for (size_t i = 0; i < machine->length; i++) {
        if (!states[i])
            continue;
        if (machine->token[i] == ANY_RUN)
            states[i + 1] = true;
        else if (machine->token[i] == OPEN)
            for (size_t start = i; start != machine->close[i]; start = machine->next[start])
                states[start + 1] = true;
        else if (machine->token[i] == COMMA)
            states[machine->close[i] + 1] = true;
        else if (machine->token[i] == CLOSE)
            states[i + 1] = true;
    }
}

/* Whether the set that begins at `set` and ends before `past` contains the character. */
static bool set_holds(const char *set, const char *past, unsigned char character)
{
    const bool negated = set[1] == '!';
    const char *last = past - 1;
    for (const char *at = set + 1 + negated; at < last;) {
        const bool range = at[1] == '-' && at + 2 < last;
        const unsigned char low = (unsigned char)at[0], high = range ? (unsigned char)at[2] : low;
        if (low <= character && character <= high)
            return !negated;
        at += range ? 3 : 1;
    }
    return negated;
}

static void consume(const automaton *machine, const char *pattern, char character, const bool *from, bool *to)
{
    memset(to, 0, (machine->length + 1) * sizeof *to);
    for (size_t i = 0; i < machine->length; i++) {
        if (!from[i])
            continue;
        const token kind = (token)machine->token[i];
        if (kind == ANY_RUN)
            to[i] = true;
        else if (kind == ANY_ONE || (kind == LITERAL && pattern[i] == character))
            to[i + 1] = true;
        else if (kind == SET && set_holds(pattern + i, pattern + machine->next[i], (unsigned char)character))
            to[machine->next[i]] = true;
    }
    close_states(machine, to);
}

bool thaw_pattern_matches(const char *pattern, const char *name)
{
    automaton machine;
    if (build(&machine, pattern))
        return false;
    bool states[LONGEST + 1] = { true }, following[LONGEST + 1];
    for (size_t i = 0; i < machine.length; i++)
        states[i + 1] = machine.token[i] == BAR;
    close_states(&machine, states);
    for (; *name; name++) {
        consume(&machine, pattern, *name, states, following);
        memcpy(states, following, sizeof states);
    }
    for (size_t i = 0; i < machine.length; i++)
        if (states[i] && machine.token[i] == BAR)
            return true;
    return states[machine.length];
}
