#include "report/record.h"

#include <string.h>

#include "core/allocation.h"
#include "core/crc32c.h"

enum { LONGEST_TAG = 100, MESSAGE_BYTES = LONGEST_TAG + 64 };

/* Bytes of a record around its data: length and checksum before it, checksum behind it. */
enum { HEAD = 12, TAIL = 4 };

/* Types of protocol buffer fields. */
enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

/* ---------------------------------------------------------------- framing */

uint32_t thaw_masked_crc(const void *bytes, size_t count)
{
    const uint32_t crc = thaw_crc32c(0, bytes, count);
    return (crc >> 15 | crc << 17) + 0xA282EAD8U;
}

static void put_little(unsigned char *to, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = (unsigned char)(value >> 8 * i);
}

static void append_record(thaw_event_file *file, const unsigned char *data, size_t count)
{
    unsigned char *grown =
        file->failed ? NULL
                     : thaw_grow(file->context, file->bytes, &file->capacity, file->count + HEAD + count + TAIL, 1);
    if (!grown) {
        file->failed = true;
        return;
    }
    file->bytes = grown;
    unsigned char *at = grown + file->count;
    put_little(at, count, 8);
    put_little(at + 8, thaw_masked_crc(at, 8), 4);
    memcpy(at + HEAD, data, count);
    put_little(at + HEAD + count, thaw_masked_crc(data, count), 4);
    file->count += HEAD + count + TAIL;
}

/* ---------------------------------------------------------------- protocol buffers */

typedef struct message {
    unsigned char bytes[MESSAGE_BYTES];
    size_t count;
} message;

static void put_varint(message *to, uint64_t value)
{
    for (; value >= 128; value >>= 7)
        to->bytes[to->count++] = (unsigned char)(value | 128);
    to->bytes[to->count++] = (unsigned char)value;
}

static void put_key(message *to, unsigned field, unsigned kind)
{
    put_varint(to, field << 3 | kind);
}

static void put_bytes(message *to, unsigned field, const void *bytes, size_t count)
{
    put_key(to, field, BYTES);
    put_varint(to, count);
    memcpy(to->bytes + to->count, bytes, count);
    to->count += count;
}

static void put_double(message *to, unsigned field, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_key(to, field, FIXED64);
    put_little(to->bytes + to->count, bits, 8);
    to->count += 8;
}

static void put_float(message *to, unsigned field, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_key(to, field, FIXED32);
    put_little(to->bytes + to->count, bits, 4);
    to->count += 4;
}

/* ---------------------------------------------------------------- events */

void thaw_event_begin(thaw_event_file *file)
{
    enum { WALL_TIME = 1, FILE_VERSION = 3 };
    static const char version[] = "brain.Event:2";
    message event = { .count = 0 };
    put_double(&event, WALL_TIME, 0);
    put_bytes(&event, FILE_VERSION, version, sizeof version - 1);
    append_record(file, event.bytes, event.count);
}

void thaw_event_scalar(thaw_event_file *file, double seconds, int64_t step, const char *tag, double value)
{
    enum { WALL_TIME = 1, STEP = 2, SUMMARY = 5 };
    enum { SUMMARY_VALUE = 1, TAG = 1, SIMPLE_VALUE = 2 };
    message scalar = { .count = 0 }, summary = { .count = 0 }, event = { .count = 0 };
    put_bytes(&scalar, TAG, tag, strnlen(tag, LONGEST_TAG));
    put_float(&scalar, SIMPLE_VALUE, (float)value);
    put_bytes(&summary, SUMMARY_VALUE, scalar.bytes, scalar.count);
    put_double(&event, WALL_TIME, seconds);
    put_key(&event, STEP, VARINT);
    put_varint(&event, (uint64_t)step);
    put_bytes(&event, SUMMARY, summary.bytes, summary.count);
    append_record(file, event.bytes, event.count);
}

static uint64_t read_little(const unsigned char *from, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = bytes; i-- > 0;)
        value = value << 8 | from[i];
    return value;
}

/* The step of an event as thaw_event_scalar writes it: behind the time; 0 if there is none. */
static uint64_t step_of(const unsigned char *event, size_t count)
{
    enum { TIME_BYTES = 9, STEP_KEY = 2 << 3 | VARINT };
    uint64_t step = 0;
    if (count <= TIME_BYTES || event[TIME_BYTES] != STEP_KEY)
        return 0;
    for (size_t i = TIME_BYTES + 1, shift = 0; i < count && shift < 64; i++, shift += 7) {
        step |= (uint64_t)(event[i] & 127) << shift;
        if (!(event[i] & 128))
            break;
    }
    return step;
}

size_t thaw_events_until(const unsigned char *bytes, size_t count, uint64_t step)
{
    size_t kept = 0;
    while (count - kept >= HEAD + TAIL) {
        const unsigned char *at = bytes + kept;
        const uint64_t length = read_little(at, 8);
        if (length > count - kept - HEAD - TAIL || read_little(at + 8, 4) != thaw_masked_crc(at, 8) ||
            read_little(at + HEAD + length, 4) != thaw_masked_crc(at + HEAD, (size_t)length) ||
            step_of(at + HEAD, (size_t)length) > step)
            break;
        kept += HEAD + TAIL + (size_t)length;
    }
    return kept;
}

void thaw_event_release(thaw_event_file *file)
{
    thaw_release(file->context, file->bytes);
    *file = (thaw_event_file){ .context = file->context };
}
