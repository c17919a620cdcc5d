/* Energy of the processor packages, if the kernel exposes it (powercap, RAPL). */
#ifndef THAW_COMPARE_ENERGY_H
#define THAW_COMPARE_ENERGY_H

enum { THAW_ENERGY_PACKAGES = 16 };

typedef struct thaw_energy {
    int packages; /* 0 if unknown */
    double joules[THAW_ENERGY_PACKAGES],
        range[THAW_ENERGY_PACKAGES]; /* counters, and the values at which they wrap to 0 */
} thaw_energy;

/* Reads the counters below `root` (NULL: /sys/class/powercap). */
thaw_energy thaw_energy_read(const char *root);

/* Joules between two readings less than one counter wrap apart; NAN if unknown. */
double thaw_energy_between(const thaw_energy *before, const thaw_energy *after);

#endif
