/* Completion for bash. */
#include <string.h>
#include <thaw/optimizer_module.h>

#include "cli/generate.h"

/* The function finds the option whose value is being typed, and looks up its possible values. It cuts off what
   readline keeps: everything up to the last word break. */
static const char finding[] =
    "    local word=${COMP_WORDS[COMP_CWORD]} i=$COMP_CWORD whole option value given='' kind='' words=''\n"
    "    COMPREPLY=()\n"
    "    if ((COMP_CWORD == 1)); then\n"
    "        mapfile -t COMPREPLY < <(compgen -W \"$commands --help --version\" -- \"$word\")\n"
    "        return\n"
    "    fi\n"
    "    # readline takes '=' and ':' for words of their own\n"
    "    whole=$word\n"
    "    while ((i > 2)) && [[ ${COMP_WORDS[i]} == [=:]* || ${COMP_WORDS[i - 1]} == [=:]* ]]; do\n"
    "        whole=${COMP_WORDS[--i]}$whole\n"
    "    done\n"
    "    if [[ $whole == --*=* ]]; then\n"
    "        option=${whole%%=*} value=${whole#*=} given=${whole%%=*}=\n"
    "    else\n"
    "        option=${COMP_WORDS[i - 1]} value=$whole\n"
    "    fi\n";

static const char answering[] =
    "    if [[ -z $kind && -z $given && $whole != -* && -n $arguments ]]; then\n"
    "        kind=files value=$whole\n"
    "    fi\n"
    "    if [[ -z $kind && ( -n $given || $whole != -* && -n $whole ) ]]; then\n"
    "        return\n"
    "    fi\n"
    "    if [[ -z $kind ]]; then\n"
    "        mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$whole\")\n"
    "        return\n"
    "    fi\n"
    "    local before=$given found=()\n"
    "    if [[ $value == [\\'\\\"]* ]]; then\n"
    "        value=${value:1}\n"
    "    fi\n"
    "    case $kind in\n"
    "    none) return ;;\n"
    "    files) mapfile -t found < <(compgen -W \"$words\" -- \"$value\"; compgen -f -- \"$value\") ;;\n"
    "    folders) mapfile -t found < <(compgen -d -- \"$value\") ;;\n"
    "    words) mapfile -t found < <(compgen -W \"$words\" -- \"$value\") ;;\n"
    "    list)\n"
    "        [[ $value == *' '* ]] && before+=${value% *}' ' value=${value##* }\n"
    "        mapfile -t found < <(compgen -W \"$words\" -- \"$value\")\n"
    "        ;;\n"
    "    data)\n"
    "        case $value in\n"
    "        folder:*) before+=folder: && mapfile -t found < <(compgen -d -- \"${value#folder:}\") ;;\n"
    "        idx:* | npy:* | npz:* | csv:*)\n"
    "            before+=${value%%:*}: value=${value#*:}\n"
    "            [[ $value == *,* ]] && before+=${value%,*}, value=${value##*,}\n"
    "            mapfile -t found < <(compgen -f -- \"$value\")\n"
    "            ;;\n"
    "        *) mapfile -t found < <(compgen -W 'fashion-mnist idx: folder: npy: npz: csv:' -- \"$value\") ;;\n"
    "        esac\n"
    "        ;;\n"
    "    esac\n"
    "    case $kind:$before in files:* | folders:* | data:*folder: | data:*idx:* | data:*np[yz]:* | data:*csv:*) compopt -o filenames 2>/dev/null ;; esac\n"
    "    [[ ${#found[@]} -eq 1 && ${found[0]} == *[=:/] ]] && compopt -o nospace 2>/dev/null\n"
    "    local kept=${whole%%[\\'\\\"]*}\n"
    "    if [[ $COMP_WORDBREAKS == *[=:]* ]]; then\n"
    "        local last=${kept##*[=:]}\n"
    "        [[ $COMP_WORDBREAKS != *:* ]] && last=${kept##*=}\n"
    "        kept=${kept%\"$last\"}\n"
    "    else\n"
    "        kept=''\n"
    "    fi\n"
    "    for value in \"${found[@]}\"; do\n"
    "        value=$before$value\n"
    "        COMPREPLY+=(\"${value#\"$kept\"}\")\n"
    "    done\n"
    "    return 0\n"
    "}\n"
    "complete -F _thaw thaw\n";

static void print_options(FILE *stream, const cli_command *command)
{
    fprintf(stream, "    %s) options='", command->name);
    for (size_t i = 0; i < cli_option_count; i++)
        if (cli_option_table[i].set & command->takes)
            fprintf(stream, "--%s %s%s%s", cli_option_table[i].name, cli_option_table[i].alias ? "--" : "",
                    cli_option_table[i].alias ? cli_option_table[i].alias : "", cli_option_table[i].alias ? " " : "");
    for (size_t i = 0; i < cli_standard_option_count; i++)
        fprintf(stream, "--%s%s", cli_standard_options[i].name, i + 1 < cli_standard_option_count ? " " : "");
    fprintf(stream, "'%s ;;\n", command->arguments ? " arguments=files" : "");
}

