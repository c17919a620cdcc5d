#include "cli/option_names.h"

#include <stdio.h>
#include <string.h>

#include "cli/failure.h"
#include "cli/option_table.h"
#include "core/nearest.h"

enum { MOST_NAMES = 256, NAME_BYTES = 64 };

/* An option that a word on the command line names. */
typedef struct found {
    bool known; /* or ambiguous, which argp reports */
    bool takes_value;
} found;

static bool begins(const char *name, const char *word, size_t length, bool whole)
{
    return name && strncmp(name, word, length) == 0 && (!whole || !name[length]);
}

/* Looks for whole names, or for names that begin like this. */
static found look_up(const cli_command *command, const char *word, size_t length, bool whole)
{
    for (size_t i = 0; i < cli_option_count; i++) {
        const cli_option *option = &cli_option_table[i];
        if (option->set & command->takes &&
            (begins(option->name, word, length, whole) || begins(option->alias, word, length, whole)))
            return (found){ .known = true, .takes_value = option->argument };
    }
    for (size_t i = 0; i < cli_standard_option_count; i++)
        if (begins(cli_standard_options[i].name, word, length, whole))
            return (found){ .known = true };
    return (found){ 0 };
}

static found look_up_letter(const cli_command *command, char letter)
{
    for (size_t i = 0; i < cli_option_count; i++)
        if (cli_option_table[i].set & command->takes && cli_option_table[i].letter == letter)
            return (found){ .known = true, .takes_value = cli_option_table[i].argument };
    for (size_t i = 0; i < cli_standard_option_count; i++)
        if (cli_standard_options[i].letter == letter)
            return (found){ .known = true };
    return (found){ 0 };
}

static const char *nearest_name(const cli_command *command, const char *name)
{
    const char *names[MOST_NAMES];
    size_t count = 0;
    for (size_t i = 0; i < cli_option_count && count + 1 < MOST_NAMES; i++) {
        const cli_option *option = &cli_option_table[i];
        if (!(option->set & command->takes))
            continue;
        names[count++] = option->name;
        if (option->alias)
            names[count++] = option->alias;
    }
    return thaw_nearest(name, names, count);
}

static int refuse(const cli_command *command, const char *word, size_t length)
{
    char option[NAME_BYTES], *name = option + 2;
    snprintf(option, sizeof option, "%.*s", (int)length, word);
    for (size_t i = 0; i < cli_command_count; i++)
        if (look_up(cli_commands[i], name, strlen(name), true).known)
            return cli_misuse(option, "thaw %s has no such option; thaw %s has", command->name, cli_commands[i]->name);
    const char *nearest = nearest_name(command, name);
    return cli_misuse(option, "thaw %s has no such option%s%s%s 'thaw %s --help'", command->name,
                      nearest ? ", did you mean --" : "", nearest ? nearest : "", nearest ? "? See" : "; see",
                      command->name);
}

/* Letters may stand together; the first that takes a value ends them. *next: the value is the next word. */
static int check_letters(const cli_command *command, const char *word, bool *next)
{
    for (const char *letter = word + 1; *letter; letter++) {
        const found option = look_up_letter(command, *letter);
        if (!option.known)
            return cli_misuse(word, "thaw %s has no such option; see 'thaw %s --help'", command->name, command->name);
        *next = option.takes_value && !letter[1];
        if (option.takes_value)
            break;
    }
    return CLI_DONE;
}

int cli_check_option_names(int argc, char **argv, const cli_command *command)
{
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        bool next = false;
        if (strcmp(word, "--") == 0)
            break;
        if (word[0] != '-' || !word[1])
            continue;
        if (word[1] != '-') {
            const int code = check_letters(command, word, &next);
            if (code != CLI_DONE)
                return code;
        } else {
            const size_t length = strcspn(word, "=");
            found option = look_up(command, word + 2, length - 2, true);
            if (!option.known)
                option = look_up(command, word + 2, length - 2, false);
            if (!option.known)
                return refuse(command, word, length);
            next = option.takes_value && !word[length];
        }
        i += next;
    }
    return CLI_DONE;
}
