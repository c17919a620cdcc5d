#include "data/npy_header.h"

#include <inttypes.h>
#include <string.h>
#include <thaw/runtime.h>

#include "core/allocation.h"

enum { MOST_HEADER_BYTES = 1 << 16, LONGEST_WORD = 31 };

/* A place in the dictionary. */
typedef struct cursor {
    const thaw_content *from;
    const char *at;
} cursor;

static thaw_status fail_at(const cursor *c, const char *wanted)
{
    return thaw_fail(c->from->context, THAW_BAD_FORMAT, "%s: its header has \"%.30s\" where %s must be", c->from->name,
                     c->at, wanted);
}

static void skip_blanks(cursor *c)
{
    c->at += strspn(c->at, " \t\n");
}

/* Whether these characters are next, which are then skipped. */
static bool take(cursor *c, const char *characters)
{
    const size_t length = strlen(characters);
    skip_blanks(c);
    if (strncmp(c->at, characters, length) != 0)
        return false;
    c->at += length;
    return true;
}

/* A text in quotation marks. */
static thaw_status take_word(cursor *c, char word[LONGEST_WORD + 1])
{
    skip_blanks(c);
    const char quote = *c->at;
    const char *end = quote == '\'' || quote == '"' ? strchr(c->at + 1, quote) : NULL;
    if (!end || end - c->at - 1 > LONGEST_WORD)
        return fail_at(c, "a short text in quotation marks");
    const size_t length = (size_t)(end - c->at - 1);
    memcpy(word, c->at + 1, length);
    word[length] = '\0';
    c->at = end + 1;
    return THAW_OK;
}

/* ---- the three entries ---- */

static thaw_status take_type(cursor *c, thaw_npy_header *header)
{
    static const char *const known[] = { "f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1" };
    char word[LONGEST_WORD + 1];
    thaw_context *context = c->from->context;
    skip_blanks(c);
    if (*c->at == '[')
        return thaw_fail(context, THAW_UNSUPPORTED, "%s: has records, must have one number an element", c->from->name);
    const thaw_status status = take_word(c, word);
    if (status != THAW_OK)
        return status;
    for (size_t i = 0; word[0] && strchr("<>|=", word[0]) && i < THAW_COUNT(known); i++)
        if (strcmp(word + 1, known[i]) == 0) {
            header->kind = known[i][0];
            header->width = (unsigned)(known[i][1] - '0');
            header->big_endian = word[0] == '>';
            return THAW_OK;
        }
    return thaw_fail(context, THAW_UNSUPPORTED,
                     "%s: has elements of type \"%s\", must be f2, f4, f8, i1, i2, i4, i8, u1, u2, u4, u8 or b1",
                     c->from->name, word);
}

static thaw_status take_order(cursor *c, thaw_npy_header *header)
{
    header->fortran = take(c, "True");
    return header->fortran || take(c, "False") ? THAW_OK : fail_at(c, "True or False");
}

static thaw_status take_dimension(cursor *c, thaw_npy_header *header)
{
    enum { MOST_DIGITS = 18 };
    skip_blanks(c);
    const size_t digits = strspn(c->at, "0123456789");
    if (digits == 0 || digits > MOST_DIGITS)
        return fail_at(c, "a dimension");
    if (header->shape.rank == THAW_MAX_RANK)
        return thaw_fail(c->from->context, THAW_UNSUPPORTED, "%s: has more than %d dimensions", c->from->name,
                         THAW_MAX_RANK);
    header->shape.dims[header->shape.rank++] = (int64_t)strtoimax(c->at, NULL, 10);
    c->at += digits;
    take(c, "L"); /* of Python 2 */
    return THAW_OK;
}

static thaw_status take_shape(cursor *c, thaw_npy_header *header)
{
    thaw_status status = take(c, "(") ? THAW_OK : fail_at(c, "a shape");
    bool more = true;
    while (status == THAW_OK && !take(c, ")")) {
        status = more ? take_dimension(c, header) : fail_at(c, "a comma");
        more = take(c, ",");
    }
    return status;
}

/* ---- the whole ---- */

static thaw_status take_dictionary(cursor *c, thaw_npy_header *header)
{
    static const struct {
        const char *name;
        thaw_status (*take)(cursor *c, thaw_npy_header *header);
    } entries[] = { { "descr", take_type }, { "fortran_order", take_order }, { "shape", take_shape } };
    unsigned seen = 0;
    bool more = true;
    thaw_status status = take(c, "{") ? THAW_OK : fail_at(c, "a dictionary");
    while (status == THAW_OK && !take(c, "}")) {
        char word[LONGEST_WORD + 1];
        const cursor before = *c;
        size_t i = 0;
        if (!more)
            return fail_at(c, "a comma");
        status = take_word(c, word);
        while (status == THAW_OK && i < THAW_COUNT(entries) && strcmp(word, entries[i].name) != 0)
            i++;
        if (status == THAW_OK && (i == THAW_COUNT(entries) || seen >> i & 1 || !take(c, ":")))
            return fail_at(&before, "descr, fortran_order or shape, once each,");
        if (status == THAW_OK) {
            seen |= 1U << i;
            status = entries[i].take(c, header);
        }
        more = take(c, ",");
    }
    skip_blanks(c);
    if (status == THAW_OK && (*c->at || seen != 7))
        return thaw_fail(c->from->context, THAW_BAD_FORMAT,
                         "%s: its header must have descr, fortran_order and shape, and no more", c->from->name);
    return status;
}

