/* Strategies in files: what they do, and files that are refused. */
#include <string.h>
#include <sys/stat.h>

#include "policy/fixture.h"
#include "support/files.h"
#include "support/hostile.h"

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
    policy_fixture f = policy_open("mine", path);
    policy_assert_trains(&f, NULL, 1, 2, "--TTT");
    cr_assert(thaw_group_learning_rate(thaw_model_find_group(f.model, "dense1")) == 0.25);
    cr_assert(thaw_group_learning_rate(thaw_model_find_group(f.model, "dense3")) == 1);
    policy_assert_trains(&f, NULL, 2, 2, "-TTTT");
    policy_close(&f);
    f = policy_open("head", path); /* the file's, not the built-in one */
    policy_assert_trains(&f, NULL, 1, 1, "TTTTT");
    policy_close(&f);
    f = policy_open("full", path);
    policy_close(&f);
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

static policy_fixture network;
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
    network = policy_open("full", NULL);
    read_and_apply(file, "as it is");
    cr_assert_eq(accepted, 1);
    const size_t changes = support_each_hostile(file, read_and_apply);
    cr_assert(accepted > 10 && accepted < changes, "%zu of %zu", accepted, changes);
    policy_close(&network);
    json_decref(file);
}
