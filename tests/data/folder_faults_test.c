/* Options that a folder of images cannot have, folders without images, and memory that runs out. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "data/folder_fixture.h"
#include "support/allocator.h"
#include "support/support.h"

TestSuite(folder_faults, .init = folder_set_up, .fini = folder_tear_down);

static const struct {
    const char *options;
    thaw_status status;
    const char *message;
} bad[] = {
    { ";size=0", THAW_INVALID_ARGUMENT, "size=0, must be a whole number from 1" },
    { ";size=9000", THAW_INVALID_ARGUMENT, "size is 9000, must be from 1 to 8192" },
    { ";size=99999999999999", THAW_INVALID_ARGUMENT, "must be from 1 to 8192" },
    { ";size=224;resize=200", THAW_INVALID_ARGUMENT, "resize is 200, must be from size, which is 224" },
    { ";channels=4", THAW_INVALID_ARGUMENT, "channels=4, must be 1 or 3" },
    { ";mean=a", THAW_INVALID_ARGUMENT, "mean must be one number" },
    { ";mean=0.5,0.5", THAW_INVALID_ARGUMENT, "mean must be one number" },
    { ";std=1,2,3,4", THAW_INVALID_ARGUMENT, "std must be one number" },
    { ";std=1,0,1", THAW_INVALID_ARGUMENT, "std is 0, must be above 0" },
    { ";std=nan", THAW_INVALID_ARGUMENT, "std must be" },
    { ";augment=flip", THAW_NOT_FOUND, "unknown transform of augment \"flip\"" },
    { ";augment=", THAW_NOT_FOUND, "unknown transform of augment \"\"" },
    { ";augment=rand-augmant", THAW_NOT_FOUND, "did you mean \"rand-augment\"?" },
    { ";augment=rand-augment+", THAW_NOT_FOUND, "unknown transform of augment \"\"" },
    { ";augment=rand-augment:magnitud=9", THAW_NOT_FOUND,
      "unknown parameter of rand-augment \"magnitud\", did you mean" },
    { ";augment=rand-augment:magnitude=31", THAW_INVALID_ARGUMENT, "is \"31\", must be a whole number from 0 to 30" },
    { ";augment=rand-augment:num_ops=1.5", THAW_INVALID_ARGUMENT, "is \"1.5\", must be a whole number from 1 to 32" },
    { ";augment=random-rotation:degrees", THAW_INVALID_ARGUMENT, "degrees of random-rotation is \"\"" },
    { ";augment=color-jitter:hue=0.6", THAW_INVALID_ARGUMENT, "is \"0.6\", must be a number from 0 to 0.5" },
    { ";augment=color-jitter:hue=nan", THAW_INVALID_ARGUMENT, "is \"nan\", must be a number" },
    { ";augment=color-jitter:hue=0.1,hue=0.2", THAW_INVALID_ARGUMENT, "hue of color-jitter is given twice" },
    { ";augment=random-rotation+random-rotation", THAW_INVALID_ARGUMENT, "random-rotation is given twice" },
    { ";augment=random-resized-crop:min_scale=0.9,max_scale=0.5", THAW_INVALID_ARGUMENT,
      "min_scale of random-resized-crop is 0.9, must not be above max_scale, which is 0.5" },
    { ";augment=random-erasing:min_scale=0.5", THAW_INVALID_ARGUMENT, "must not be above max_scale, which is 0.33" },
    { ";decode=half", THAW_INVALID_ARGUMENT, "decode=half, must be scaled or full" },
    { ";on-error=ask", THAW_INVALID_ARGUMENT, "on-error=ask, must be skip or fail" },
    { ";val=1", THAW_INVALID_ARGUMENT, "val=1, must be at least 0 and below 1" },
    { ";val=-0.1", THAW_INVALID_ARGUMENT, "val=-0.1" },
    { ";augment=crop-flip;views=0", THAW_INVALID_ARGUMENT, "views=0, must be a whole number from 1" },
    { ";augment=crop-flip;views=two", THAW_INVALID_ARGUMENT, "views=two, must be a whole number from 1" },
    { ";augment=crop-flip;views=70000", THAW_INVALID_ARGUMENT, "views is 70000, must be from 1 to 65536" },
    { ";views=8", THAW_INVALID_ARGUMENT, "views is 8, must go with augment" },
    { ";threads=0", THAW_INVALID_ARGUMENT, "threads=0" },
    { ";threads=2000", THAW_INVALID_ARGUMENT, "threads is 2000, must be from 1 to 1024" },
    { ";sise=3", THAW_NOT_FOUND, "unknown option of a data set \"sise\", did you mean \"size\"?" },
    { ";size=3;size=4", THAW_INVALID_ARGUMENT, "size is given twice" },
    { ";classes=2-3", THAW_INVALID_ARGUMENT, "classes are 2 to 3, must be within 0 to 2" },
    { ";size=1;std=0", THAW_INVALID_ARGUMENT, "std is 0, must be above 0" },
    { ";size=1;std=0.5,0,0.5", THAW_INVALID_ARGUMENT, "std is 0, must be above 0" },
    { ";size=1;std=-1", THAW_INVALID_ARGUMENT, "std is -1, must be above 0" },
    { "/nothing", THAW_IO_ERROR, "nothing: cannot be read: No such file" },
    { "/a/00.png", THAW_IO_ERROR, "cannot be read: Not a directory" },
    { "/a", THAW_NOT_FOUND, "/a: has no sub-folders, must have one per class" },
};

Test(folder_faults, what_is_wrong_is_named)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    folder_put_classes();
    for (size_t i = 0; i < THAW_COUNT(bad); i++) {
        char description[SUPPORT_PATH_BYTES + 128];
        thaw_dataset *training, *test;
        snprintf(description, sizeof description, "folder:%s%s", folder_path, bad[i].options);
        assert_fails(context, thaw_dataset_open(context, description, &training, &test), bad[i].status, bad[i].message);
        cr_assert(!training && !test);
        cr_assert_eq(allocator.live, 1, "%s leaks", description);
    }
    thaw_dataset *training;
    assert_fails(context, thaw_dataset_open(context, "folder:", &training, NULL), THAW_INVALID_ARGUMENT,
                 "PATH is missing");
    assert_fails(context, thaw_dataset_open(context, "folder", &training, NULL), THAW_INVALID_ARGUMENT,
                 "PATH is missing");
    thaw_context_destroy(context);
}

Test(folder_faults, without_images_is_not_found)
{
    char path[SUPPORT_PATH_BYTES];
    thaw_context *context = folder_context(1);
    thaw_dataset *training;
    folder_put_text("a/readme", "nothing here");
    cr_assert_eq(mkdir(folder_join(path, "b"), 0700), 0);
    assert_fails(context, thaw_dataset_open_folder(context, folder_path, NULL, &training, NULL), THAW_NOT_FOUND,
                 "its sub-folders contain no JPEG or PNG images");
    cr_assert_not_null(strstr(folder_log, "/b: contains no images"), "%s", folder_log);
    thaw_context_destroy(context);
}

typedef struct opening {
    thaw_context *context;
    thaw_dataset *training, *test;
    size_t files; /* open before */
} opening;

static thaw_status open_again(void *user)
{
    opening *now = user;
    const thaw_status status = thaw_dataset_open_folder(now->context, folder_path, NULL, &now->training, &now->test);
    cr_assert(status == THAW_OK || (!now->training && !now->test));
    cr_assert(status == THAW_OK || support_count_entries("/proc/self/fd") == now->files, "a file is left open");
    return status;
}

Test(folder_faults, survives_every_failing_allocation)
{
    support_allocator allocator = { 0 };
    opening now = { .context = support_context_on(&allocator), .files = support_count_entries("/proc/self/fd") };
    folder_put_classes();
    cr_assert_geq(support_fail_each(&allocator, open_again, &now), 20);
    thaw_dataset_destroy(now.training);
    thaw_dataset_destroy(now.test);
    cr_assert_eq(support_count_entries("/proc/self/fd"), now.files);
    thaw_context_destroy(now.context);
}
