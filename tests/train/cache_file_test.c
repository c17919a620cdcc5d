/* The feature cache in a file: training gives the bits that it gives without one, whatever the file holds. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

#include "support/files.h"
#include "support/max_cpu.h"
#include "support/network.h"

enum { SAMPLES = 45, EPOCHS = 3, HEADER = 4096, MOST_FILE = 1 << 16 };

/* What a run may be told; zero is a usual run without a cache. */
typedef struct setting {
    const char *file;
    unsigned trainable; /* 0: the dense layers */
    uint32_t data_seed; /* 0: 5 */
    float shift;        /* added to a weight of the frozen prefix */
    rlim_t limit;       /* on the sizes of files, from the second step on; 0: none */
    char *warning;      /* the last that was logged; of 512 bytes */
    bool optional;      /* a file that cannot be used is no error */
    bool bfloat16;      /* the cache keeps rounded values; without a file, one in memory does */
} setting;

typedef struct outcome {
    float *weights;
    size_t count;
    bool cached[EPOCHS + 1];
    thaw_epoch_result epoch_result;
    rlim_t limit;
} outcome;

static bool note_epoch(void *user, const thaw_epoch_result *epoch_result)
{
    ((outcome *)user)->cached[epoch_result->epoch] = epoch_result->cached;
    return true;
}

