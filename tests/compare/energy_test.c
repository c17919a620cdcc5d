/* Counters of energy, in files that stand for the kernel's. */
#include <math.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compare/energy.h"
#include "support/files.h"
#include "support/support.h"

static char root[SUPPORT_PATH_BYTES];

static void write_counter(int package, const char *name, unsigned long long value)
{
    char path[2 * SUPPORT_PATH_BYTES], text[32];
    snprintf(path, sizeof path, "%s/intel-rapl:%d", root, package);
    mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/intel-rapl:%d/%s", root, package, name);
    support_write_file(path, text, (size_t)snprintf(text, sizeof text, "%llu\n", value));
}

static void remove_counters(int package)
{
    char path[2 * SUPPORT_PATH_BYTES];
    snprintf(path, sizeof path, "%s/intel-rapl:%d/energy_uj", root, package);
    unlink(path);
    snprintf(path, sizeof path, "%s/intel-rapl:%d/max_energy_range_uj", root, package);
    unlink(path);
    snprintf(path, sizeof path, "%s/intel-rapl:%d", root, package);
    rmdir(path);
}

Test(energy, sums_packages_and_knows_that_counters_turn_over)
{
    support_make_directory(root);
    for (int package = 0; package < 2; package++)
        write_counter(package, "max_energy_range_uj", 9000000);
    write_counter(0, "energy_uj", 1000000);
    write_counter(1, "energy_uj", 8500000);
    const thaw_energy before = thaw_energy_read(root);
    write_counter(0, "energy_uj", 3000000);
    write_counter(1, "energy_uj", 250000);
    const thaw_energy after = thaw_energy_read(root);
    cr_assert_eq(before.packages, 2);
    const double joules = thaw_energy_between(&before, &after);
    cr_assert(fabs(joules - 2.75) < 1e-12, "%g J", joules); /* 2 and 9 - 8.5 + 0.25 */
    remove_counters(0);
    remove_counters(1);
    const thaw_energy none = thaw_energy_read(root);
    cr_assert_eq(none.packages, 0);
    cr_assert(isnan(thaw_energy_between(&none, &none)));
    cr_assert(isnan(thaw_energy_between(&before, &none)));
    support_remove_directory(root);
}
