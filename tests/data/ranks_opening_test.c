/* Folders of images on several ranks: rank 0 searches, the others only open files. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/folder_fixture.h"
#include "support/allocator.h"
#include "support/ranks.h"

enum { OPENING_RANKS = 3, LISTED_BYTES = 2048 };

/* What each rank opens, and what comes of it. */
typedef struct opening {
    const char *options[OPENING_RANKS], *kinds[OPENING_RANKS]; /* of the description; NULL: none, "folder" */
    char training[OPENING_RANKS][LISTED_BYTES], test[OPENING_RANKS][LISTED_BYTES]; /* "brightness:label ..." */
    thaw_status statuses[OPENING_RANKS], agreed[OPENING_RANKS];
    char messages[OPENING_RANKS][THAW_REASON_BYTES];
    int calls[OPENING_RANKS]; /* of `open` */
    support_allocator allocators[OPENING_RANKS];
    size_t fail_at[OPENING_RANKS]; /* this allocation after those of the context; 0: none */
} opening;

typedef struct own_data {
    opening *all;
    int rank;
    thaw_context *context;
    thaw_dataset *training, *test;
} own_data;

/* Each rank sees a folder of its own: 0/, 1/ or 2/. */
static thaw_status open_own(void *user)
{
    own_data *own = user;
    const char *options = own->all->options[own->rank], *kind = own->all->kinds[own->rank];
    char description[SUPPORT_PATH_BYTES + 128];
    snprintf(description, sizeof description, "%s:%s/%d;size=1;resize=1;channels=1%s", kind ? kind : "folder",
             folder_path, own->rank, options ? options : "");
    own->all->calls[own->rank]++;
    return thaw_dataset_open(own->context, description, &own->training, &own->test);
}

/* Lists the samples until one cannot be read. */
static thaw_status list(thaw_dataset *data, char text[LISTED_BYTES])
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; data && i < thaw_dataset_count(data); i++) {
        float pixel;
        int32_t label;
        const thaw_status status = thaw_dataset_read(data, &i, 1, &pixel, &label);
        if (status != THAW_OK)
            return status;
        used +=
            (size_t)snprintf(text + used, LISTED_BYTES - used, "%s%.0f:%d", i ? " " : "", (double)pixel * 255, label);
    }
    return THAW_OK;
}

/* Whether the ranks have the same data, as before the first step. */
static thaw_status agree(own_data *own, const thaw_communicator *communicator)
{
    thaw_model *model;
    thaw_node x;
    assert_ok(own->context, thaw_model_create(own->context, &model));
    assert_ok(own->context, thaw_input(model, thaw_dataset_sample_shape(own->training), &x));
    assert_ok(own->context, thaw_flatten(model, x, NULL, &x));
    assert_ok(own->context, thaw_dense(model, x, &(thaw_dense_options){ .units = 3 }, &x));
    const thaw_status status = thaw_ranks_agree(model, own->training, communicator);
    thaw_model_destroy(model);
    return status;
}

static void open_and_list(void *argument, const thaw_communicator *communicator)
{
    const int rank = communicator->rank;
    opening *all = argument;
    own_data own = { .all = all, .rank = rank };
    support_allocator *allocator = &all->allocators[rank];
    own.context = support_context_on(allocator);
    allocator->calls = 0;
    allocator->fail_at = all->fail_at[rank];
    thaw_status status = thaw_ranks_open_data(own.context, communicator, open_own, &own);
    const bool opened = status == THAW_OK;
    allocator->fail_at = 0;
    if (opened)
        status = list(own.training, all->training[rank]);
    if (status == THAW_OK)
        status = list(own.test, all->test[rank]);
    snprintf(all->messages[rank], THAW_REASON_BYTES, "%s", thaw_context_message(own.context));
    all->statuses[rank] = status;
    if (opened)
        all->agreed[rank] = agree(&own, communicator);
    else
        communicator->abort(communicator->user, "the data cannot be opened");
    thaw_dataset_destroy(own.training);
    thaw_dataset_destroy(own.test);
    thaw_context_destroy(own.context);
}

/* ---- folders ---- */