static bool limit_files(void *user, const thaw_progress *progress)
{
    const outcome *result = user;
    struct rlimit limit;
    if (result->limit && progress->epoch == 1 && progress->step == 1) {
        getrlimit(RLIMIT_FSIZE, &limit);
        limit.rlim_cur = result->limit;
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    return true;
}

static void keep_warning(void *user, thaw_log_level level, const char *message)
{
    if (user && level == THAW_LOG_WARNING)
        strncpy(user, message, 511);
}

static thaw_status try_to_train(const setting *told, outcome *result, char message[512])
{
    *result = (outcome){ .limit = told->limit };
    thaw_context *context;
    const thaw_context_options context_options = {
        .threads = 2, .max_cpu = support_max_cpu(), .seed = 1, .log = keep_warning, .log_user = told->warning
    };
    cr_assert_eq(thaw_context_create(&context_options, &context), THAW_OK);
    thaw_model *model = support_network(context, true);
    thaw_dataset *data = support_samples(context, SAMPLES, told->data_seed ? told->data_seed : 5);
    support_optimize(model, "adam:lr=0.01");
    support_train_only(model, told->trainable ? told->trainable : 0x1C);
    thaw_parameter_edit(thaw_model_find_parameter(model, "conv1.weight"))[3] += told->shift;
    const thaw_fit_options options = {
        .epochs = EPOCHS,
        .batch = 16,
        .cache_file = told->file,
        .cache_optional = told->optional,
        .cache_bytes = told->bfloat16 ? 1 << 20 : 0,
        .cache_dtype = told->bfloat16 ? THAW_BF16 : THAW_F32,
        .on_epoch = note_epoch,
        .on_step = limit_files,
        .user = result,
    };
    const thaw_status status = thaw_fit(model, data, &options, &result->epoch_result);
    strncpy(message, thaw_context_message(context), 511);
    result->weights = support_weights(model, &result->count);
    thaw_dataset_destroy(data);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    return status;
}

static outcome train(const setting *told)
{
    outcome result;
    char message[512] = "";
    const thaw_status status = try_to_train(told, &result, message);
    cr_assert_eq(status, THAW_OK, "%s", message);
    return result;
}

/* Trains with and without the file, compares, and returns whether the file served the first epoch. */
static bool check_equal(const setting *told)
{
    setting without = *told;
    without.file = NULL;
    without.limit = 0;
    without.warning = NULL;
    outcome plain = train(&without), filed = train(told);
    cr_assert(memcmp(plain.weights, filed.weights, plain.count * sizeof(float)) == 0, "weights differ");
    cr_assert_eq(plain.epoch_result.loss, filed.epoch_result.loss);
    free(plain.weights);
    free(filed.weights);
    return filed.cached[1];
}

/* ---- a directory with one file ---- */

static char directory[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES];

static void set_up(void)
{
    support_make_directory(directory);
    support_path(path, directory, "features");
}

static void tear_down(void)
{
    support_remove_directory(directory);
}

TestSuite(cache_file, .init = set_up, .fini = tear_down);

/* ---- use ---- */

Test(cache_file, gives_the_bits_of_training_without_it)
{
    static const unsigned trainable[] = { 0x1C, 0x10, 0x12 };
    for (size_t i = 0; i < 3; i++) {
        const setting told = { .file = path, .trainable = trainable[i] };
        cr_assert_not(check_equal(&told));
        outcome again = train(&told);
        for (int epoch = 1; epoch <= EPOCHS; epoch++)
            cr_assert(again.cached[epoch], "epoch %d of a second run was not cached", epoch);
        cr_assert(again.epoch_result.cache_on_disk);
        free(again.weights);
        cr_assert(check_equal(&told));
    }
}

static void check_keys(bool bfloat16)
{
    setting first = { .file = path, .bfloat16 = bfloat16 }, other_weights = first, other_data = first,
            other_cut = first, other_type = first;
    other_weights.shift = 1e-3F;
    other_data.data_seed = 6;
    other_cut.trainable = 0x18;
    other_type.bfloat16 = !bfloat16;
    cr_assert_not(check_equal(&first));
    cr_assert_not(check_equal(&other_weights));
    cr_assert(check_equal(&other_weights));
    cr_assert_not(check_equal(&other_data));
    cr_assert_not(check_equal(&other_cut));
    cr_assert_not(check_equal(&other_type));
    cr_assert_not(check_equal(&first));
    cr_assert(check_equal(&first));
}

Test(cache_file, is_not_believed_for_other_weights_data_or_types)
{
    check_keys(false);
    cr_assert_eq(unlink(path), 0);
    check_keys(true);
}

Test(cache_file, makes_nothing_where_nothing_is_frozen)
{
    const setting told = { .file = path, .trainable = 0x1F };
    cr_assert_not(check_equal(&told));
    cr_assert_neq(access(path, F_OK), 0);
}

/* ---- damage ---- */

static long read_whole(char *content)
{
    const long length = support_read_file(path, content, MOST_FILE);
    cr_assert(length > HEADER && length < MOST_FILE, "the file has %ld bytes", length);
    return length;
}

static void check_cuts(bool bfloat16)
{
    static char content[MOST_FILE];
    const setting told = { .file = path, .bfloat16 = bfloat16 };
    cr_assert_not(check_equal(&told));
    const long length = read_whole(content);
    const long kept[] = { 0, 8, 40, 71, 72, HEADER - 1, HEADER, HEADER + 1, length / 2, length - 65, length - 1 };
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i += bfloat16 ? 2 : 1) {
        support_write_file(path, content, (size_t)kept[i]);
        check_equal(&told);
        cr_assert(check_equal(&told), "%ld bytes were not filled again", kept[i]);
    }
}

Test(cache_file, that_was_cut_short_is_filled_again)
{
    check_cuts(false);
    check_cuts(true);
}

/* A flipped bit in the header or in a row's used bytes makes the first epoch compute. */
static void check_flips(bool bfloat16)
{
    static char content[MOST_FILE];
    const setting told = { .file = path, .bfloat16 = bfloat16 };
    cr_assert_not(check_equal(&told));
    const long length = read_whole(content);
    const long stride = (length - HEADER) / SAMPLES;
    const long used = 30 * (bfloat16 ? 2 : 4) + 4; /* features and a label */
    for (long flip = 0; flip < 24; flip += bfloat16 ? 3 : 1) {
        const long place = flip < 8 ? flip * 7 : HEADER + flip % SAMPLES * stride + flip * 5 % used;
        content[place] ^= (char)(1 << flip % 8);
        support_write_file(path, content, (size_t)length);
        content[place] ^= (char)(1 << flip % 8);
        if (flip < 8 && place < 8) { /* the name of the format: the file may be anything */
            char message[512];
            outcome refused;
            cr_assert_eq(try_to_train(&told, &refused, message), THAW_BAD_FORMAT, "%s", message);
            free(refused.weights);
            continue;
        }
        cr_assert_not(check_equal(&told), "byte %ld was believed", place);
        cr_assert(check_equal(&told));
    }
}

