#include "core/system_memory.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/sanitized.h"

static const thaw_allocator *system_memory = &thaw_system_memory;

static void *take(size_t bytes, size_t alignment)
{
    void *memory = system_memory->allocate(system_memory->user, bytes, alignment);
    cr_assert_not_null(memory);
    cr_assert((size_t)memory % alignment == 0, "%zu bytes at %p", bytes, memory);
    return memory;
}

static void give(void *memory, size_t bytes)
{
    system_memory->release(system_memory->user, memory, bytes);
}

Test(system_memory, gives_whole_blocks_of_any_size)
{
    const size_t sizes[] = { 1, 64, 4096, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, (5 << 20) + 4097 };
    for (size_t alignment = 64; alignment <= 4096; alignment *= 2)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            unsigned char *memory = take(sizes[i], alignment);
            memset(memory, 0xA5, sizes[i]);
            cr_assert(memory[0] == 0xA5 && memory[sizes[i] - 1] == 0xA5);
            give(memory, sizes[i]);
        }
    give(NULL, 64);
    give(NULL, 1 << 20);
}

#ifndef ADDRESSES_ARE_WATCHED /* which ends the process there */
Test(system_memory, fails_for_more_than_there_is)
{
    cr_assert_null(system_memory->allocate(system_memory->user, SIZE_MAX / 2, 64));
    cr_assert_null(system_memory->allocate(system_memory->user, SIZE_MAX, 64));
}
#endif

static size_t resident_bytes(void)
{
    unsigned long all = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    cr_assert_not_null(file);
    cr_assert(fscanf(file, "%lu %lu", &all, &resident) == 2);
    fclose(file);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

#ifdef ADDRESSES_ARE_WATCHED
static const bool quarantines = true; /* what was released is held for a while */
#else
static const bool quarantines = false;
#endif

/* As training runs do whose results are kept: each takes a little more than what the one before left. */
Test(system_memory, large_blocks_leave_nothing_between_small_ones)
{
    enum { ROUNDS = 60 };
    void *kept[ROUNDS];
    const size_t before = resident_bytes();
    for (size_t i = 0; i < ROUNDS; i++) {
        const size_t bytes = (4 << 20) + i * 65536;
        void *memory = take(bytes, 64);
        memset(memory, 1, bytes);
        kept[i] = take(256, 64);
        give(memory, bytes);
    }
    const size_t after = resident_bytes();
    cr_assert(quarantines || after < before + (32 << 20), "%zu bytes more", after - before);
    for (size_t i = 0; i < ROUNDS; i++)
        give(kept[i], 256);
}
