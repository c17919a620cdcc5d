/* Event files by a reader of their own. tests/golden/events.py let TensorBoard read the golden one. */
#include "report/record.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/files.h"
#include "support/schema.h"
#include "support/support.h"

#include "report/write.h"

enum { MOST_BYTES = 1 << 16 };

/* CRC-32C by its definition: the remainder of a division of polynomials, bit by bit, most significant first. */
static uint32_t divide(const unsigned char *bytes, size_t count)
{
    uint32_t rest = 0;
    for (size_t bit = 0; bit < 8 * count + 32; bit++) {
        /* Bytes are taken with their lowest bit first; the first 32 bits are inverted; 32 zeros follow. */
        unsigned next = bit < 8 * count ? bytes[bit / 8] >> bit % 8 & 1 : 0;
        next ^= bit < 32;
        const bool carry = rest >> 31;
        rest = rest << 1 | next;
        if (carry)
            rest ^= 0x1EDC6F41U;
    }
    uint32_t reflected = 0;
    for (int i = 0; i < 32; i++)
        reflected |= (rest >> i & 1) << (31 - i);
    return ~reflected;
}

static uint32_t mask(uint32_t crc)
{
    return (uint32_t)(((crc >> 15) | (crc << 17)) + 0xa282ead8UL);
}

Test(record, crc_is_castagnolis)
{
    /* RFC 3720, B.4: 32 bytes of zeros, and of ones; and the usual check. */
    unsigned char bytes[300];
    memset(bytes, 0, 32);
    cr_assert_eq(thaw_masked_crc(bytes, 32), mask(0x8A9136AAU));
    memset(bytes, 0xFF, 32);
    cr_assert_eq(thaw_masked_crc(bytes, 32), mask(0x62A8AB43U));
    cr_assert_eq(thaw_masked_crc("123456789", 9), mask(0xE3069283U));
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * i + 7 * i);
    for (size_t count = 4; count <= sizeof bytes; count += 37)
        cr_assert_eq(thaw_masked_crc(bytes, count), mask(divide(bytes, count)), "%zu bytes", count);
}

/* ---------------------------------------------------------------- a reader */

typedef struct scalar {
    double seconds, value;
    long step;
    char tag[64];
} scalar;

static uint64_t little(const unsigned char *at, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = bytes; i-- > 0;)
        value = value << 8 | at[i];
    return value;
}

static uint64_t varint(const unsigned char **at)
{
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
        value |= (uint64_t)(**at & 127) << shift;
        if (!(*(*at)++ & 128))
            return value;
    }
}

/* Reads fields of an event, a summary or its value: their numbers do not collide in what Thaw writes, but for 1 and
   2. */
static void read_message(const unsigned char *at, const unsigned char *end, int depth, scalar *found)
{
    while (at < end) {
        const uint64_t key = varint(&at), field = key >> 3;
        if ((key & 7) == 1) {
            const uint64_t bits = little(at, 8);
            cr_assert(depth == 0 && field == 1);
            memcpy(&found->seconds, &bits, 8);
            at += 8;
        } else if ((key & 7) == 0) {
            cr_assert(depth == 0 && field == 2);
            found->step = (long)varint(&at);
        } else if ((key & 7) == 5) {
            const uint32_t bits = (uint32_t)little(at, 4);
            float value;
            cr_assert(depth == 2 && field == 2);
            memcpy(&value, &bits, 4);
            found->value = value;
            at += 4;
        } else {
            const size_t length = (size_t)varint(&at);
            cr_assert((key & 7) == 2 && at + length <= end);
            if (depth == 2 || field == 3)
                snprintf(found->tag, sizeof found->tag, "%.*s", (int)length, (const char *)at);
            else
                read_message(at, at + length, depth + 1, found);
            at += length;
        }
    }
}

static const unsigned char *read_record(const unsigned char *at, scalar *found)
{
    const size_t length = (size_t)little(at, 8);
    cr_assert_eq(little(at + 8, 4), mask(divide(at, 8)));
    cr_assert_eq(little(at + 12 + length, 4), mask(divide(at + 12, length)));
    *found = (scalar){ .value = NAN };
    read_message(at + 12, at + 12 + length, 0, found);
    return at + 16 + length;
}

static double of_results(const json_t *epoch, const char *tag)
{
    static const char *const names[][2] = {
        { "test/accuracy", "test_accuracy" },
        { "test/loss", "test_loss" },
        { "training/accuracy", "training_accuracy" },
        { "training/loss", "training_loss" },
        { "epoch/seconds", "seconds" },
        { "epoch/samples_per_second", "samples_per_second" },
        { "epoch/parameters", "parameters_trained" },
    };
    for (size_t i = 0; i < THAW_COUNT(names); i++)
        if (strcmp(tag, names[i][0]) == 0)
            return json_number_value(json_object_get(epoch, names[i][1]));
    cr_assert_fail("%s", tag);
    return NAN;
}

/* Each slash takes three bytes in the name of a folder, of which 255 is the most. */
Test(events, of_a_name_that_escapes_make_long_have_a_folder)
{
    char directory[SUPPORT_PATH_BYTES], name[301];
    support_make_directory(directory);
    thaw_context *context = support_context(1);
    json_t *results = support_project_json("tests/compare/results.json");
    json_t *run = json_array_get(json_object_get(results, "runs"), 0);
    for (size_t length = 30; length < sizeof name; length += 10) {
        memset(name, '/', length);
        name[length] = '\0';
        json_object_set_new(run, "strategy", json_string(name));
        assert_ok(context, thaw_report_write_events(context, results, directory));
    }
    json_decref(results);
    support_remove_tree(directory);
    thaw_context_destroy(context);
}

Test(events, hold_every_run_as_the_results_do)
{
    static unsigned char bytes[MOST_BYTES], golden[MOST_BYTES];
    char directory[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES + 200];
    support_make_directory(directory);
    thaw_context *context = support_context(1);
    json_t *results = support_project_json("tests/compare/results.json");
    assert_ok(context, thaw_report_write_events(context, results, directory));
    snprintf(path, sizeof path, "%s/events/full/adam/lr=0.001/seed=0/events.out.tfevents.0000000000.thaw", directory);
    const long length = support_read_file(path, (char *)bytes, sizeof bytes);
    cr_assert(length > 0 && length < MOST_BYTES, "%s", path);
    scalar found;
    const unsigned char *at = read_record(bytes, &found);
    cr_assert_str_eq(found.tag, "brain.Event:2");
    const json_t *epochs = json_object_get(json_array_get(json_object_get(results, "runs"), 0), "epochs");
    size_t scalars = 0;
    for (; at < bytes + length; scalars++) {
        at = read_record(at, &found);
        const json_t *epoch = json_array_get(epochs, (size_t)found.step - 1);
        cr_assert(found.value == (double)(float)of_results(epoch, found.tag), "%s", found.tag);
        /* The clock is the training time so far: two seconds for the first epoch in the example. */
        cr_assert(found.step != 1 || found.seconds == 2.0);
    }
    cr_assert_eq(scalars, 14); /* two epochs of seven figures; there are no joules */
    char golden_path[SUPPORT_PATH_BYTES];
    const long golden_length =
        support_read_file(support_golden(golden_path, "events.tfevents"), (char *)golden, sizeof golden);
    cr_assert(length == golden_length && memcmp(bytes, golden, (size_t)length) == 0, "TensorBoard read other bytes");
    json_decref(results);
    thaw_context_destroy(context);
    support_remove_tree(directory);
}
