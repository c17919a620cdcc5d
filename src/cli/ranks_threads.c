#include "cli/ranks_threads.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/failure.h"
#include "core/threads.h"

/* Containers of one machine have names of their own, but share its cores. */
static void name_machine(char name[64])
{
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    const bool found = file && fgets(name, 64, file);
    if (file)
        fclose(file);
    if (!found && gethostname(name, 63) != 0)
        name[0] = '\0';
}

cli_rank_facts cli_ranks_describe(const cli_options *options)
{
    cli_rank_facts own = { .threads = (int32_t)options->threads };
    name_machine(own.machine);
    /* Fails where there are more cores than a cpu_set_t counts. */
    if (sched_getaffinity(0, sizeof own.cores, &own.cores) != 0)
        for (size_t core = 0; core < CPU_SETSIZE; core++)
            CPU_SET(core, &own.cores);
    return own;
}

int cli_ranks_choose_threads(const cli_rank_facts *all, int rank, int ranks, cli_options *options)
{
    cpu_set_t cores;
    int neighbours = 0, threads = 0;
    CPU_ZERO(&cores);
    for (int other = 0; other < ranks; other++)
        if (strncmp(all[other].machine, all[rank].machine, sizeof all->machine) == 0) {
            CPU_OR(&cores, &cores, &all[other].cores);
            neighbours++;
            threads += all[other].threads;
        }
    const int most = CPU_COUNT(&cores), bound = thaw_threads_available();
    const int each = most / neighbours < bound ? most / neighbours : bound;
    if (options->threads == 0)
        options->threads = (uint64_t)(each > 1 ? each : 1);
    if (threads > most && threads > neighbours)
        return cli_misuse("--threads",
                          "%d ranks on %d threads each, must be at most %d threads together on this machine (one per "
                          "core)",
                          neighbours, (int)options->threads, most);
    if (options->threads > (uint64_t)bound && options->threads > 1)
        return cli_misuse("--threads",
                          "%d threads, but mpirun has bound this rank to %d core%s; see mpirun --bind-to none",
                          (int)options->threads, bound, bound == 1 ? "" : "s");
    return CLI_DONE;
}
