/* thaw bench, on a small data set. Tabs separate the words of a list here, blanks those of the command line. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/fixture.h"
#include "core/threads.h"
#include "support/results.h"
#include "support/schema.h"
#include "support/support.h"

#define BENCH "bench --model transfer-cnn --data $b --batch 16 --threads 1 --report $d "

static char results[2 * SUPPORT_PATH_BYTES];

static void begin(void)
{
    cli_begin();
    snprintf(results, sizeof results, "%s/results.json", cli_variables[3]);
}

static void end(void)
{
    if (access(cli_variables[3], F_OK) == 0)
        support_remove_tree(cli_variables[3]);
    cli_end();
}

static json_t *load(void)
{
    json_error_t error;
    char message[600] = "";
    json_t *file = json_load_file(results, 0, &error);
    cr_assert_not_null(file, "%s", error.text);
    json_t *schema = support_project_json("bench/results.schema.json");
    cr_assert(support_schema_holds(schema, file, message, sizeof message), "%s", message);
    json_decref(schema);
    return file;
}

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    cr_assert_not_null(text, "%s", key);
    return text;
}

Test(bench, compares_strategies_from_loaded_weights, .init = begin, .fini = end)
{
    cli_pretrain();
    cli_succeed(BENCH "--load $c --reset dense* --strategies full\thead\tlora:rank=2 --optimizers "
                      "adam:lr=1e-3\tsgd:lr=1e30 --seeds 2 --epochs 2");
    cr_assert_not_null(strstr(cli_run.output, "lora:rank=2"));
    cr_assert_not_null(strstr(cli_run.output, "2 of 2 diverged"), "%s", cli_run.output);
    json_t *file = load();
    cr_assert(json_is_true(json_object_get(file, "complete")));
    cr_assert_eq(json_array_size(json_object_get(file, "runs")), 12);
    cr_assert_eq(json_array_size(json_object_get(file, "configurations")), 6);
    const json_t *experiment = json_object_get(file, "experiment");
    cr_assert_str_eq(text_at(experiment, "head"), "dense*");
    cr_assert_str_eq(text_at(experiment, "reset"), "dense*");
    cr_assert_str_eq(text_at(experiment, "model"), "transfer-cnn");
    const char *command = text_at(file, "command");
    cr_assert_not_null(strstr(command, "thaw bench --model transfer-cnn --data 'idx:"), "%s", command);
    cr_assert_not_null(strstr(command, " --strategies 'full\thead\tlora:rank=2' "), "%s", command);
    /* The head is what was reset: both dense layers. */
    const json_t *head = json_array_get(json_object_get(file, "configurations"), 1);
    cr_assert_str_eq(text_at(head, "strategy"), "head");
    cr_assert_eq(support_json_number(head, "parameters_trained"), DENSE1 + DENSE2);
    json_decref(file);
    /* A run that diverged at once has no epoch to tell of. */
    static const char *const others[] = { "results.csv", "index.html",
                                          "events/lora:rank=2/adam:lr=1e-3/lr=0.001/seed=1" };
    for (size_t i = 0; i < THAW_COUNT(others); i++) {
        char path[2 * SUPPORT_PATH_BYTES];
        struct stat found;
        snprintf(path, sizeof path, "%s/%s", cli_variables[3], others[i]);
        cr_assert(stat(path, &found) == 0 && found.st_size > 0, "%s", path);
    }
}

Test(bench, computes_in_bfloat16_when_told_to, .init = begin, .fini = end)
{
    support_command(&cli_run, cli_directory, BENCH "--strategies head --seeds 1 --frozen-precision bf16-emulated",
                    cli_variables);
    if (strstr(cli_run.errors, "AVX-512"))
        return; /* not on this processor */
    cr_assert_eq(cli_run.code, 0, "%s", cli_run.errors);
    json_t *file = load();
    const json_t *experiment = json_object_get(file, "experiment");
    cr_assert_str_eq(text_at(experiment, "frozen_precision"), "bf16-emulated");
    cr_assert_null(json_object_get(experiment, "precision"));
    json_decref(file);
    support_command(&cli_run, cli_directory, BENCH "--strategies head --seeds 1 --resume", cli_variables);
    cr_assert_eq(cli_run.code, 1);
    cr_assert_not_null(strstr(cli_run.errors, "its \"experiment\" differ"), "%s", cli_run.errors);
}

