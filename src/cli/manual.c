/* Manual pages in the language of man(7). */
#include <ctype.h>
#include <string.h>
#include <thaw/optimizer_module.h>
#include <thaw/policy_module.h>
#include <thaw/strategy.h>
#include <thaw/zoo.h>

#include "cli/generate.h"
#include "cli/roff.h"

/* The date of the pages' last visible change. It is constant, so that builds are reproducible. */
static const char DATE[] = "2026-11-29";

static void print_title(FILE *stream, const char *name, const char *summary)
{
    fputs(".TH ", stream);
    for (const char *c = name; *c; c++)
        fputc(toupper((unsigned char)*c), stream);
    fprintf(stream, " 1 %s \"thaw %s\" \"Thaw manual\"\n.SH NAME\n", DATE, thaw_version());
    cli_roff_text(stream, name);
    fputs(" \\- ", stream);
    cli_roff_text(stream, summary);
    fputc('\n', stream);
}

static void print_long_name(FILE *stream, const char *name, const char *argument)
{
    fputs("\\fB\\-\\-", stream);
    cli_roff_text(stream, name);
    fputs("\\fR", stream);
    if (argument) {
        fputs("=\\fI", stream);
        cli_roff_text(stream, argument);
        fputs("\\fR", stream);
    }
}

/* `alias` and `argument` may be NULL. */
static void print_option(FILE *stream, char letter, const char *name, const char *alias, const char *argument,
                         const char *help)
{
    fputs(".TP\n", stream);
    if (letter)
        fprintf(stream, "\\fB\\-%c\\fR, ", letter);
    print_long_name(stream, name, argument);
    if (alias) {
        fputs(", ", stream);
        print_long_name(stream, alias, argument);
    }
    fputc('\n', stream);
    cli_roff_sentences(stream, help);
}

static void print_exit_status(FILE *stream)
{
    static const struct {
        const char *code, *meaning;
    } codes[] = { { "0", "Done." },
                  { "1", "Failed." },
                  { "2", "The command line is wrong." },
                  { "129, 130, 131, 143", "Stopped by SIGHUP, SIGINT, SIGQUIT or SIGTERM.\n"
                                          "What has been trained until then is saved." } };
    fputs(".SH EXIT STATUS\n", stream);
    for (size_t i = 0; i < THAW_COUNT(codes); i++)
        fprintf(stream, ".TP\n%s\n%s\n", codes[i].code, codes[i].meaning);
}

/* ---------------------------------------------------------------- the page of a command */

void cli_generate_command_manual(const cli_command *command, FILE *stream)
{
    char name[64];
    snprintf(name, sizeof name, "thaw-%s", command->name);
    print_title(stream, name, command->summary);
    fputs(".SH SYNOPSIS\n.B thaw ", stream);
    cli_roff_text(stream, command->name);
    fputc('\n', stream);
    for (size_t i = 0; i < cli_option_count; i++) {
        const cli_option *option = &cli_option_table[i];
        if (!(option->set & command->needs) || !cli_option_is_text(option))
            continue;
        fputs("\\fB\\-\\-", stream);
        cli_roff_text(stream, option->name);
        fputs("\\fR=\\fI", stream);
        cli_roff_text(stream, option->argument);
        fputs("\\fR\n", stream);
    }
    fputs("[\\fIOPTION\\fR...]\n", stream);
    if (command->arguments)
        fprintf(stream, ".I %s\n", command->arguments);
    fputs(".SH DESCRIPTION\n", stream);
    cli_roff_sentences(stream, command->description);
    fputs(".SH OPTIONS\n", stream);
    for (size_t i = 0; i < cli_option_count; i++) {
        const cli_option *option = &cli_option_table[i];
        if (option->set & command->takes)
            print_option(stream, option->letter, option->name, option->alias, option->argument, option->help);
    }
    for (size_t i = 0; i < cli_standard_option_count; i++)
        print_option(stream, cli_standard_options[i].letter, cli_standard_options[i].name, NULL, NULL,
                     cli_standard_options[i].help);
    print_exit_status(stream);
    fputs(".SH EXAMPLES\n", stream);
    cli_roff_lines(stream, command->examples);
    fputs(".SH SEE ALSO\n.BR thaw (1)\n", stream);
}

