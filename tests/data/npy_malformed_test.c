#include <math.h>
#include <string.h>

#include "data/small_npy.h"
#include "support/allocator.h"
#include "support/support.h"

static const float values[6] = { 1, 2, 3, 4, 5, 6 };

static npy_file good_x(void)
{
    return npy_floats("(3, 2)", values, 6);
}

static npy_file good_y(void)
{
    return npy_labels("(3,)", (const uint8_t[]){ 0, 2, 1 }, 3);
}

static const struct {
    const char *dictionary;
    thaw_status status;
    const char *message;
} headers[] = {
    { "", THAW_BAD_FORMAT, "x.npy: its header has \"\" where a dictionary must be" },
    { "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), } x", THAW_BAD_FORMAT, "and no more" },
    { "{'descr': '<f4', 'fortran_order': False}", THAW_BAD_FORMAT, "must have descr, fortran_order and shape" },
    { "{'descr': '<f4', 'descr': '<f4', 'shape': (3, 2)}", THAW_BAD_FORMAT, "where descr, fortran_order or shape" },
    { "{'descr' '<f4', 'fortran_order': False, 'shape': (3, 2)}", THAW_BAD_FORMAT, "where descr" },
    { "{'descr': '<f4' 'fortran_order': False, 'shape': (3, 2)}", THAW_BAD_FORMAT, "where a comma must be" },
    { "{'descr': '<f4', 'fortran_order': no, 'shape': (3, 2)}", THAW_BAD_FORMAT, "\"no, 'shape'" },
    { "{'descr': '<f4', 'fortran_order': False, 'shape': (3 2)}", THAW_BAD_FORMAT, "\"2)}\\x0a\" where a comma" },
    { "{'descr': '<f4', 'fortran_order': False, 'shape': (-3, 2)}", THAW_BAD_FORMAT, "where a dimension must be" },
    { "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 9999999999999999999)}", THAW_BAD_FORMAT,
      "where a dimension must be" },
    { "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 0)}", THAW_BAD_FORMAT, "has no elements" },
    { "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1)}", THAW_UNSUPPORTED,
      "more than 6 dimensions" },
    { "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 999999999999999999, 999999999999999999)}", THAW_BAD_FORMAT,
      "but it has at most" },
    { "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 1000)}", THAW_BAD_FORMAT, "takes 12000 bytes" },
    { "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 3)}", THAW_BAD_FORMAT, "ends inside its elements" },
    { "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 1)}", THAW_BAD_FORMAT, "bytes follow" },
    { "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}", THAW_BAD_FORMAT,
      "has 2 samples, but there are targets for 3" },
    { "{'descr': '<f4', 'fortran_order': False, 'shape': ()}", THAW_BAD_FORMAT, "has one number" },
    { "{'descr': '<c8', 'fortran_order': False, 'shape': (3, 1)}", THAW_UNSUPPORTED, "of type \"<c8\"" },
    { "{'descr': '|O', 'fortran_order': False, 'shape': (3, 1)}", THAW_UNSUPPORTED, "of type \"|O\"" },
    { "{'descr': '<\x1b[2J', 'fortran_order': False, 'shape': (3, 1)}", THAW_UNSUPPORTED, "of type \"<\\x1b[2J\"" },
    { "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3, 1)}", THAW_UNSUPPORTED, "has records" },
    { "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2, 1, 1)}", THAW_OK, "" },
};

Test(npy_malformed, headers_are_read_strictly, .init = folder_set_up, .fini = folder_tear_down)
{
    support_allocator allocator = { .largest = 1 << 20 };
    thaw_context *context = support_context_on(&allocator);
    const npy_file y = good_y();
    for (size_t i = 0; i < THAW_COUNT(headers); i++) {
        const npy_file x = npy_text(headers[i].dictionary, values, sizeof values);
        thaw_dataset *dataset;
        const thaw_status status = npy_open(context, &x, &y, "", &dataset, NULL);
        cr_assert_eq(status, headers[i].status, "%s: %s: %s", headers[i].dictionary, thaw_status_name(status),
                     thaw_context_message(context));
        if (status != THAW_OK)
            cr_assert_not_null(strstr(thaw_context_message(context), headers[i].message), "%s: %s",
                               headers[i].dictionary, thaw_context_message(context));
        thaw_dataset_destroy(dataset);
        cr_assert_eq(allocator.live, 1, "%s leaks", headers[i].dictionary);
    }
    thaw_context_destroy(context);
}

