/* The system's calls for files, which fail when they are told to. The linker puts the functions of faults.c in the place of
   the system's (--wrap, see tests/meson.build). */
#ifndef THAW_TESTS_SUPPORT_FAULTS_H
#define THAW_TESTS_SUPPORT_FAULTS_H

#include <stdbool.h>
#include <sys/types.h>

/* Instead of an errno: the process is killed. */
enum { SUPPORT_DEATH = -1 };

/* From here on, call number `fail_at` (from 1) fails with this errno. 0: it succeeds, but reads and writes transfer one
   byte only. */
void support_faults_arm(int fail_at, int reason);

/* All calls succeed again. Returns whether the call that was to fail came. */
bool support_faults_disarm(void);

/* The permissions of the last file that was made. */
mode_t support_faults_created(void);

#endif