Test(bench, runs_two_at_a_time, .init = begin, .fini = end)
{
    support_command(&cli_run, cli_directory, BENCH "--strategies full\thead --seeds 2 --jobs 2", cli_variables);
    if (thaw_threads_available() < 2) {
        cr_assert_not_null(strstr(cli_run.errors, "--jobs: 2 runs at a time, must be at most 1"), "%s", cli_run.errors);
        return;
    }
    cr_assert_eq(cli_run.code, 0, "%s", cli_run.errors);
    json_t *file = load();
    cr_assert(json_is_true(json_object_get(file, "complete")));
    cr_assert_eq(json_integer_value(json_object_get(json_object_get(file, "machine"), "threads")), 1);
    cr_assert_eq(json_integer_value(json_object_get(json_array_get(json_object_get(file, "runs"), 3), "jobs")), 2);
    json_decref(file);
}

Test(bench, prints_lines_of_json, .init = begin, .fini = end)
{
    cli_succeed(BENCH "--strategies scratch --seeds 1 --json");
    json_t *line = support_json_line(&cli_run, 0);
    cli_assert_event(line, "configuration");
    cr_assert_str_eq(text_at(line, "strategy"), "scratch");
    cr_assert_eq(support_json_number(line, "rank"), 1);
    json_decref(line);
}

static void wait_for(const char *path)
{
    for (int i = 0; i < 6000 && access(path, F_OK) != 0; i++)
        nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
}

Test(bench, an_interrupted_one_keeps_what_is_done_and_goes_on, .init = begin, .fini = end)
{
#define RUN BENCH "--strategies full\thead --seeds 2 --epochs 30"
    const pid_t process = support_command_start(cli_directory, RUN, cli_variables, -1);
    wait_for(results);
    kill(process, SIGINT);
    support_command_finish(&cli_run, cli_directory, process);
    cr_assert_eq(cli_run.code, 130, "exit code %d: %s", cli_run.code, cli_run.errors);
    cr_assert_not_null(strstr(cli_run.output, "the same command and --resume"), "%s", cli_run.output);
    json_t *stopped = load();
    cr_assert(json_is_false(json_object_get(stopped, "complete")));
    cr_assert_geq(json_array_size(json_object_get(stopped, "runs")), 1);
    cli_succeed(RUN " --resume");
    json_t *resumed = load();
    cr_assert(json_is_true(json_object_get(resumed, "complete")));
    cr_assert(json_equal(json_array_get(json_object_get(stopped, "runs"), 0),
                         json_array_get(json_object_get(resumed, "runs"), 0)));
    json_decref(stopped);
    json_decref(resumed);
}

static bool has(const json_t *runs, const json_t *run)
{
    for (size_t i = 0; i < json_array_size(runs); i++)
        if (json_equal(json_array_get(runs, i), run))
            return true;
    return false;
}

/* The runs in the file and in its journal, which may both be missing. A line of the journal is a checksum and JSON;
   while the command rewrites the journal, a line may be read that is neither the old nor the new one. */
static json_t *kept_runs(void)
{
    enum { CHECKSUM = 9 };
    char path[2 * SUPPORT_PATH_BYTES + 8], line[1 << 16];
    json_t *file = json_load_file(results, 0, NULL), *runs = json_array();
    json_array_extend(runs, json_object_get(file, "runs"));
    json_decref(file);
    snprintf(path, sizeof path, "%s.journal", results);
    FILE *journal = fopen(path, "r");
    for (bool head = true; journal && fgets(line, sizeof line, journal); head = false) {
        json_t *run = head || strlen(line) <= CHECKSUM ? NULL : json_loads(line + CHECKSUM, 0, NULL);
        if (run && !has(runs, run))
            json_array_append(runs, run);
        json_decref(run);
    }
    if (journal)
        fclose(journal);
    return runs;
}

static size_t count_runs(void)
{
    json_t *runs = kept_runs();
    const size_t count = json_array_size(runs);
    json_decref(runs);
    return count;
}

static void kill_after(const char *line, size_t runs)
{
    const pid_t process = support_command_start(cli_directory, line, cli_variables, -1);
    for (int i = 0; i < 60000 && count_runs() < runs; i++)
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    kill(process, SIGKILL);
    support_command_finish(&cli_run, cli_directory, process);
    cr_assert_eq(cli_run.code, 128 + SIGKILL, "exit code %d: %s", cli_run.code, cli_run.errors);
}

Test(bench, killed_after_any_run_it_goes_on_to_the_same_results, .init = begin, .fini = end)
{
    enum { RUNS = 4 };
#define FEW BENCH "--strategies full\tlp-ft --seeds 2 --epochs 12"
    cli_succeed(FEW);
    json_t *whole = load();
    support_forget_times(whole);
    json_object_del(whole, "command");
    for (size_t runs = 1; runs < RUNS; runs++) {
        support_remove_tree(cli_variables[3]);
        kill_after(FEW, runs);
        json_t *killed = kept_runs();
        cli_succeed(FEW " --resume");
        json_t *resumed = load();
        for (size_t i = 0; i < json_array_size(killed); i++)
            cr_assert(has(json_object_get(resumed, "runs"), json_array_get(killed, i)), "run %zu was run again", i);
        support_forget_times(resumed);
        json_object_del(resumed, "command");
        cr_assert(json_equal(whole, resumed), "killed after run %zu", runs);
        json_decref(killed);
        json_decref(resumed);
    }
    json_decref(whole);
}

