#include "core/pages.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

void thaw_pages_give_back(void *memory, size_t bytes)
{
#ifdef MADV_DONTNEED
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const uintptr_t first = ((uintptr_t)memory + page - 1) / page * page;
    const uintptr_t past = ((uintptr_t)memory + bytes) / page * page;
    /* If it fails, as for locked pages, the memory just stays in use. */
    if (past > first)
        madvise((void *)first, past - first, MADV_DONTNEED);
#else
    (void)memory;
    (void)bytes;
#endif
}
