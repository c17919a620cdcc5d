#include "cli/roff.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

/* Escapes what groff would interpret: escapes, hyphens that must stay copyable, typographic quotes. */
static const char *escaped(char c)
{
    switch (c) {
    case '\\':
        return "\\e";
    case '-':
        return "\\-";
    case '\'':
        return "\\(aq";
    case '~':
        return "\\(ti";
    case '^':
        return "\\(ha";
    default:
        return NULL;
    }
}

static void print_text(FILE *stream, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        const char *escape = escaped(text[i]);
        if (text[i] == '.' && (i == 0 || text[i - 1] == '\n'))
            fputs("\\&", stream); /* not a request */
        if (escape)
            fputs(escape, stream);
        else
            fputc(text[i], stream);
    }
}

void cli_roff_text(FILE *stream, const char *text)
{
    print_text(stream, text, strlen(text));
}

static bool ends_sentence(const char *text, size_t end, size_t length)
{
    return text[end - 1] == '.' && end + 1 < length && isupper((unsigned char)text[end + 1]);
}

/* A paragraph in short lines; each sentence begins a new line, as man(7) recommends. */
static void print_paragraph(FILE *stream, const char *text, size_t length)
{
    enum { COLUMNS = 66 }; /* escapes make them longer */
    size_t column = 0;
    while (length) {
        const char *blank = memchr(text, ' ', length);
        const size_t word = blank ? (size_t)(blank - text) : length;
        if (column && column + 1 + word > COLUMNS) {
            fputc('\n', stream);
            column = 0;
        }
        if (column)
            fputc(' ', stream);
        print_text(stream, text, word);
        column += word + 1;
        if (blank && ends_sentence(text, word, length)) {
            fputc('\n', stream);
            column = 0;
        }
        text += word + (blank != NULL);
        length -= word + (blank != NULL);
    }
    if (column)
        fputc('\n', stream);
}

static void print_lines(FILE *stream, const char *text, size_t length)
{
    fputs(".nf\n", stream);
    print_text(stream, text, length);
    fputs("\n.fi\n", stream);
}

void cli_roff_topic(FILE *stream, const char *text)
{
    for (bool first = true; *text; first = false) {
        const char *end = strstr(text, "\n\n");
        const size_t length = end ? (size_t)(end - text) : strlen(text);
        if (!first)
            fputs(".PP\n", stream);
        (*text == ' ' ? print_lines : print_paragraph)(stream, text, length);
        text += length + (end ? 2 : 0);
    }
}

void cli_roff_sentences(FILE *stream, const char *text)
{
    print_paragraph(stream, text, strlen(text));
}

void cli_roff_lines(FILE *stream, const char *text)
{
    const size_t length = strlen(text);
    print_lines(stream, text, length && text[length - 1] == '\n' ? length - 1 : length);
}
