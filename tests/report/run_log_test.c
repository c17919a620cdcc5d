/* The log of a run: its tables by a reader of their own, its norms beside those that the update computes. */
#include "report/run_log.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "report/log_reader.h"
#include "support/files.h"
#include "support/network.h"

enum { SAMPLES = 45, BATCH = 10, STEPS = 5, EPOCHS = 3 };

static const double RATE = 0.05;

typedef struct fixture {
    char directory[SUPPORT_PATH_BYTES];
    thaw_context *context;
    thaw_model *model;
    thaw_dataset *data;
    thaw_trainer *trainer;
} fixture;

static fixture open_fixture(void)
{
    fixture f = { .context = support_context(2) };
    support_make_directory(f.directory);
    f.model = support_network(f.context, true);
    support_optimize(f.model, "sgd:lr=0.05");
    support_train_only(f.model, 0x1e); /* conv1 is frozen */
    f.data = support_samples(f.context, SAMPLES, 7);
    const thaw_fit_options options = { .epochs = EPOCHS, .batch = BATCH, .clip_norm = 1e9 };
    assert_ok(f.context, thaw_trainer_create(f.model, f.data, &options, &f.trainer));
    return f;
}

static void close_fixture(fixture *f)
{
    thaw_trainer_destroy(f->trainer);
    thaw_dataset_destroy(f->data);
    thaw_model_destroy(f->model);
    thaw_context_destroy(f->context);
    support_remove_tree(f->directory);
}

Test(run_log, norms_are_those_of_the_update)
{
    fixture f = open_fixture();
    thaw_run_log *log;
    assert_ok(f.context, thaw_run_log_open(f.model, f.trainer, f.directory, 1, false, &log));
    double norms[EPOCHS * STEPS];
    for (size_t i = 0; !thaw_trainer_done(f.trainer); i++) {
        bool ended;
        assert_ok(f.context, thaw_run_log_step(log, f.trainer, &ended));
        cr_assert_eq(ended, i % STEPS == STEPS - 1);
        double squares = 0; /* by hand, from what the host can see */
        for (size_t p = 0; p < thaw_model_parameter_count(f.model); p++) {
            const thaw_parameter *parameter = thaw_model_parameter(f.model, p);
            const float *gradient = thaw_parameter_gradient(parameter);
            const thaw_shape *shape = thaw_parameter_shape(parameter);
            size_t count = gradient != NULL;
            for (int d = 0; d < shape->rank; d++)
                count *= (size_t)shape->dims[d];
            for (size_t e = 0; e < count; e++)
                squares += (double)gradient[e] * (double)gradient[e];
        }
        norms[i] = sqrt(squares);
    }
    thaw_run_log_close(log);
    const log_table steps = log_read_table(f.directory, "steps.csv"),
                    epochs = log_read_table(f.directory, "epochs.csv");
    cr_assert_eq(steps.rows, EPOCHS * STEPS);
    cr_assert_eq(epochs.rows, EPOCHS);
    for (size_t i = 0; i < steps.rows; i++) {
        cr_assert_eq(log_at(&steps, i, "step"), (double)i + 1);
        cr_assert_eq(log_at(&steps, i, "epoch"), (double)(i / STEPS) + 1);
        cr_assert_float_eq(log_at(&steps, i, "step/gradient_norm"), norms[i], 1e-9 * norms[i]);
        /* Without momentum an update is the gradient times the rate; its rounding is that of the weights. */
        if (i % STEPS != 0)
            cr_assert_float_eq(log_at(&steps, i, "step/update_norm"), RATE * norms[i], 2e-5 * RATE * norms[i] + 1e-6);
        double squares = 0;
        for (size_t b = 1; b < NETWORK_GROUPS; b++) {
            char name[64];
            snprintf(name, sizeof name, "gradient_norm/%s", network_groups[b]);
            squares += pow(log_at(&steps, i, name), 2);
            snprintf(name, sizeof name, "rate/%s", network_groups[b]);
            cr_assert_eq(log_at(&steps, i, name), RATE);
        }
        cr_assert_float_eq(sqrt(squares), norms[i], 1e-9 * norms[i]);
        cr_assert(isnan(log_at(&steps, i, "gradient_norm/conv1")) && isnan(log_at(&steps, i, "update_norm/conv1")));
    }
    double loss = 0;
    for (size_t i = 0; i < STEPS; i++)
        loss += log_at(&steps, i, "training/loss") * (i + 1 < STEPS ? BATCH : SAMPLES % BATCH);
    cr_assert_float_eq(log_at(&epochs, 0, "epoch/training_loss"), loss / SAMPLES, 1e-6);
    cr_assert(isnan(log_at(&epochs, 0, "test/loss")) && isnan(log_at(&epochs, 0, "epoch/test_seconds")));
    cr_assert_gt(log_at(&epochs, 0, "epoch/wall_seconds"), log_at(&epochs, 0, "epoch/seconds"));
    cr_assert_eq(log_count_events(f.directory), log_count_values(&steps) + log_count_values(&epochs));
    close_fixture(&f);
}

Test(run_log, the_run_is_the_same_without_it)
{
    float *weights[2];
    size_t count;
    for (int logged = 0; logged < 2; logged++) {
        fixture f = open_fixture();
        thaw_run_log *log = NULL;
        if (logged)
            assert_ok(f.context, thaw_run_log_open(f.model, f.trainer, f.directory, 2, false, &log));
        while (!thaw_trainer_done(f.trainer))
            assert_ok(f.context, logged ? thaw_run_log_step(log, f.trainer, NULL) : thaw_trainer_step(f.trainer, NULL));
        thaw_run_log_close(log);
        weights[logged] = support_weights(f.model, &count);
        close_fixture(&f);
    }
    cr_assert_arr_eq(weights[0], weights[1], count * sizeof(float));
    free(weights[0]);
    free(weights[1]);
}

