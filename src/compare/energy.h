/* Energy of the processor packages, where the kernel tells (powercap, RAPL). */
#ifndef THAW_COMPARE_ENERGY_H
#define THAW_COMPARE_ENERGY_H

enum { THAW_ENERGY_PACKAGES = 16 };

typedef struct thaw_energy {
    int packages;                                                     /* 0: unknown */
    double joules[THAW_ENERGY_PACKAGES], range[THAW_ENERGY_PACKAGES]; /* counters, and where they begin again at 0 */
} thaw_energy;

/* Reads the counters below `root`, NULL: /sys/class/powercap. */
thaw_energy thaw_energy_read(const char *root);

/* Joules between two readings that lie less than one turn of a counter apart; NAN where they are unknown. */
double thaw_energy_between(const thaw_energy *before, const thaw_energy *after);

#endif