/* ---------------------------------------------------------------- thaw.1 */

/* A list entry: a name, and its description. */
static void print_name(FILE *stream, const char *name)
{
    fputs(".TP\n.B ", stream);
    cli_roff_text(stream, name);
    fputc('\n', stream);
}

static void print_networks(FILE *stream)
{
    fputs(".SH NETWORKS\nNames for\n.BR \\-\\-model :\n", stream);
    const thaw_zoo_entry *network;
    for (size_t i = 0; (network = thaw_zoo_entry_at(i)); i++) {
        print_name(stream, network->name);
        cli_roff_sentences(stream, network->description);
    }
    fputs(".PP\nOptions follow a colon, separated by commas:\n.I size=N\nis the height and width of the input,\n"
          ".IR dropout=X ,\n.I head=linear\nor\n.IR head=mlp:UNITS ,\nand\n.I head\\-init=NAME\nare those of\n"
          ".BR \\-\\-dropout ,\n.B \\-\\-head\nand\n.BR \\-\\-head\\-init .\n.PP\n.B mlp\nand\n.B cnn\n"
          "are made from options, such as\n.I mlp:hidden=64x32,activation=gelu\nor\n"
          ".IR cnn:channels=16x32,norm=batch,hidden=64 .\nInputs and outputs are those of the data.\n"
          "A path with a slash is a network of your own, in a shared object:\n.IR ./net.so:width=32 .\n",
          stream);
    static const struct {
        const char *option, *meaning;
    } options[] = {
        { "hidden=SIZES", "Outputs of the hidden dense layers, or none (default: 128 in mlp, none in cnn)." },
        { "channels=SIZES", "Of cnn: filters of the convolutions, each followed by 2x2 max-pooling (default: 16x32)." },
        { "kernel=N", "Of cnn: height and width of the filters (default: 3)." },
        { "features=NAME", "Of cnn: flatten, or average for the mean over each channel (default: flatten)." },
        { "activation=NAME", "relu, relu6, leaky_relu, gelu, silu, tanh or sigmoid (default: relu)." },
        { "norm=NAME", "Normalisation before each activation: none, batch or layer (default: none)." },
        { "dropout=X", "The rate before each dense layer, but not before the first of mlp (default: 0)." },
        { "input=SHAPE", "Features, or HEIGHTxWIDTHxCHANNELS (default: the data's; without data 28x28x1)." },
    };
    for (size_t i = 0; i < THAW_COUNT(options); i++) {
        print_name(stream, options[i].option);
        cli_roff_sentences(stream, options[i].meaning);
    }
}

static void print_optimizer(FILE *stream, const thaw_optimizer_module *module)
{
    print_name(stream, module->name);
    for (size_t k = 0; k < module->hyperparameter_count; k++) {
        char text[96];
        const bool last = k + 1 == module->hyperparameter_count && !module->slot_ranges;
        snprintf(text, sizeof text, "%s=%g%s", module->hyperparameters[k].name, module->hyperparameters[k].initial,
                 last ? "" : ",");
        cli_roff_text(stream, text);
        fputc('\n', stream);
    }
    if (module->slot_ranges)
        fputs("state=f32\n", stream);
}

static void print_optimizers(FILE *stream)
{
    fputs(".SH OPTIMIZERS\nHyper\\-parameters follow a colon, separated by commas, such as\n"
          ".IR sgd:lr=0.1,momentum=0.9 .\nTheir defaults:\n",
          stream);
    const thaw_optimizer_module *module;
    for (size_t i = 0; (module = thaw_optimizer_builtin(i)); i++)
        print_optimizer(stream, module);
    fputs(
        ".PP\nThe state can be kept in fewer bits:\n.I state=8bit\n(blocks, as in 8\\-bit optimizers; a quarter of the "
        "memory) or\n.I state=bf16\n(half), of parameters with at least 4096 elements.\n",
        stream);
    fputs(".PP\nA path with a slash is an optimizer of your own, in a shared object:\n.IR ./lion.so:lr=1e\\-4 .\n"
          ".PP\nThese wrap another optimizer, which follows a slash, such as\n"
          ".IR lookahead:k=10/adamw:lr=1e\\-2 :\n",
          stream);
    for (size_t i = 0; (module = thaw_optimizer_builtin_wrapper(i)); i++)
        print_optimizer(stream, module);
}