static void append_to(const fixture *f, const char *name, const char *text)
{
    char path[SUPPORT_PATH_BYTES];
    FILE *file = fopen(support_path(path, f->directory, name), "ab");
    cr_assert(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

Test(run_log, a_resumed_run_cuts_what_it_does_again)
{
    fixture f = open_fixture();
    thaw_run_log *log;
    assert_ok(f.context, thaw_run_log_open(f.model, f.trainer, f.directory, 1, false, &log));
    for (int i = 0; i < 8; i++)
        assert_ok(f.context, thaw_run_log_step(log, f.trainer, NULL));
    thaw_run_log_close(log);
    /* A killed process leaves half a line, and half a record. */
    append_to(&f, "steps.csv", "9,2,1.25,0.3");
    append_to(&f, "events.out.tfevents.0000000000.thaw", "\x30");

    /* The same run, resumed after step 6. */
    fixture again = open_fixture();
    for (int i = 0; i < 6; i++)
        assert_ok(again.context, thaw_trainer_step(again.trainer, NULL));
    assert_ok(again.context, thaw_run_log_open(again.model, again.trainer, f.directory, 1, true, &log));
    log_table steps = log_read_table(f.directory, "steps.csv");
    const log_table epochs = log_read_table(f.directory, "epochs.csv");
    cr_assert_eq(steps.rows, 6);
    cr_assert_eq(epochs.rows, 1);
    cr_assert_eq(log_count_events(f.directory), log_count_values(&steps) + log_count_values(&epochs));
    while (!thaw_trainer_done(again.trainer))
        assert_ok(again.context, thaw_run_log_step(log, again.trainer, NULL));
    thaw_run_log_close(log);
    steps = log_read_table(f.directory, "steps.csv");
    cr_assert_eq(steps.rows, EPOCHS * STEPS);
    for (size_t i = 0; i < steps.rows; i++) {
        cr_assert_eq(log_at(&steps, i, "step"), (double)i + 1);
        cr_assert(i == 0 || log_at(&steps, i, "seconds") > log_at(&steps, i - 1, "seconds"), "row %zu", i);
    }
    close_fixture(&again);
    close_fixture(&f);
}

Test(run_log, a_log_of_something_else_is_refused_and_kept)
{
    fixture f = open_fixture();
    thaw_run_log *log;
    assert_ok(f.context, thaw_run_log_open(f.model, f.trainer, f.directory, 1, false, &log));
    assert_ok(f.context, thaw_run_log_step(log, f.trainer, NULL));
    thaw_run_log_close(log);
    const size_t rows = log_read_table(f.directory, "steps.csv").rows;
    cr_assert_eq(thaw_run_log_open(f.model, f.trainer, f.directory, 1, false, &log), THAW_INVALID_ARGUMENT);
    cr_assert_null(log);
    cr_assert(strstr(thaw_context_message(f.context), "another run"));
    cr_assert_eq(log_read_table(f.directory, "steps.csv").rows, rows);
    char path[SUPPORT_PATH_BYTES];
    static const char other[] = "step,epoch,seconds,\"training/loss\"\r\n1,1,2,3\r\n";
    support_write_file(support_path(path, f.directory, "steps.csv"), other, sizeof other - 1);
    cr_assert_eq(thaw_run_log_open(f.model, f.trainer, f.directory, 1, true, &log), THAW_INVALID_ARGUMENT);
    cr_assert(strstr(thaw_context_message(f.context), "another model"));
    char kept[sizeof other];
    cr_assert_eq(support_read_file(path, kept, sizeof kept), (long)sizeof other - 1);
    cr_assert_arr_eq(kept, other, sizeof other - 1);
    close_fixture(&f);
}

static void count_warnings(void *user, thaw_log_level level, const char *message)
{
    cr_assert_eq(level, THAW_LOG_WARNING, "%s", message);
    cr_assert(strstr(message, "nothing more is logged"), "%s", message);
    ++*(int *)user;
}

Test(run_log, a_full_disk_costs_the_log_alone)
{
    fixture f = open_fixture();
    thaw_context *context;
    int warnings = 0;
    const thaw_context_options options = { .threads = 1, .log = count_warnings, .log_user = &warnings };
    assert_ok(f.context, thaw_context_create(&options, &context));
    thaw_model *model = support_network(context, false);
    support_optimize(model, "adam");
    thaw_dataset *data = support_samples(context, SAMPLES, 7);
    thaw_trainer *trainer;
    thaw_run_log *log;
    assert_ok(context, thaw_trainer_create(model, data, NULL, &trainer));
    assert_ok(context, thaw_run_log_open(model, trainer, f.directory, 1, false, &log));
    const long header = log_read(f.directory, "steps.csv", (char[LOG_MOST_BYTES]){ 0 });
    const struct rlimit limit = { (rlim_t)header + 20, RLIM_INFINITY };
    struct rlimit before;
    getrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    while (!thaw_trainer_done(trainer))
        assert_ok(context, thaw_run_log_step(log, trainer, NULL));
    setrlimit(RLIMIT_FSIZE, &before);
    cr_assert_eq(warnings, 1);
    thaw_run_log_close(log);
    thaw_trainer_destroy(trainer);
    thaw_dataset_destroy(data);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    close_fixture(&f);
}