Test(npy_malformed, values_that_do_not_fit_are_named, .init = folder_set_up, .fini = folder_tear_down)
{
    static const char doubles[] = "{'descr': '<f8', 'fortran_order': False, 'shape': (3,)}";
    static const char truths[] = "{'descr': '|b1', 'fortran_order': False, 'shape': (3,)}";
    thaw_context *context = support_context(1);
    const npy_file x = good_x(), y = good_y();
    thaw_dataset *dataset;
    npy_file bad = npy_text(doubles, (const double[]){ 1, -1e39, 2 }, 24);
    assert_fails(context, npy_open(context, &bad, &y, "", &dataset, NULL), THAW_BAD_FORMAT,
                 "x.npy: a value of sample 1 is -1e+39, must be at most 3.4e38");
    bad = npy_text(truths, "\1\0\2", 3);
    assert_fails(context, npy_open(context, &bad, &y, "", &dataset, NULL), THAW_BAD_FORMAT, "sample 2 is 2, must be");
    bad = npy_text(doubles, (const double[]){ 1, 2, 0.5 }, 24);
    assert_fails(context, npy_open(context, &x, &bad, ";task=classes", &dataset, NULL), THAW_BAD_FORMAT,
                 "y.npy: a value of sample 2 is 0.5, must be a label");
    bad = npy_text(doubles, (const double[]){ 1, 2, NAN }, 24);
    assert_fails(context, npy_open(context, &x, &bad, ";task=classes", &dataset, NULL), THAW_BAD_FORMAT, "sample 2");
    assert_fails(context, npy_open(context, &x, &bad, "", &dataset, NULL), THAW_BAD_FORMAT,
                 "a value of sample 2 is nan, must be finite");
    assert_fails(context, npy_open(context, &x, &y, ";task=labels", &dataset, NULL), THAW_BAD_FORMAT, "0 and 1 alone");
    bad = npy_text("{'descr': '<i4', 'fortran_order': False, 'shape': (3,)}", (const int32_t[]){ 1, 300000000, 2 }, 12);
    assert_fails(context, npy_open(context, &x, &bad, "", &dataset, NULL), THAW_BAD_FORMAT,
                 "label 300000000 of sample 1 must be below 1048576; task=regression is for numbers");
    thaw_context_destroy(context);
}

static const struct {
    const char *options;
    thaw_status status;
    const char *message;
} bad_options[] = {
    { ";split=1", THAW_INVALID_ARGUMENT, "npy: split=1, must be a number above 0 and below 1" },
    { ";split=x", THAW_INVALID_ARGUMENT, "split=x" },
    { ";seed=-1", THAW_INVALID_ARGUMENT, "seed=-1, must be a whole number" },
    { ";task=class", THAW_INVALID_ARGUMENT, "task=class, must be classes, labels or regression" },
    { ";layout=nhwc", THAW_INVALID_ARGUMENT, "layout=nhwc, must be hwc or chw" },
    { ";test=one", THAW_INVALID_ARGUMENT, "must be X.npy,Y.npy" },
    { ";x=a", THAW_NOT_FOUND,
      "known: channels, classes, layout, per-class, repeat, scale-target, seed, split, task, test" },
    { ";task=regression;per-class=1", THAW_INVALID_ARGUMENT, "it has no labels" },
    { ";classes=3", THAW_INVALID_ARGUMENT, "must be within 0 to 2" },
};

Test(npy_malformed, options_are_checked, .init = folder_set_up, .fini = folder_tear_down)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    const npy_file x = good_x(), y = good_y();
    for (size_t i = 0; i < THAW_COUNT(bad_options); i++) {
        thaw_dataset *dataset;
        assert_fails(context, npy_open(context, &x, &y, bad_options[i].options, &dataset, NULL), bad_options[i].status,
                     bad_options[i].message);
        cr_assert_null(dataset);
        cr_assert_eq(allocator.live, 1, "%s leaks", bad_options[i].options);
    }
    thaw_dataset *dataset;
    const npy_file archive = npy_archive(&x, &y, false);
    assert_fails(context, npy_open_archive(context, &archive, ";x=z", &dataset, NULL), THAW_NOT_FOUND,
                 "both.npz: has no array \"z\"; has x.npy, y.npy");
    assert_fails(context, thaw_dataset_open(context, "npz:", &dataset, NULL), THAW_INVALID_ARGUMENT, "npz:FILE");
    assert_fails(context, thaw_dataset_open(context, "npz:/nowhere", &dataset, NULL), THAW_IO_ERROR, "/nowhere");
    thaw_context_destroy(context);
}

/* ---- damage ---- */

