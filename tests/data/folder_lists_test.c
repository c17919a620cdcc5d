/* What one rank tells another of a folder of images. */
#include "data/folder_lists.h"

#include <stdlib.h>
#include <string.h>

#include "support/support.h"

static const thaw_digest some_options = { .lane = { 1, 2 } }, other_options = { .lane = { 1, 3 } };

static void add(thaw_image_list *list, const char *name, uint64_t stamp, int32_t label)
{
    cr_assert_eq(thaw_image_list_add(list, name, stamp, label), THAW_OK);
}

/* Two folders: one in two parts, one with two classes, of which the first has no images. */
static thaw_folder_lists make(thaw_context *context)
{
    thaw_folder_lists lists = { .context = context };
    thaw_found_images found;
    thaw_found_images_begin(&found, context);
    found.has_splits = true;
    add(&found.classes, "train/cat", 0, 0);
    add(&found.training, "train/cat/1.png", 11, 0);
    add(&found.training, "train/cat/x/2.png", UINT64_MAX, 0);
    add(&found.test, "val/cat/3.png", 13, 0);
    assert_ok(context, thaw_folder_lists_add(&lists, &some_options, &found));
    thaw_found_images_release(&found);
    found.has_splits = false;
    add(&found.classes, "bus", 0, 0);
    add(&found.classes, "car", 0, 0);
    add(&found.training, "car/4.png", 14, 1);
    assert_ok(context, thaw_folder_lists_add(&lists, &other_options, &found));
    thaw_found_images_release(&found);
    lists.told = true;
    return lists;
}

static void assert_images(const thaw_image_list *list, const char *const *names, const uint64_t *stamps, size_t count)
{
    cr_assert_eq(list->count, count);
    for (size_t i = 0; i < count; i++) {
        cr_assert_str_eq(thaw_image_list_name(list, i), names[i]);
        cr_assert_eq(list->images[i].stamp, stamps[i]);
    }
}

Test(folder_lists, arrive_as_they_were_sent)
{
    thaw_context *context = support_context(1);
    thaw_folder_lists lists = make(context);
    thaw_found_images found;
    bool taken;
    thaw_found_images_begin(&found, context);
    assert_ok(context, thaw_folder_lists_take(&lists, &some_options, &found, &taken));
    cr_assert(taken && found.has_splits);
    assert_images(&found.classes, (const char *const[]){ "train/cat" }, (const uint64_t[]){ 0 }, 1);
    assert_images(&found.training, (const char *const[]){ "train/cat/1.png", "train/cat/x/2.png" },
                  (const uint64_t[]){ 11, UINT64_MAX }, 2);
    assert_images(&found.test, (const char *const[]){ "val/cat/3.png" }, (const uint64_t[]){ 13 }, 1);
    cr_assert_str_eq(thaw_found_class_name(&found, 0), "cat");
    thaw_found_images_release(&found);
    found.has_splits = false;
    assert_ok(context, thaw_folder_lists_take(&lists, &other_options, &found, &taken));
    cr_assert(taken && !found.has_splits);
    assert_images(&found.training, (const char *const[]){ "car/4.png" }, (const uint64_t[]){ 14 }, 1);
    cr_assert_eq(found.training.images[0].label, 1);
    thaw_found_images_release(&found);
    assert_ok(context, thaw_folder_lists_take(&lists, &some_options, &found, &taken));
    cr_assert(!taken && found.classes.count == 0);
    thaw_found_images_release(&found);
    thaw_folder_lists_release(&lists);
    thaw_context_destroy(context);
}

/* The nth folder is that of the nth call, whatever became of the calls before. */
Test(folder_lists, are_not_taken_for_other_options)
{
    thaw_context *context = support_context(1);
    thaw_folder_lists lists = make(context);
    thaw_found_images found;
    bool taken;
    thaw_found_images_begin(&found, context);
    assert_ok(context, thaw_folder_lists_take(&lists, &other_options, &found, &taken));
    cr_assert(!taken && found.classes.count == 0 && found.training.count == 0);
    assert_ok(context, thaw_folder_lists_take(&lists, &other_options, &found, &taken));
    cr_assert(taken && found.classes.count == 2);
    thaw_found_images_release(&found);
    thaw_folder_lists_release(&lists);
    thaw_context_destroy(context);
}

/* Takes both folders; whether all is well formed. What is taken must be fit for a data set: begins of classes. */
static bool take_both(thaw_context *context, thaw_folder_lists *lists)
{
    bool whole = true;
    for (int i = 0; i < 2 && whole; i++) {
        thaw_found_images found;
        bool taken;
        thaw_found_images_begin(&found, context);
        const thaw_status status = thaw_folder_lists_take(lists, i ? &other_options : &some_options, &found, &taken);
        cr_assert(status == THAW_OK || status == THAW_BAD_FORMAT, "%s", thaw_status_name(status));
        whole = status == THAW_OK;
        for (size_t k = 0; taken && k < found.training.count; k++)
            cr_assert(found.training.images[k].label >= 0 &&
                      (size_t)found.training.images[k].label < found.classes.count &&
                      strlen(thaw_image_list_name(&found.training, k)) > 0);
        cr_assert(!taken || (found.classes.count > 0 && found.training.count > 0));
        thaw_found_images_release(&found);
    }
    return whole;
}

/* In memory of that size, so that reading past the end is seen by sanitizers. */
static bool take_bytes(thaw_context *context, const char *bytes, size_t count)
{
    char *copy = malloc(count ? count : 1);
    memcpy(copy, bytes, count);
    thaw_folder_lists lists = { .context = context, .told = true, .bytes = copy, .count = count, .capacity = count };
    const bool whole = take_both(context, &lists);
    free(copy);
    return whole;
}

Test(folder_lists, damage_is_found_or_harmless)
{
    thaw_context *context = support_context(1);
    thaw_folder_lists lists = make(context);
    size_t second = 0;
    cr_assert(take_bytes(context, lists.bytes, lists.count));
    cr_assert(take_both(context, &lists));
    for (size_t length = 1; length < lists.count; length++)
        second += take_bytes(context, lists.bytes, length);
    cr_assert_eq(second, 1, "of all lengths, only that of the first folder is whole: %zu", second);
    for (size_t i = 0; i < lists.count; i++)
        for (int bit = 0; bit < 8; bit++) {
            lists.bytes[i] = (char)(lists.bytes[i] ^ 1 << bit);
            take_bytes(context, lists.bytes, lists.count);
            lists.bytes[i] = (char)(lists.bytes[i] ^ 1 << bit);
        }
    thaw_folder_lists_release(&lists);
    thaw_context_destroy(context);
}
