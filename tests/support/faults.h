/* Calls of the operating system that fail when a test wants it. The linker puts the functions of faults.c in the place
   of the system's (--wrap, see tests/meson.build). */
#ifndef THAW_TESTS_SUPPORT_FAULTS_H
#define THAW_TESTS_SUPPORT_FAULTS_H

#include <stdbool.h>
#include <sys/types.h>

enum {
    SUPPORT_SHORT = 0,  /* reads and writes move one byte only */
    SUPPORT_DEATH = -1, /* the process is killed */
    SUPPORT_TORN = -2   /* a write moves one byte only, and the next one finds the disk full */
};

/* From now on counts calls, from 1. Call `fail_at` fails with `reason`: an errno, or one of the above. */
void support_faults_arm(int fail_at, int reason);

/* The same, but all calls from `first` on fail. */
void support_faults_arm_from(int first, int reason);

/* All calls succeed again. Returns whether the call that was to fail came. */
bool support_faults_disarm(void);

/* The permissions with which the last file was made. */
mode_t support_faults_created(void);

/* ---- for the functions that stand in for the system's ---- */

#define WRAP(result, name, parameters)      \
    extern result __real_##name parameters; \
    extern result __wrap_##name parameters; \
    result __wrap_##name parameters

/* Whether a call that moves no bytes fails now; errno tells why. */
bool support_faults_refuse(void);

#endif
