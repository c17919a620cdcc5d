#include "support/moving_memory.h"

#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096, LARGE_PAGE = 2 << 20 };

/* Knuth's MMIX constants; the number of the call decides where threads allocate at one time. */
static size_t next_offset(moving_memory *memory, size_t alignment)
{
    const uint64_t call = __atomic_add_fetch(&memory->random, 1, __ATOMIC_SEQ_CST);
    const uint64_t mixed = (call * 6364136223846793005U + 1442695040888963407U) * 6364136223846793005U;
    return (size_t)(mixed >> 40) % (LARGE_PAGE / alignment) * alignment;
}

static uintptr_t page_of(uintptr_t address)
{
    return address / PAGE * PAGE;
}

/* A mapping for each block, of which only the block's pages stay. */
static void *allocate(void *user, size_t bytes, size_t alignment)
{
    moving_memory *memory = user;
    const size_t room = bytes + 2 * LARGE_PAGE;
    void *mapping = bytes < SIZE_MAX / 2
                        ? mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
                        : MAP_FAILED;
    if (mapping == MAP_FAILED)
        return NULL;
    const uintptr_t begin = (uintptr_t)mapping;
    const uintptr_t block = (begin + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE + next_offset(memory, alignment);
    const uintptr_t first = page_of(block), past = page_of(block + bytes - 1) + PAGE,
                    end = begin + page_of(room + PAGE - 1);
    if (first > begin)
        munmap(mapping, first - begin);
    if (end > past)
        munmap((void *)past, end - past);
    __atomic_add_fetch(&memory->live, 1, __ATOMIC_SEQ_CST);
    return memset((void *)block, memory->filling, bytes);
}

static void release(void *user, void *block, size_t bytes)
{
    moving_memory *memory = user;
    const uintptr_t begin = (uintptr_t)block, first = page_of(begin);
    munmap((void *)first, page_of(begin + bytes - 1) + PAGE - first);
    __atomic_sub_fetch(&memory->live, 1, __ATOMIC_SEQ_CST);
}

thaw_allocator moving_allocator(moving_memory *memory)
{
    return (thaw_allocator){ .allocate = allocate, .release = release, .user = memory };
}