/* Optimizers behind a wrapper's name: "lookahead/adam". */
static void print_wrapped_names(FILE *stream)
{
    const thaw_optimizer_module *wrapper, *module;
    for (size_t i = 0; (wrapper = thaw_optimizer_builtin_wrapper(i)); i++) {
        fprintf(stream, "        %s/*) words='", wrapper->name);
        for (size_t k = 0; (module = thaw_optimizer_builtin(k)); k++)
            fprintf(stream, "%s%s/%s", k ? " " : "", wrapper->name, module->name);
        fputs("' ;;\n", stream);
    }
}

static void print_settings(FILE *stream, const thaw_optimizer_module *module)
{
    fprintf(stream, "        %s:*) words='", module->name);
    for (size_t k = 0; k < module->hyperparameter_count; k++)
        fprintf(stream, "%s%s:%s=", k ? " " : "", module->name, module->hyperparameters[k].name);
    if (module->slot_ranges)
        fprintf(stream, " %s:state=8bit %s:state=bf16", module->name, module->name);
    fputs("' ;;\n", stream);
}

/* Hyper-parameters behind an optimizer's name: "adam:lr=". */
static void print_hyperparameters(FILE *stream)
{
    const thaw_optimizer_module *module;
    fputs("        case $value in\n", stream);
    print_wrapped_names(stream);
    for (size_t i = 0; (module = thaw_optimizer_builtin(i)); i++)
        print_settings(stream, module);
    for (size_t i = 0; (module = thaw_optimizer_builtin_wrapper(i)); i++)
        print_settings(stream, module);
    fputs("        esac\n        ;;\n", stream);
}

static void print_kind(FILE *stream, const cli_option *option)
{
    const char *words = option->kind->words ? option->kind->words : "";
    const bool list = option->argument && strcmp(option->argument, "LIST") == 0;
    fprintf(stream, "    --%s", option->name);
    if (option->alias)
        fprintf(stream, " | --%s", option->alias);
    if (option->letter)
        fprintf(stream, " | -%c", option->letter);
    fputs(") ", stream);
    switch (option->kind->completion) {
    case CLI_COMPLETE_NOTHING:
        fputs("kind=none ;;\n", stream);
        break;
    case CLI_COMPLETE_FILES:
        fprintf(stream, "kind=files words='%s' ;;\n", words);
        break;
    case CLI_COMPLETE_FOLDERS:
        fputs("kind=folders ;;\n", stream);
        break;
    case CLI_COMPLETE_DATA:
        fputs("kind=data ;;\n", stream);
        break;
    case CLI_COMPLETE_WORDS:
        fprintf(stream, "kind=words words='%s' ;;\n", words);
        break;
    case CLI_COMPLETE_MODELS:
        fputs("kind=words words='", stream);
        cli_print_models(stream);
        fputs("' ;;\n", stream);
        break;
    case CLI_COMPLETE_OPTIMIZERS:
        fprintf(stream, "kind=%s words='", list ? "list" : "words");
        cli_print_optimizers(stream);
        fputs("'\n", stream);
        print_hyperparameters(stream);
        break;
    case CLI_COMPLETE_POLICIES:
        fprintf(stream, "kind=%s words='", list ? "list" : "words");
        cli_print_policies(stream);
        fputs("' ;;\n", stream);
        break;
    case CLI_COMPLETE_STRATEGIES:
        fprintf(stream, "kind=%s words='", list ? "list" : "words");
        cli_print_strategies(stream, ":");
        fputs("' ;;\n", stream);
        break;
    }
}

/* An option of two commands may appear in the table twice. */
static bool is_first(size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(cli_option_table[i].name, cli_option_table[index].name) == 0)
            return false;
    return true;
}

void cli_generate_bash(FILE *stream)
{
    fputs("# Completion of thaw's command line for bash. Made by `thaw --generate bash`.\n"
          "_thaw()\n{\n    local options='' arguments='' commands='",
          stream);
    for (size_t i = 0; i < cli_command_count; i++)
        fprintf(stream, "%s%s", i ? " " : "", cli_commands[i]->name);
    fputs("'\n", stream);
    fputs(finding, stream);
    fputs("    case ${COMP_WORDS[1]} in\n", stream);
    for (size_t i = 0; i < cli_command_count; i++)
        print_options(stream, cli_commands[i]);
    fputs("    *) return ;;\n    esac\n    case $option in\n", stream);
    for (size_t i = 0; i < cli_option_count; i++)
        if (cli_option_table[i].argument && is_first(i))
            print_kind(stream, &cli_option_table[i]);
    fputs("    esac\n", stream);
    fputs(answering, stream);
}
