/* thaw models, optimizers, strategies and datasets. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <thaw/base.h>

#include "cli/fixture.h"

static size_t count_lines(void)
{
    size_t count = 0;
    for (const char *c = cli_run.output; *c; c++)
        count += *c == '\n';
    return count;
}

/* The object of this name. The caller releases it. */
static json_t *named(const char *name)
{
    for (int i = 0; i < (int)count_lines(); i++) {
        json_t *object = support_json_line(&cli_run, i);
        if (strcmp(json_string_value(json_object_get(object, "name")), name) == 0)
            return object;
        json_decref(object);
    }
    cr_assert_fail("no %s in:\n%s", name, cli_run.output);
    return NULL;
}

Test(catalogue, models, .init = cli_begin, .fini = cli_end)
{
    cli_succeed("models");
    support_assert_says(cli_run.output, "\nresnet18             11689512  224x224x3     1000  torchvision's resnet18 ");
    support_assert_says(cli_run.output, "\nmlp-500                397510  28x28x1         10  - ");
    const size_t lines = count_lines();
    cli_succeed("models --json");
    cr_assert_eq(count_lines() + 1, lines); /* without the headings */
    json_t *model = named("efficientnet-lite0");
    cli_assert_event(model, "model");
    cr_assert_eq(support_json_number(model, "parameters"), 4652008);
    cr_assert_eq(json_integer_value(json_array_get(json_object_get(model, "input_shape"), 2)), 3);
    support_assert_says(json_string_value(json_object_get(model, "weights")), "timm");
    json_decref(model);
    model = named("mlp-512");
    cr_assert(json_is_null(json_object_get(model, "weights")));
    json_decref(model);
}

/* PyTorch's defaults. */
Test(catalogue, optimizers, .init = cli_begin, .fini = cli_end)
{
    static char lines[SUPPORT_OUTPUT_BYTES];
    cli_succeed("optimizers");
    support_assert_says(cli_run.output,
                        " lr=0.001,beta1=0.9,beta2=0.999,eps=1e-08,weight_decay=0.01,amsgrad=0,state=f32\n");
    memcpy(lines, cli_run.output, sizeof lines);
    char name[32], settings[512], line[1024];
    int length;
    size_t count = 0;
    for (const char *rest = lines; sscanf(rest, "%31s %511s%n", name, settings, &length) == 2;
         rest += length, count++) {
        char *slash = strchr(name, '/');
        if (slash)
            *slash = '\0';
        snprintf(line, sizeof line, "summary --model mlp-500 --optimizer %s:%s%s", name, settings,
                 slash ? "/adamw" : "");
        cli_succeed(line);
        snprintf(line, sizeof line, "%s/adamw", name);
        cr_assert(!slash || strstr(cli_run.output, line), "%s", cli_run.output);
    }
    cr_assert_geq(count, 4);
    cli_succeed("optimizers --json");
    json_t *sgd = named("sgd"), *lr = json_array_get(json_object_get(sgd, "settings"), 0);
    cr_assert_str_eq(json_string_value(json_object_get(lr, "name")), "lr");
    cr_assert_eq(support_json_number(lr, "default"), 1e-3);
    cr_assert_eq(support_json_number(lr, "minimum"), 0);
    cr_assert(json_is_null(json_object_get(lr, "maximum")));
    cr_assert(json_is_false(json_object_get(sgd, "wraps")));
    json_decref(sgd);
    json_t *lookahead = named("lookahead");
    cr_assert(json_is_true(json_object_get(lookahead, "wraps")));
    json_decref(lookahead);
}

Test(catalogue, strategies, .init = cli_begin, .fini = cli_end)
{
    static const char *const names[] = { "full",      "head",        "last2", "gradual",  "discriminative", "bias-only",
                                         "norm-only", "lora:rank=8", "lp-ft", "surgical", "top-down",       "scratch" };
    cli_succeed("strategies");
    support_assert_says(cli_run.output, "head            only the head trains\n");
    cli_succeed("strategies --json");
    cr_assert_eq(count_lines(), THAW_COUNT(names));
    for (size_t i = 0; i < THAW_COUNT(names); i++) {
        json_t *strategy = named(names[i]);
        cr_assert_gt(strlen(json_string_value(json_object_get(strategy, "description"))), 10);
        json_decref(strategy);
    }
}

Test(catalogue, datasets, .init = cli_begin, .fini = cli_end)
{
    cli_succeed("datasets");
    support_assert_says(cli_run.output, "idx:IMAGES,LABELS[;OPTIONS]  ");
    support_assert_says(cli_run.output, " such as 'folder:flowers;");
    cli_succeed("datasets --json");
    json_t *idx = named("idx"), *options = json_object_get(idx, "options");
    size_t found = 0;
    for (size_t i = 0; i < json_array_size(options); i++)
        found += strcmp(json_string_value(json_array_get(options, i)), "classes") == 0;
    cr_assert_eq(found, 1);
    cr_assert_geq(json_array_size(options), 4);
    json_decref(idx);
}

Test(catalogue, takes_no_words, .init = cli_begin, .fini = cli_end)
{
    support_command(&cli_run, cli_directory, "models resnet18", cli_variables);
    cr_assert_eq(cli_run.code, 2);
    support_assert_says(cli_run.errors, "resnet18: is not an option");
}
