#include "compare/energy.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#include "core/open.h"

static bool read_number(const char *root, int package, const char *name, double *value)
{
    char path[512];
    unsigned long long number;
    snprintf(path, sizeof path, "%s/intel-rapl:%d/%s", root, package, name);
    FILE *file = thaw_open_stream(path);
    if (!file)
        return false;
    const bool read = fscanf(file, "%llu", &number) == 1;
    fclose(file);
    *value = read ? (double)number * 1e-6 : 0;
    return read;
}

thaw_energy thaw_energy_read(const char *root)
{
    thaw_energy energy = { 0 };
    root = root ? root : "/sys/class/powercap";
    while (energy.packages < THAW_ENERGY_PACKAGES &&
           read_number(root, energy.packages, "energy_uj", &energy.joules[energy.packages]) &&
           read_number(root, energy.packages, "max_energy_range_uj", &energy.range[energy.packages]))
        energy.packages++;
    return energy;
}

double thaw_energy_between(const thaw_energy *before, const thaw_energy *after)
{
    double sum = 0;
    if (before->packages == 0 || before->packages != after->packages)
        return NAN;
    for (int i = 0; i < before->packages; i++) {
        const double used = after->joules[i] - before->joules[i];
        sum += used < 0 ? used + after->range[i] : used;
    }
    return sum;
}
