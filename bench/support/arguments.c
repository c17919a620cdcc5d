#include "support/arguments.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <thaw/context.h>

int bench_positive(const char *name, const char *text, int most)
{
    char *end = NULL;
    const long number = strtol(text, &end, 10);
    if (end == text || *end || number < 1 || number > most) {
        fprintf(stderr, "%s: \"%s\" is not a number from 1 to %d\n", name, text, most);
        exit(2);
    }
    return (int)number;
}

static int all_threads(void)
{
    thaw_context *context = NULL;
    const int threads = thaw_context_create(NULL, &context) == THAW_OK ? thaw_context_threads(context) : 1;
    thaw_context_destroy(context);
    return threads;
}

bench_arguments bench_arguments_read(const char *name, int count, char **values, size_t repetitions, size_t most)
{
    static const struct option options[] = {
        { "help", no_argument, NULL, 'h' },
        { "json", no_argument, NULL, 'j' },
        { "repetitions", required_argument, NULL, 'r' },
        { "threads", required_argument, NULL, 't' },
        { "only", required_argument, NULL, 'o' },
        { NULL, 0, NULL, 0 },
    };
    enum { MOST_THREADS = 1024 };
    bench_arguments settings = { .repetitions = repetitions, .threads = all_threads() };
    for (int option; (option = getopt_long(count, values, "", options, NULL)) != -1;) {
        if (option == 'j') {
            settings.json = true;
        } else if (option == 'r') {
            settings.repetitions = (size_t)bench_positive(name, optarg, (int)most);
        } else if (option == 't') {
            settings.threads = bench_positive(name, optarg, MOST_THREADS);
        } else if (option == 'o') {
            settings.only = optarg;
        } else {
            fprintf(option == 'h' ? stdout : stderr,
                    "usage: %s [--json] [--repetitions N] [--threads N] [--only PART]\n", name);
            exit(option == 'h' ? 0 : 2);
        }
    }
    return settings;
}
