/* What strategies do to a network of five blocks: conv1, conv2, dense1, dense2, dense3. */
#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "policy/strategy.h"
#include "support/allocator.h"
#include "support/files.h"
#include "support/hostile.h"
#include "support/network.h"

typedef struct fixture {
    thaw_context *context;
    thaw_model *model;
    thaw_strategy *strategy;
} fixture;

static fixture open_fixture(const char *name, const char *path)
{
    fixture made = { .context = support_context(1) };
    made.model = support_network(made.context, false);
    support_optimize(made.model, "sgd:lr=1");
    assert_ok(made.context, thaw_strategy_create(made.context, name, path, &made.strategy));
    cr_assert_str_eq(made.strategy->name, name);
    return made;
}

static void close_fixture(fixture *made)
{
    thaw_strategy_destroy(made->context, made->strategy);
    thaw_model_destroy(made->model);
    thaw_context_destroy(made->context);
}

/* What trains, a letter a group: T trainable, P partial, - frozen. */
static void assert_trains(const fixture *f, const char *head, int epoch, int epochs, const char *expected)
{
    char found[NETWORK_GROUPS + 1] = { 0 };
    assert_ok(f->context, thaw_strategy_apply(f->strategy, f->model, head, epoch, epochs));
    for (int i = 0; i < NETWORK_GROUPS; i++) {
        thaw_trainability trains;
        assert_ok(f->context, thaw_model_trainability(f->model, network_groups[i], &trains));
        found[i] = "-PT"[trains];
    }
    cr_assert_str_eq(found, expected, "%s, epoch %d: %s, wanted %s", f->strategy->name, epoch, found, expected);
}

static const struct {
    const char *name, *head;
    int epochs;
    const char *trains[5];
} cases[] = {
    { "full", NULL, 2, { "TTTTT", "TTTTT" } },
    { "head", NULL, 2, { "----T", "----T" } },
    { "head", "dense*", 1, { "--TTT" } },
    { "head", "dense2", 1, { "---TT" } },
    { "last1", NULL, 1, { "----T" } },
    { "last3", NULL, 1, { "--TTT" } },
    { "last2", "dense2*", 1, { "--TTT" } },
    { "gradual", NULL, 5, { "----T", "---TT", "--TTT", "-TTTT", "TTTTT" } },
    { "gradual", "dense*", 4, { "--TTT", "-TTTT", "TTTTT", "TTTTT" } },
    { "discriminative", NULL, 1, { "TTTTT" } },
    { "bias-only", NULL, 1, { "PPPPT" } },
    { "lora", NULL, 1, { "PPPPT" } },
    { "lora:rank=2", "dense*", 1, { "PPTTT" } },
    { "lp-ft", NULL, 4, { "----T", "----T", "TTTTT", "TTTTT" } },
    { "lp-ft", NULL, 3, { "----T", "----T", "TTTTT" } },
    { "surgical", NULL, 1, { "T---T" } },
    { "top-down", NULL, 5, { "TTTTT", "-TTTT", "--TTT", "---TT", "----T" } },
    { "scratch", NULL, 1, { "TTTTT" } },
};

Test(strategies, train_what_they_say)
{
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        /* The first convolution is [3, 18]: no rank of 8. */
        const bool too_wide = strcmp(cases[i].name, "lora") == 0;
        fixture f = open_fixture(cases[i].name, NULL);
        for (int epoch = 1; epoch <= cases[i].epochs && !too_wide; epoch++)
            assert_trains(&f, cases[i].head, epoch, cases[i].epochs, cases[i].trains[epoch - 1]);
        if (too_wide)
            assert_fails(f.context, thaw_strategy_apply(f.strategy, f.model, NULL, 1, 1), THAW_INVALID_ARGUMENT,
                         "strategy lora, epoch 1: rank is 8");
        close_fixture(&f);
    }
}