/* An image for all ranks, with the same time. */
static void put_for_all(const char *name, int brightness)
{
    for (int rank = 0; rank < OPENING_RANKS; rank++) {
        char own[128], path[SUPPORT_PATH_BYTES];
        snprintf(own, sizeof own, "%d/%s", rank, name);
        folder_put_image(own, brightness);
        const struct timespec times[2] = { { 1000000000 + brightness, 5 }, { 1000000000 + brightness, 5 } };
        cr_assert_eq(utimensat(AT_FDCWD, folder_join(path, own), times, 0), 0);
    }
}

static void put_all(void)
{
    for (int i = 0; i < 30; i++) {
        char name[32];
        snprintf(name, sizeof name, "%c/%02d.png", 'a' + i % 3, i);
        put_for_all(name, i);
    }
}

static void set_up(void)
{
    folder_set_up();
    put_all();
}

/* So that removing the folders is possible. */
static void tear_down(void)
{
    char path[SUPPORT_PATH_BYTES];
    for (int rank = 0; rank < OPENING_RANKS; rank++)
        for (int c = -1; c < 3; c++) {
            char name[16];
            snprintf(name, sizeof name, c < 0 ? "%d" : "%d/%c", rank, 'a' + c);
            chmod(folder_join(path, name), 0700);
        }
    folder_tear_down();
}

TestSuite(ranks_opening, .init = set_up, .fini = tear_down, .timeout = 60);

/* ---- tests ---- */

/* The others have images and classes more, which listing would find, and, unless root runs this, may not list. */
Test(ranks_opening, only_rank_0_lists)
{
    static opening alone, all;
    char path[SUPPORT_PATH_BYTES];
    run_ranks(1, open_and_list, &alone);
    for (int rank = 1; rank < OPENING_RANKS; rank++) {
        char name[32];
        snprintf(name, sizeof name, "%d/a/99.png", rank);
        folder_put_image(name, 99);
        snprintf(name, sizeof name, "%d/aa/98.png", rank);
        folder_put_image(name, 98);
        snprintf(name, sizeof name, "%d/a", rank);
        cr_assert_eq(chmod(folder_join(path, name), 0300), 0);
        name[1] = '\0';
        cr_assert_eq(chmod(folder_join(path, name), 0300), 0);
    }
    run_ranks(OPENING_RANKS, open_and_list, &all);
    cr_assert(strlen(alone.training[0]) > 100 && strlen(alone.test[0]) > 20, "%s", alone.training[0]);
    for (int rank = 0; rank < OPENING_RANKS; rank++) {
        cr_assert_eq(all.statuses[rank], THAW_OK, "rank %d: %s", rank, all.messages[rank]);
        cr_assert_eq(all.agreed[rank], THAW_OK);
        cr_assert_str_eq(all.training[rank], alone.training[0]);
        cr_assert_str_eq(all.test[rank], alone.test[0]);
    }
}

/* They search by themselves then, and the data differ. */
Test(ranks_opening, other_options_are_a_disagreement)
{
    static const char *const others[] = { ";val=0.5", ";seed=7", ";classes=0-1", ";classes=1-2", ";per-class=2" };
    for (size_t i = 0; i < THAW_COUNT(others); i++) {
        static opening all;
        all = (opening){ .options = { NULL, others[i], NULL } };
        run_ranks(2, open_and_list, &all);
        for (int rank = 0; rank < 2; rank++) {
            cr_assert_eq(all.statuses[rank], THAW_OK, "rank %d: %s", rank, all.messages[rank]);
            cr_assert_eq(all.agreed[rank], THAW_INVALID_ARGUMENT, "%s", others[i]);
        }
        cr_assert_str_neq(all.training[0], all.training[1]);
    }
}

static void assert_fails_on_last(const opening *all, const char *wanted)
{
    const int last = OPENING_RANKS - 1;
    cr_assert_eq(all->statuses[0], THAW_OK, "%s", all->messages[0]);
    cr_assert_eq(all->statuses[last], THAW_IO_ERROR, "%s: %s", wanted, thaw_status_name(all->statuses[last]));
    cr_assert_not_null(strstr(all->messages[last], wanted), "\"%s\" lacks \"%s\"", all->messages[last], wanted);
}