static thaw_status check_size(const thaw_content *from, thaw_npy_header *header)
{
    size_t bytes = header->width;
    char text[80];
    header->count = 1;
    for (int i = 0; i < header->shape.rank; i++) {
        const size_t dimension = (size_t)header->shape.dims[i];
        if (dimension == 0)
            return thaw_fail(from->context, THAW_BAD_FORMAT, "%s: has no elements, its shape is %s", from->name,
                             thaw_shape_format(&header->shape, text, sizeof text));
        if (!thaw_multiply_sizes(bytes, dimension, &bytes))
            bytes = SIZE_MAX;
    }
    if (bytes > from->most)
        return thaw_fail(from->context, THAW_BAD_FORMAT,
                         "%s: its shape %s of %s%u takes %zu bytes, but it has at most %" PRIu64, from->name,
                         thaw_shape_format(&header->shape, text, sizeof text), (char[]){ header->kind, '\0' },
                         header->width, bytes, from->most);
    header->count = bytes / header->width;
    return THAW_OK;
}

static thaw_status read_text(const thaw_content *from, size_t length, thaw_npy_header *header)
{
    char *text = thaw_allocate(from->context, length + 1);
    thaw_status status = text ? thaw_content_read(from, text, length, "header") : THAW_OUT_OF_MEMORY;
    if (status == THAW_OK && memchr(text, '\0', length))
        status = thaw_fail(from->context, THAW_BAD_FORMAT, "%s: its header has a zero byte", from->name);
    if (status == THAW_OK)
        status = take_dictionary(&(cursor){ .from = from, .at = text }, header);
    thaw_release(from->context, text);
    return status == THAW_OK ? check_size(from, header) : status;
}

/* IDX: after two zeros, the type and the number of dimensions, then each of them in 32 bits, the highest first. */
static thaw_status read_idx(const thaw_content *from, const uint8_t start[4], thaw_npy_header *header)
{
    static const struct {
        uint8_t code;
        char kind;
        uint8_t width;
    } types[] = { { 0x08, 'u', 1 }, { 0x09, 'i', 1 }, { 0x0B, 'i', 2 },
                  { 0x0C, 'i', 4 }, { 0x0D, 'f', 4 }, { 0x0E, 'f', 8 } };
    size_t type = 0;
    while (type < THAW_COUNT(types) && types[type].code != start[2])
        type++;
    if (type == THAW_COUNT(types) || start[3] < 1 || start[3] > THAW_MAX_RANK)
        return thaw_fail(from->context, THAW_UNSUPPORTED,
                         "%s: starts with 00 00 %02x %02x; IDX types are 08, 09, 0b, 0c, 0d and 0e, with 1 to %d "
                         "dimensions",
                         from->name, start[2], start[3], THAW_MAX_RANK);
    *header = (thaw_npy_header){ .kind = types[type].kind, .width = types[type].width, .big_endian = true };
    thaw_status status = THAW_OK;
    for (header->shape.rank = 0; header->shape.rank < start[3] && status == THAW_OK; header->shape.rank++) {
        uint8_t d[4] = { 0 };
        status = thaw_content_read(from, d, sizeof d, "header");
        header->shape.dims[header->shape.rank] = (int64_t)d[0] << 24 | (int64_t)d[1] << 16 | (int64_t)d[2] << 8 | d[3];
    }
    return status == THAW_OK ? check_size(from, header) : status;
}

thaw_status thaw_npy_read_header(const thaw_content *from, thaw_npy_header *header)
{
    uint8_t start[12] = { 0 };
    *header = (thaw_npy_header){ 0 };
    thaw_status status = thaw_content_read(from, start, 4, "header");
    if (status == THAW_OK && start[0] == 0 && start[1] == 0)
        return read_idx(from, start, header);
    if (status == THAW_OK)
        status = thaw_content_read(from, start + 4, 6, "header");
    if (status != THAW_OK)
        return status;
    if (memcmp(start, "\x93NUMPY", 6) != 0)
        return thaw_fail(from->context, THAW_BAD_FORMAT, "%s: is no array of NumPy, does not start with 93 NUMPY",
                         from->name);
    if (start[6] < 1 || start[6] > 3 || start[7] != 0)
        return thaw_fail(from->context, THAW_UNSUPPORTED, "%s: is of version %d.%d, must be 1.0, 2.0 or 3.0",
                         from->name, start[6], start[7]);
    size_t length = (size_t)start[8] | (size_t)start[9] << 8;
    if (start[6] > 1) {
        status = thaw_content_read(from, start + 10, 2, "header");
        length |= (size_t)start[10] << 16 | (size_t)start[11] << 24;
    }
    if (status == THAW_OK && length > MOST_HEADER_BYTES)
        status = thaw_fail(from->context, THAW_BAD_FORMAT, "%s: its header has %zu bytes, must be at most %d",
                           from->name, length, MOST_HEADER_BYTES);
    return status == THAW_OK ? read_text(from, length, header) : status;
}