Test(cache_file, of_which_a_bit_has_changed_is_filled_again)
{
    check_flips(false);
    check_flips(true);
}

static void check_places(bool bfloat16)
{
    static char content[MOST_FILE], row[MOST_FILE];
    const setting told = { .file = path, .bfloat16 = bfloat16 };
    cr_assert_not(check_equal(&told));
    const long length = read_whole(content);
    const size_t stride = (size_t)(length - HEADER) / SAMPLES;
    memcpy(row, content + HEADER, stride);
    memcpy(content + HEADER, content + HEADER + 7 * stride, stride);
    memcpy(content + HEADER + 7 * stride, row, stride);
    support_write_file(path, content, (size_t)length);
    cr_assert_not(check_equal(&told));
}

Test(cache_file, rows_that_changed_places_are_not_believed)
{
    check_places(false);
    check_places(true);
}

/* ---- refusals ---- */

static void assert_refused(const char *file, thaw_status status, const char *text)
{
    const setting told = { .file = file };
    char message[512] = "";
    outcome result;
    cr_assert_eq(try_to_train(&told, &result, message), status, "%s", message);
    cr_assert_not_null(strstr(message, text), "\"%s\" lacks \"%s\"", message, text);
    cr_assert_not_null(strstr(message, file), "\"%s\" does not name the file", message);
    free(result.weights);
}

Test(cache_file, that_is_something_else_is_left_alone)
{
    static const char letter[] = "Dear reader, these are no features.", beginning[] = "THAWFEA";
    char found[sizeof letter];
    support_write_file(path, letter, sizeof letter);
    assert_refused(path, THAW_BAD_FORMAT, "is not a feature cache");
    cr_assert_eq(support_read_file(path, found, sizeof found), sizeof letter);
    cr_assert_str_eq(found, letter);
    for (size_t bytes = 1; bytes < sizeof beginning; bytes++) {
        support_write_file(path, beginning, bytes);
        assert_refused(path, THAW_BAD_FORMAT, "is not a feature cache");
        cr_assert_eq(support_read_file(path, found, sizeof found), (long)bytes);
    }
    support_write_file(path, "", 0);
    check_equal(&(setting){ .file = path });
}

Test(cache_file, that_cannot_be_is_refused_before_training)
{
    assert_refused(directory, THAW_IO_ERROR, "cannot open");
    assert_refused("/dev/null", THAW_IO_ERROR, "not a regular file");
    assert_refused("/nowhere/features", THAW_IO_ERROR, "No such file");
}

Test(cache_file, of_another_process_is_refused)
{
    const int other = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    cr_assert_geq(other, 0);
    cr_assert_eq(flock(other, LOCK_EX), 0);
    assert_refused(path, THAW_IO_ERROR, "another process");
    char warning[512] = "";
    cr_assert_not(check_equal(&(setting){ .file = path, .optional = true, .warning = warning }));
    cr_assert_not_null(strstr(warning, "another process"), "warned: \"%s\"", warning);
    cr_assert_not_null(strstr(warning, "training goes on without"), "warned: \"%s\"", warning);
    close(other);
    const setting told = { .file = path };
    check_equal(&told);
}

Test(cache_file, without_room_is_refused_before_training)
{
    struct rlimit limit; /* SIGXFSZ would end the process */
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = HEADER + 100;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_refused(path, THAW_IO_ERROR, "make room");
    char byte;
    cr_assert_eq(support_read_file(path, &byte, 1), 0, "something was left");
}

Test(cache_file, that_takes_no_more_rows_does_not_stop_training)
{
    char warning[512] = "";
    signal(SIGXFSZ, SIG_IGN);
    const setting told = { .file = path, .limit = HEADER + 100, .warning = warning };
    cr_assert_not(check_equal(&told));
    cr_assert_not_null(strstr(warning, "training goes on without"), "warned: \"%s\"", warning);
}