Test(npy_malformed, a_file_cut_anywhere_is_refused, .init = folder_set_up, .fini = folder_tear_down)
{
    support_allocator allocator = { .largest = 1 << 20 };
    thaw_context *context = support_context_on(&allocator);
    const npy_file x = good_x(), y = good_y();
    const npy_file whole[] = { x, y, npy_archive(&x, &y, false), npy_archive(&x, &y, true) };
    for (int kind = 0; kind < 4; kind++)
        for (size_t count = 0; count < whole[kind].count; count++) {
            npy_file cut = whole[kind];
            cut.count = count;
            thaw_dataset *dataset;
            const thaw_status status = kind > 1
                                           ? npy_open_archive(context, &cut, "", &dataset, NULL)
                                           : npy_open(context, kind ? &x : &cut, kind ? &cut : &y, "", &dataset, NULL);
            cr_assert_eq(status, THAW_BAD_FORMAT, "kind %d cut to %zu bytes: %s", kind, count,
                         thaw_status_name(status));
            cr_assert_null(dataset);
            cr_assert_eq(allocator.live, 1);
        }
    thaw_context_destroy(context);
}

/* Whether the archive still holds what it held. */
static void assert_same(thaw_context *context, thaw_dataset *dataset, size_t byte)
{
    float samples[6];
    int32_t labels[3];
    assert_ok(context, thaw_dataset_read(dataset, (const size_t[]){ 0, 1, 2 }, 3, samples, labels));
    cr_assert_eq(memcmp(samples, values, sizeof samples), 0, "byte %zu changes a value unnoticed", byte);
    cr_assert(labels[0] == 0 && labels[1] == 2 && labels[2] == 1, "byte %zu changes a label unnoticed", byte);
}

Test(npy_malformed, a_changed_byte_of_an_archive_changes_nothing_unnoticed, .init = folder_set_up,
     .fini = folder_tear_down)
{
    support_allocator allocator = { .largest = 1 << 20 };
    thaw_context *context = support_context_on(&allocator);
    const npy_file x = good_x(), y = good_y();
    size_t harmless = 0, bytes = 0;
    for (int deflated = 0; deflated < 2; deflated++) {
        const npy_file good = npy_archive(&x, &y, deflated);
        bytes += good.count;
        for (size_t i = 0; i < good.count; i++) {
            npy_file bad = good;
            bad.bytes[i] ^= (uint8_t)(1 << i % 8);
            thaw_dataset *dataset;
            if (npy_open_archive(context, &bad, "", &dataset, NULL) == THAW_OK) {
                assert_same(context, dataset, i);
                harmless++;
            }
            thaw_dataset_destroy(dataset);
            cr_assert_eq(allocator.live, 1);
        }
    }
    cr_assert_lt(3 * harmless, bytes, "%zu of %zu: only dates, versions and attributes mean nothing", harmless, bytes);
    thaw_context_destroy(context);
}

Test(npy_malformed, a_changed_byte_of_a_header_never_reads_past_its_file, .init = folder_set_up,
     .fini = folder_tear_down)
{
    support_allocator allocator = { .largest = 1 << 20 };
    thaw_context *context = support_context_on(&allocator);
    const npy_file good = good_x(), y = good_y();
    const size_t header = good.count - sizeof values;
    for (size_t i = 0; i < header; i++) {
        npy_file bad = good;
        bad.bytes[i] ^= (uint8_t)(1 << i % 8);
        thaw_dataset *dataset;
        if (npy_open(context, &bad, &y, "", &dataset, NULL) == THAW_OK)
            cr_assert_eq(thaw_dataset_count(dataset), 3, "byte %zu", i);
        thaw_dataset_destroy(dataset);
        cr_assert_eq(allocator.live, 1);
    }
    thaw_context_destroy(context);
}

Test(npy_malformed, a_bomb_stays_packed, .init = folder_set_up, .fini = folder_tear_down)
{
    static float zeros[900];
    support_allocator allocator = { .largest = 1 << 18 };
    thaw_context *context = support_context_on(&allocator);
    thaw_dataset *dataset;
    const npy_file x = npy_floats("(3, 300)", zeros, 900), y = good_y();
    const npy_file bomb = npy_archive(&x, &y, true);
    thaw_context_limit_data(context, 3599);
    assert_fails(context, npy_open_archive(context, &bomb, "", &dataset, NULL), THAW_OUT_OF_MEMORY,
                 "x.npy: would take 3600 bytes of memory, must be at most 3599");
    thaw_context_limit_data(context, 3600);
    assert_ok(context, npy_open_archive(context, &bomb, "", &dataset, NULL));
    thaw_dataset_destroy(dataset);
    /* A header that promises more than its content can have. */
    thaw_context_limit_data(context, 0);
    const npy_file liar = npy_floats("(3, 1000000000)", values, 6), packed = npy_archive(&liar, &y, true);
    assert_fails(context, npy_open_archive(context, &packed, "", &dataset, NULL), THAW_BAD_FORMAT,
                 "takes 12000000000 bytes, but it has at most");
    thaw_context_destroy(context);
}