static void print_strategies(FILE *stream)
{
    thaw_context *context = NULL;
    thaw_strategy *strategy = NULL;
    const char *name;
    fputs(".SH STRATEGIES\nNames for\n.B \\-\\-strategies\nof\n.BR thaw\\-bench (1)\nand\n.B \\-\\-strategy\nof\n"
          ".BR thaw\\-train (1),\n.BR thaw\\-finetune (1)\nand\n.BR thaw\\-plan (1):\n",
          stream);
    if (thaw_context_create(&(thaw_context_options){ .threads = 1 }, &context) != THAW_OK)
        return;
    for (size_t i = 0; (name = thaw_strategy_builtin(i)); i++) {
        print_name(stream, name);
        if (thaw_strategy_create(context, name, NULL, &strategy) != THAW_OK)
            continue;
        cli_roff_sentences(stream, strategy->description);
        thaw_strategy_destroy(context, strategy);
    }
    thaw_context_destroy(context);
}

static void print_policies(FILE *stream)
{
    const thaw_policy_module *module;
    fputs(".SH POLICIES\nNames for\n.B \\-\\-policy\nof\n.BR thaw\\-train (1)\nand\n.BR thaw\\-finetune (1),\n"
          "with the defaults of their settings, which follow a colon:\n.IR auto:tolerance=0.5% .\n",
          stream);
    for (size_t i = 0; (module = thaw_policy_builtin(i)); i++) {
        print_name(stream, module->name);
        cli_roff_sentences(stream, module->description);
        fputs(".br\n", stream);
        for (size_t k = 0; k < module->setting_count; k++) {
            char text[96];
            snprintf(text, sizeof text, "%s=%g%s", module->settings[k].name, module->settings[k].initial,
                     k + 1 < module->setting_count ? "," : "");
            cli_roff_text(stream, text);
            fputc('\n', stream);
        }
    }
    fputs(".PP\nA path with a slash is a policy of your own, in a shared object:\n.IR ./own_policy.so:every=20 .\n",
          stream);
}

void cli_generate_manual(FILE *stream)
{
    print_title(stream, "thaw", "train and fine-tune neural networks on multicore CPUs");
    fputs(".SH SYNOPSIS\n.B thaw\n\\fICOMMAND\\fR [\\fIOPTION\\fR...]\n.SH DESCRIPTION\n", stream);
    cli_roff_topic(stream,
                   "Thaw trains neural networks on multicore CPUs. Freezing is compiled: a frozen part of a network "
                   "becomes inference kernels without gradients or optimizer state, and its outputs can be kept "
                   "from one epoch to the next.");
    fputs(".SH COMMANDS\n", stream);
    for (size_t i = 0; i < cli_command_count; i++) {
        fputs(".TP\n.BR thaw\\-", stream);
        cli_roff_text(stream, cli_commands[i]->name);
        fputs(" (1)\n", stream);
        cli_roff_sentences(stream, cli_commands[i]->description);
    }
    print_networks(stream);
    print_optimizers(stream);
    print_strategies(stream);
    print_policies(stream);
    for (size_t i = 0; i < cli_manual_topic_count; i++) {
        fprintf(stream, ".SH %s\n", cli_manual_topics[i].title);
        cli_roff_topic(stream, cli_manual_topics[i].text);
    }
    print_exit_status(stream);
    fputs(".SH SEE ALSO\n", stream);
    for (size_t i = 0; i < cli_command_count; i++) {
        fputs(".BR thaw\\-", stream);
        cli_roff_text(stream, cli_commands[i]->name);
        fprintf(stream, " (1)%s\n", i + 1 < cli_command_count ? "," : "");
    }
}