Test(bench, stops_what_is_beaten_in_a_race, .init = begin, .fini = end)
{
    cli_succeed(BENCH "--strategies full\thead --optimizers adam:lr=1e-3\tsgd:lr=1e30 --seeds 2 --epochs 4 --race");
    cr_assert_not_null(strstr(cli_run.output, "The race stopped "), "%s", cli_run.output);
    json_t *file = load();
    cr_assert(json_is_true(json_object_get(file, "complete")));
    const json_t *lost = json_array_get(json_object_get(file, "configurations"), 2);
    cr_assert_str_eq(text_at(json_object_get(lost, "stopped"), "reason"), "diverged");
    json_decref(file);
}

Test(bench, tunes_before_it_compares, .init = begin, .fini = end)
{
    cli_succeed(BENCH "--strategies full\thead --optimizers adam\tsgd:momentum=0.9 --seeds 1 --trials 2");
    cr_assert_not_null(strstr(cli_run.output, "chosen settings"), "%s", cli_run.output);
    cr_assert_not_null(strstr(cli_run.output, "\ntuning cost "), "%s", cli_run.output);
    json_t *file = load();
    cr_assert(json_is_true(json_object_get(file, "complete")));
    cr_assert_eq(json_array_size(json_object_get(file, "trials")), 8);
    json_decref(file);
    support_remove_tree(cli_variables[3]);
    cli_succeed(BENCH "--strategies head --seeds 1 --trials 2 --validation 0.5 --json");
    json_t *line = support_json_line(&cli_run, 0), *cost = support_json_line(&cli_run, 1);
    cr_assert_eq(strncmp(text_at(line, "settings"), "lr=", 3), 0);
    cr_assert_str_eq(text_at(cost, "event"), "tuning");
    cr_assert_eq(json_integer_value(json_object_get(cost, "epochs")), 2);
    json_decref(line);
    json_decref(cost);
}

/* One goal is met at once, and the other never. */
Test(bench, ranks_by_the_time_to_a_target, .init = begin, .fini = end)
{
    cli_succeed(BENCH "--strategies full\thead --seeds 2 --epochs 2 --target-loss 1000");
    cr_assert_not_null(strstr(cli_run.output, "2 of 2"), "%s", cli_run.output);
    json_t *file = load();
    const json_t *one = json_array_get(json_object_get(file, "configurations"), 0);
    const json_t *target = json_object_get(one, "to_target");
    cr_assert_eq(json_integer_value(json_object_get(target, "reached")), 2);
    cr_assert_eq(json_integer_value(json_object_get(target, "rank_by_steps")), 1);
    json_decref(file);
    support_remove_tree(cli_variables[3]);
    cli_succeed(BENCH "--strategies full\thead --seeds 2 --epochs 2 --target-loss 1e-9 --json");
    json_t *line = support_json_line(&cli_run, 0);
    cr_assert_eq(json_integer_value(json_object_get(line, "target_reached")), 0);
    cr_assert(json_is_null(json_object_get(line, "seconds_to_target")));
    cr_assert(json_is_null(json_object_get(line, "rank_by_seconds")));
    json_decref(line);
}

Test(report, is_made_of_results_that_are_there, .init = begin, .fini = end)
{
    cli_succeed(BENCH "--strategies head --seeds 1");
    char page[2 * SUPPORT_PATH_BYTES], line[3 * SUPPORT_PATH_BYTES];
    struct stat before, after;
    snprintf(page, sizeof page, "%s/index.html", cli_variables[3]);
    snprintf(line, sizeof line, "\nsaved %s\n", page);
    cr_assert_not_null(strstr(cli_run.output, line), "%s", cli_run.output);
    cr_assert_eq(stat(page, &before), 0);
    cr_assert_eq(unlink(page), 0);
    snprintf(line, sizeof line, "report --input %s --report $d", results);
    cli_succeed(line);
    snprintf(line, sizeof line, "saved %s\n", page);
    cr_assert_str_eq(cli_run.output, line);
    cr_assert_eq(stat(page, &after), 0);
    cr_assert_eq(before.st_size, after.st_size);
    support_command(&cli_run, cli_directory, "report --report $d", cli_variables);
    cr_assert_eq(cli_run.code, 2);
    cr_assert_not_null(strstr(cli_run.errors, "thaw: --input: is missing"), "%s", cli_run.errors);
    support_command(&cli_run, cli_directory, "report --input $c --report $d", cli_variables);
    cr_assert_eq(cli_run.code, 1);
}