/* The normalisation of a network of dozens of layers has more names than one pattern takes. */
Test(strategies, reach_all_layers_of_a_deep_network)
{
    thaw_context *context = support_context(1);
    thaw_model *model = NULL;
    thaw_strategy *strategy = NULL;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_zoo_build(model, "mobilenet-v2:size=32", 3));
    support_optimize(model, "sgd:lr=1");
    assert_ok(context, thaw_strategy_create(context, "norm-only", NULL, &strategy));
    assert_ok(context, thaw_strategy_apply(strategy, model, NULL, 1, 1));
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++) {
        const thaw_parameter *parameter = thaw_model_parameter(model, i);
        const thaw_role role = thaw_parameter_role(parameter);
        const bool wanted = role == THAW_SCALE || role == THAW_SHIFT ||
                            strncmp(thaw_parameter_name(parameter), "classifier.1.", 13) == 0;
        cr_assert_eq(thaw_parameter_trainable(parameter), wanted, "%s", thaw_parameter_name(parameter));
    }
    thaw_strategy_destroy(context, strategy);
    assert_ok(context, thaw_strategy_create(context, "lora:rank=2", NULL, &strategy));
    assert_ok(context, thaw_strategy_apply(strategy, model, NULL, 1, 1));
    cr_assert_not_null(thaw_model_find_parameter(model, "features.18.0.weight.lora_A"));
    thaw_strategy_destroy(context, strategy);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(strategies, rates_decay_by_block)
{
    fixture f = open_fixture("discriminative", NULL);
    assert_ok(f.context, thaw_strategy_apply(f.strategy, f.model, NULL, 1, 1));
    for (int i = 0; i < NETWORK_GROUPS; i++) {
        const double rate = thaw_group_learning_rate(thaw_model_find_group(f.model, network_groups[i]));
        const double expected = pow(2.6, i + 1 - NETWORK_GROUPS);
        cr_assert(fabs(rate - expected) < 1e-15, "%s: %g, wanted %g", network_groups[i], rate, expected);
    }
    close_fixture(&f);
}

Test(strategies, scratch_begins_with_initial_values)
{
    fixture f = open_fixture("scratch", NULL), reset = open_fixture("full", NULL);
    assert_ok(reset.context, thaw_model_reset(reset.model, "*"));
    thaw_parameter *weight = thaw_model_find_parameter(f.model, "conv1.weight");
    thaw_parameter_edit(weight)[0] = 7;
    assert_ok(f.context, thaw_strategy_apply(f.strategy, f.model, NULL, 1, 1));
    cr_assert(thaw_parameter_data(weight)[0] ==
              thaw_parameter_data(thaw_model_find_parameter(reset.model, "conv1.weight"))[0]);
    close_fixture(&reset);
    close_fixture(&f);
}

Test(strategies, without_what_they_want_are_refused)
{
    fixture f = open_fixture("norm-only", NULL);
    assert_fails(f.context, thaw_strategy_apply(f.strategy, f.model, NULL, 1, 1), THAW_NOT_FOUND,
                 "strategy norm-only, epoch 1: \"@norm\" matches nothing in this model");
    close_fixture(&f);
    f = open_fixture("last6", NULL);
    assert_fails(f.context, thaw_strategy_apply(f.strategy, f.model, NULL, 1, 1), THAW_NOT_FOUND,
                 "\"@top:6\": the model has 5 blocks");
    assert_fails(f.context, thaw_strategy_apply(f.strategy, f.model, "tail*", 1, 1), THAW_NOT_FOUND, "tail*");
    close_fixture(&f);
}

Test(strategies, unknown_names_are_met_with_the_nearest)
{
    thaw_context *context = support_context(1);
    thaw_strategy *strategy;
    static const struct {
        const char *name;
        thaw_status status;
        const char *message;
    } wrong[] = {
        { "gradul", THAW_NOT_FOUND, "unknown strategy \"gradul\", did you mean \"gradual\"?" },
        { "last", THAW_NOT_FOUND, "did you mean \"last2\"?" },
        { "last0", THAW_NOT_FOUND, "known: full, head, last2" },
        { "fuller", THAW_NOT_FOUND, "did you mean \"full\"?" },
        { "lora:rank=x", THAW_INVALID_ARGUMENT, "must end in a whole number from 1" },
        { "lora:rank=0", THAW_INVALID_ARGUMENT, "must end in a whole number from 1" },
    };
    for (size_t i = 0; i < THAW_COUNT(wrong); i++) {
        assert_fails(context, thaw_strategy_create(context, wrong[i].name, NULL, &strategy), wrong[i].status,
                     wrong[i].message);
        cr_assert_null(strategy);
    }
    thaw_context_destroy(context);
}

Test(strategies, every_listed_one_can_be_made)
{
    thaw_context *context = support_context(1);
    size_t count = 0;
    for (const char *name; (name = thaw_strategy_builtin(count)); count++) {
        thaw_strategy *strategy;
        assert_ok(context, thaw_strategy_create(context, name, NULL, &strategy));
        cr_assert(*strategy->description);
        thaw_strategy_destroy(context, strategy);
    }
    cr_assert_eq(count, 12);
    thaw_context_destroy(context);
}

static thaw_status make_and_apply(thaw_context *context, thaw_model *model)
{
    thaw_strategy *strategy;
    thaw_status status = thaw_strategy_create(context, "gradual", NULL, &strategy);
    for (int epoch = 1; status == THAW_OK && epoch <= 5; epoch++)
        status = thaw_strategy_apply(strategy, model, NULL, epoch, 5);
    thaw_strategy_destroy(context, strategy);
    return status;
}

