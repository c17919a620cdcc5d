/* Every kind of run of same_bits.h, cut after some step and continued by another run from the checkpoint, ends in the
   bits of the run that was never cut: parameters, the optimizers' state, the losses of all epochs. */
#include <string.h>

#include "support/files.h"
#include "support/same_bits.h"

static char directory[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES];

static void begin(void)
{
    support_make_directory(directory);
    support_path(path, directory, "run.safetensors");
}

static void end(void)
{
    support_remove_directory(directory);
}

/* Rules and a cache, which depend on the place most. The others are cut once, at places that differ from run to run. */
static bool is_cut_everywhere(const same_bits_run *run)
{
    return strstr(run->name, "network cache") || strstr(run->name, "gradual");
}

static void check(const same_bits_run *run, size_t index)
{
    char whole[SAME_BITS_DIGEST_BYTES], parts[SAME_BITS_DIGEST_BYTES];
    size_t steps;
    if (!same_bits_train_cut(run, 0, NULL, &steps, whole))
        return;
    const size_t first = is_cut_everywhere(run) ? 1 : 1 + index % (steps - 1);
    const size_t last = is_cut_everywhere(run) ? steps : first;
    for (size_t cut = first; cut <= last; cut++) {
        same_bits_train_cut(run, cut, path, &steps, parts);
        cr_assert_str_eq(parts, whole, "%s: cut after step %zu of %zu", run->name, cut, steps);
    }
}

static void check_share(size_t share, size_t shares)
{
    for (size_t i = share; i < same_bits_run_count; i += shares)
        check(&same_bits_runs[i], i);
}

Test(continuing, gives_the_bits_of_a_run_that_was_never_cut_1, .init = begin, .fini = end)
{
    check_share(0, 2);
}

Test(continuing, gives_the_bits_of_a_run_that_was_never_cut_2, .init = begin, .fini = end)
{
    check_share(1, 2);
}