static const struct {
    const char *line;
    int code;
    const char *message;
} wrong[] = {
    { "bench", 2, "thaw: --model: is missing" },
    { BENCH "--strategies gradul", 2, "--strategies: unknown strategy \"gradul\", did you mean \"gradual\"?" },
    { BENCH "--strategies \t", 2, "--strategies: \"\\x09\", must have at least one name" },
    { BENCH "--optimizers rmsprob", 2, "--optimizers: unknown optimizer \"rmsprob\", did you mean \"rmsprop\"?" },
    { BENCH "--optimizers ./absent.so", 1, "--optimizers: " },
    { BENCH "--strategies norm-only", 2, "bench: strategy norm-only, epoch 1: \"@norm\" matches nothing" },
    { BENCH "--strategies last9", 2, "\"@top:9\": the model has 4 blocks" },
    { BENCH "--head tail", 2, "tail" },
    { BENCH "--reset tail", 2, "--reset: " },
    { BENCH "--strategy-file $c", 1, "--strategy-file: " },
    { BENCH "--threads 1000", 2, "--threads: 1000 threads, must be at most " },
    { BENCH "--jobs 1000", 2, "--jobs: 1000 runs at a time, must be at most " },
    { "bench --model transfer-cnn --data $b --report $d --jobs 1000", 2,
      "--jobs: 1000 runs at a time, must be at most " },
    { BENCH "--jobs 0", 2, "--jobs: \"0\", must be a whole number" },
    { BENCH "--precision bf17", 2, "--precision: \"bf17\", must be f32, bf16 or bf16-emulated" },
    { BENCH "--target-accuracy 1.5", 2, "--target-accuracy: \"1.5\", must be a number above 0 and at most 1" },
    { BENCH "--race --seeds 1", 2, "--race: 1 seed, must be at least 2" },
    { BENCH "--race --target-loss 1", 2, "--race: a race is by accuracy, so there must be no target" },
    { BENCH "--search $c", 2, "--search: is the space of --trials, which is not given" },
    { BENCH "--validation 0.1", 2, "--validation: is for --trials, which is not given" },
    { BENCH "--trials 2 --lr-sweep 3", 2, "--trials: searches the learning rates, so --lr-sweep must not be given" },
    { BENCH "--trials 0", 2, "--trials: \"0\", must be a whole number" },
    { BENCH "--trials 2 --validation 1", 2, "--validation: \"1\", must be a number above 0 and below 1" },
    { BENCH "--trials 2 --search $c", 1, "--search: " },
    { BENCH "--trials 2 --search /absent", 1, "--search: /absent: cannot open" },
    { BENCH "--target-loss 0", 2, "--target-loss: \"0\", must be a finite number above 0" },
    { BENCH "--target-loss 1 --target-accuracy 0.5", 2,
      "--target-loss: there must be one target, and --target-accuracy is given, too" },
    { "bench --model transfer-cnn --data $a --report /proc/absent", 1, "--report: /proc/absent: cannot be created" },
    { "bench --model transfer-cnn --data $e --report $d", 2, "has no test data" },
};

Test(bench, says_what_is_wrong_before_anything_is_run, .init = begin, .fini = end)
{
    for (size_t i = 0; i < THAW_COUNT(wrong); i++) {
        support_command(&cli_run, cli_directory, wrong[i].line, cli_variables);
        cr_assert_eq(cli_run.code, wrong[i].code, "%s: %d: %s", wrong[i].line, cli_run.code, cli_run.errors);
        cr_assert_not_null(strstr(cli_run.errors, wrong[i].message), "%s: %s", wrong[i].line, cli_run.errors);
        cr_assert_neq(access(results, F_OK), 0);
    }
}

Test(bench, does_not_overwrite, .init = begin, .fini = end)
{
    mkdir(cli_variables[3], 0777);
    support_write_file(results, "{\"schema\": \"other\"}", 19);
    support_command(&cli_run, cli_directory, BENCH, cli_variables);
    cr_assert_eq(cli_run.code, 1);
    cr_assert_not_null(strstr(cli_run.errors, "thaw: --report: "), "%s", cli_run.errors);
    support_command(&cli_run, cli_directory, BENCH "--resume", cli_variables);
    cr_assert_eq(cli_run.code, 1);
    cr_assert_not_null(strstr(cli_run.errors, "is not of the schema thaw-bench-2"), "%s", cli_run.errors);
}