Test(strategies, leave_nothing_when_memory_runs_out)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    thaw_model *model = support_network(context, false);
    const size_t live = allocator.live;
    size_t failures = 0;
    thaw_status status = THAW_OUT_OF_MEMORY;
    while (status == THAW_OUT_OF_MEMORY) {
        allocator.fail_at = allocator.calls + ++failures;
        status = make_and_apply(context, model);
        cr_assert_eq(allocator.live, live, "after failure %zu", failures);
    }
    cr_assert_eq(status, THAW_OK);
    cr_assert_gt(failures, 10);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    cr_assert_eq(allocator.live, 0);
}

/* ---------------------------------------------------------------- files */

static char directory[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES];

static void begin(void)
{
    support_make_directory(directory);
    support_path(path, directory, "strategies.json");
}

static void end(void)
{
    support_remove_directory(directory);
}

Test(strategy_file, gives_strategies_of_ones_own, .init = begin, .fini = end)
{
    static const char text[] = "{\"strategies\": [{\"name\": \"mine\", \"description\": \"d\", \"rules\": ["
                               "{\"epoch\": 1, \"pattern\": \"conv*\", \"action\": \"freeze\"},"
                               "{\"epoch\": 1, \"pattern\": \"dense[12]\", \"action\": \"rate\", \"value\": 0.25},"
                               "{\"share\": 0.5, \"pattern\": \"conv2\", \"action\": \"unfreeze\"},"
                               "{\"every\": true, \"pattern\": \"@head\", \"action\": \"unfreeze\"}]},"
                               "{\"name\": \"head\", \"rules\": []}]}";
    support_write_file(path, text, sizeof text - 1);
    fixture f = open_fixture("mine", path);
    assert_trains(&f, NULL, 1, 2, "--TTT");
    cr_assert(thaw_group_learning_rate(thaw_model_find_group(f.model, "dense1")) == 0.25);
    cr_assert(thaw_group_learning_rate(thaw_model_find_group(f.model, "dense3")) == 1);
    assert_trains(&f, NULL, 2, 2, "-TTTT");
    close_fixture(&f);
    f = open_fixture("head", path); /* the file's, not the built-in one */
    assert_trains(&f, NULL, 1, 1, "TTTTT");
    close_fixture(&f);
    f = open_fixture("full", path);
    close_fixture(&f);
}

Test(strategy_file, needs_no_name_where_it_has_one_strategy, .init = begin, .fini = end)
{
    static const char one[] = "{\"strategies\": [{\"name\": \"mine\", \"rules\": []}]}";
    static const char two[] = "{\"strategies\": [{\"name\": \"a\", \"rules\": []}, {\"name\": \"b\", \"rules\": []}]}";
    thaw_context *context = support_context(1);
    thaw_strategy *strategy;
    support_write_file(path, one, sizeof one - 1);
    assert_ok(context, thaw_strategy_create(context, NULL, path, &strategy));
    cr_assert_str_eq(strategy->name, "mine");
    thaw_strategy_destroy(context, strategy);
    support_write_file(path, two, sizeof two - 1);
    assert_fails(context, thaw_strategy_create(context, NULL, path, &strategy), THAW_INVALID_ARGUMENT,
                 "strategies.json: has 2 strategies, choose one by name: a, b");
    cr_assert_null(strategy);
    assert_fails(context, thaw_strategy_create(context, NULL, NULL, &strategy), THAW_INVALID_ARGUMENT, "no file");
    thaw_context_destroy(context);
}

#define RULE(text) "{\"strategies\": [{\"name\": \"x\", \"rules\": [" text "]}]}"

