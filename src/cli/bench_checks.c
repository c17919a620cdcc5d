#include "cli/bench_checks.h"

#include "cli/failure.h"
#include "core/threads.h"

int cli_bench_check(const cli_options *options, bool on_ranks)
{
    const bool target = options->target_accuracy > 0 || options->target_loss > 0;
    if (on_ranks && options->jobs > 1)
        return cli_misuse("--jobs", "%llu runs at a time, must be 1 on several ranks",
                          (unsigned long long)options->jobs);
    if (options->target_accuracy > 0 && options->target_loss > 0)
        return cli_misuse("--target-loss", "there must be one target, and --target-accuracy is given, too");
    if (options->race && target)
        return cli_misuse("--race", "a race is by accuracy, so there must be no target");
    if (options->race && options->seeds < 2)
        return cli_misuse("--race", "%llu seed, must be at least 2", (unsigned long long)options->seeds);
    if (options->race && on_ranks)
        return cli_misuse("--race", "must be on one rank");
    if (options->search && options->trials == 0)
        return cli_misuse("--search", "is the space of --trials, which is not given");
    if (options->validation_share > 0 && options->trials == 0)
        return cli_misuse("--validation", "is for --trials, which is not given");
    if (options->trials > 0 && options->rates > 1)
        return cli_misuse("--trials", "searches the learning rates, so --lr-sweep must not be given");
    return CLI_DONE;
}

int cli_bench_choose_threads(cli_options *options)
{
    const uint64_t cores = (uint64_t)thaw_threads_available(), jobs = options->jobs ? options->jobs : 1;
    if (jobs > cores)
        return cli_misuse("--jobs", "%llu runs at a time, must be at most %llu (one per core)",
                          (unsigned long long)jobs, (unsigned long long)cores);
    if (options->threads == 0 && jobs > 1)
        options->threads = cores / jobs;
    if (jobs * options->threads <= cores)
        return CLI_DONE;
    if (jobs == 1)
        return cli_misuse("--threads", "%llu threads, must be at most %llu (one per core)",
                          (unsigned long long)options->threads, (unsigned long long)cores);
    return cli_misuse("--jobs",
                      "%llu runs at a time on %llu threads each, must be at most %llu threads together (one per core)",
                      (unsigned long long)jobs, (unsigned long long)options->threads, (unsigned long long)cores);
}