/* Images of which opening has looked at none. Alone, a file that is gone is replaced by the next one of its class. */
Test(ranks_opening, a_file_that_is_missing_or_another_is_an_error)
{
    static opening all;
    char path[SUPPORT_PATH_BYTES];
    all = (opening){ .options = { ";val=0", ";val=0", ";val=0" } };
    cr_assert_eq(unlink(folder_join(path, "2/b/16.png")), 0);
    run_ranks(OPENING_RANKS, open_and_list, &all);
    assert_fails_on_last(&all, "2/b/16.png: cannot be read: No such file");
    folder_put_image("2/b/16.png", 16);
    run_ranks(OPENING_RANKS, open_and_list, &all);
    assert_fails_on_last(&all, "2/b/16.png: has another size or time than the file that rank 0 has listed");
    cr_assert(strncmp(all.training[2], "0:0 3:0 ", 8) == 0, "%s", all.training[2]);
}

/* Another folder: before the first step. */
Test(ranks_opening, a_class_that_is_missing_is_an_error_at_once)
{
    static opening all;
    char path[SUPPORT_PATH_BYTES], moved[SUPPORT_PATH_BYTES];
    cr_assert_eq(rename(folder_join(path, "2/c"), folder_join(moved, "2/z")), 0);
    run_ranks(OPENING_RANKS, open_and_list, &all);
    cr_assert_eq(all.statuses[2], THAW_IO_ERROR);
    cr_assert_not_null(strstr(all.messages[2], "2/c/"), "%s", all.messages[2]);
    cr_assert_str_empty(all.training[2]);
}

Test(ranks_opening, what_fails_on_rank_0_fails_on_all)
{
    static opening all;
    char path[SUPPORT_PATH_BYTES], moved[SUPPORT_PATH_BYTES];
    cr_assert_eq(rename(folder_join(path, "0"), folder_join(moved, "away")), 0);
    run_ranks(OPENING_RANKS, open_and_list, &all);
    for (int rank = 0; rank < OPENING_RANKS; rank++) {
        cr_assert_eq(all.statuses[rank], THAW_IO_ERROR, "%s", thaw_status_name(all.statuses[rank]));
        cr_assert_eq(all.calls[rank], rank == 0);
        cr_assert_not_null(strstr(all.messages[rank], "/0: cannot be read: No such file"), "%s", all.messages[rank]);
        cr_assert_eq(strncmp(all.messages[rank], "rank 0: ", 8) == 0, rank > 0, "%s", all.messages[rank]);
    }
    cr_assert_eq(rename(moved, path), 0);
}

Test(ranks_opening, other_data_is_opened_by_each_rank)
{
    static opening all;
    all = (opening){ .kinds = { "idx", NULL, NULL } };
    run_ranks(2, open_and_list, &all);
    cr_assert_neq(all.statuses[0], THAW_OK);
    cr_assert_eq(all.calls[1], 0);
    all = (opening){ .kinds = { NULL, "idx", NULL } };
    run_ranks(2, open_and_list, &all);
    cr_assert_eq(all.statuses[0], THAW_OK, "%s", all.messages[0]);
    cr_assert_neq(all.statuses[1], THAW_OK);
    cr_assert_eq(all.calls[1], 1);
}

/* Each allocation of either rank fails once: no rank waits for ever, and nothing leaks. */
Test(ranks_opening, out_of_memory_on_a_rank_ends_on_all)
{
    for (int failing = 0; failing < 2; failing++) {
        static opening all;
        size_t at = 0;
        do {
            all = (opening){ .fail_at[0] = 0 };
            all.fail_at[failing] = ++at;
            run_ranks(2, open_and_list, &all);
            const thaw_status status = all.statuses[failing];
            cr_assert(status == THAW_OK || status == THAW_OUT_OF_MEMORY, "%s", all.messages[failing]);
            cr_assert(all.allocators[0].live == 0 && all.allocators[1].live == 0, "allocation %zu", at);
        } while (all.statuses[failing] != THAW_OK);
        cr_assert_gt(at, 10);
    }
}