Test(strategy_file, is_checked_as_a_whole, .init = begin, .fini = end)
{
    static const struct {
        const char *text, *message;
    } wrong[] = {
        { "{", "strategies.json: " },
        { "[]", "must be an object with a list of \"strategies\"" },
        { "{\"strategies\": [{\"rules\": []}]}", "a strategy must have a \"name\"" },
        { RULE("7"), "strategy \"x\", rule 1: must be an object" },
        { RULE("{}"), "rule 1: must have one of epoch, share and every" },
        { RULE("{\"epoch\": 0, \"pattern\": \"*\", \"action\": \"freeze\"}"), "epoch must be a whole number from 1" },
        { RULE("{\"share\": 1.5, \"pattern\": \"*\", \"action\": \"freeze\"}"),
          "share must be at least 0 and below 1" },
        { RULE("{\"epoch\": 1, \"pattern\": \"[\", \"action\": \"freeze\"}"), "rule 1: " },
        { RULE("{\"epoch\": 1, \"pattern\": \"@heed\", \"action\": \"freeze\"}"), "no such part" },
        { RULE("{\"epoch\": 1, \"pattern\": \"@top:0\", \"action\": \"freeze\"}"), "must have a number of blocks" },
        { RULE("{\"epoch\": 1, \"pattern\": \"*\", \"action\": \"melt\"}"), "unknown action \"melt\"" },
        { RULE("{\"epoch\": 1, \"pattern\": \"*\", \"action\": \"freeze\", \"value\": 1}"),
          "missing for other actions" },
        { RULE("{\"epoch\": 1, \"pattern\": \"*\", \"action\": \"rate\"}"), "value is missing" },
        { RULE("{\"epoch\": 1, \"pattern\": \"*\", \"action\": \"lora\", \"value\": 1.5}"), "whole number" },
        { RULE("{\"share\": 0, \"pattern\": \"*\", \"action\": \"freeze\"}"), "share must be a number above 0" },
        { RULE("{\"epoch\": 1, \"action\": \"freeze\"}"), "pattern is missing" },
        { RULE("{\"epoch\": 1, \"pattern\": \"*\", \"action\": \"unfreze\"}"), "did you mean \"unfreeze\"?" },
        { RULE("{\"epoch\": 1, \"pattern\": \"*\", \"action\": \"rate\", \"value\": -1}"), "not negative" },
        { RULE("{\"epoch\": 1, \"pattern\": \"*\", \"action\": \"freeze\", \"when\": 1}"), "unknown key \"when\"" },
    };
    thaw_context *context = support_context(1);
    thaw_strategy *strategy;
    for (size_t i = 0; i < THAW_COUNT(wrong); i++) {
        support_write_file(path, wrong[i].text, strlen(wrong[i].text));
        assert_fails(context, thaw_strategy_create(context, "full", path, &strategy), THAW_BAD_FORMAT,
                     wrong[i].message);
    }
    assert_fails(context, thaw_strategy_create(context, "full", "/absent/file", &strategy), THAW_IO_ERROR,
                 "/absent/file");
    thaw_context_destroy(context);
}

Test(strategy_file, is_not_waited_for, .init = begin, .fini = end, .timeout = 20)
{
    thaw_context *context = support_context(1);
    thaw_strategy *strategy;
    cr_assert_eq(mkfifo(path, 0600), 0);
    assert_fails(context, thaw_strategy_create(context, "mine", path, &strategy), THAW_IO_ERROR,
                 "strategies.json: is not a regular file");
    thaw_context_destroy(context);
}

/* ---------------------------------------------------------------- one value that nobody expects */

static fixture network;
static size_t accepted;

static void read_and_apply(const json_t *document, const char *change)
{
    thaw_strategy **strategies;
    size_t count;
    cr_assert_eq(json_dump_file(document, path, 0), 0);
    const thaw_status status = thaw_strategy_read(network.context, path, &strategies, &count);
    cr_assert(status == THAW_OK || (status == THAW_BAD_FORMAT && count == 0), "%s: %s", change,
              thaw_context_message(network.context));
    for (size_t i = 0; i < count; i++)
        for (int epoch = 1; epoch <= 2; epoch++) {
            const thaw_status done = thaw_strategy_apply(strategies[i], network.model, NULL, epoch, 2);
            cr_assert(done == THAW_OK || done == THAW_INVALID_ARGUMENT || done == THAW_NOT_FOUND ||
                          done == THAW_DUPLICATE,
                      "%s: %s", change, thaw_context_message(network.context));
        }
    accepted += status == THAW_OK;
    thaw_strategy_release_all(network.context, strategies, count);
}

Test(strategy_file, may_hold_any_number_in_any_place, .init = begin, .fini = end, .timeout = 120)
{
    json_t *file =
        json_pack("{s[{ssss s[{sissss}{sfsssssf}{sbsssssi}{sisssssf}]}]}", "strategies", "name", "mine", "description",
                  "d", "rules", "epoch", 1, "pattern", "conv*", "action", "freeze", "share", 0.5, "pattern", "dense1",
                  "action", "rate", "value", 0.25, "every", 1, "pattern", "dense2", "action", "lora", "value", 4,
                  "epoch", 2, "pattern", "dense3", "action", "decay", "value", 0.5);
    cr_assert_not_null(file);
    network = open_fixture("full", NULL);
    read_and_apply(file, "as it is");
    cr_assert_eq(accepted, 1);
    const size_t changes = support_each_hostile(file, read_and_apply);
    cr_assert(accepted > 10 && accepted < changes, "%zu of %zu", accepted, changes);
    close_fixture(&network);
    json_decref(file);
}
