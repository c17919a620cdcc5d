#include "support/failing_heap.h"

#include <errno.h>
#include <link.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* glibc's own, behind the names that this file takes. */
extern void *__libc_malloc(size_t bytes);
extern void *__libc_calloc(size_t count, size_t bytes);
extern void *__libc_realloc(void *memory, size_t bytes);
extern void *__libc_memalign(size_t alignment, size_t bytes);
extern void __libc_free(void *memory);

/* The C++ library's: exceptions that were thrown and not caught yet, in this thread. */
typedef struct exceptions {
    void *caught;
    unsigned uncaught;
} exceptions;
extern exceptions *__cxa_get_globals(void);

typedef struct code {
    const char *library;
    uintptr_t begin, end;
} code;

static code libgomp = { .library = "libgomp." }, onednn = { .library = "libdnnl." },
            jansson = { .library = "libjansson." };

static struct {
    atomic_bool armed;
    heap_failure failure;
    size_t at;
    atomic_size_t calls;
    atomic_long held, most_held; /* bytes, since it was armed */
} heap;

static int find(struct dl_phdr_info *object, size_t size, void *library)
{
    (void)size;
    code *found = library;
    if (!strstr(object->dlpi_name, found->library))
        return 0;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        if (object->dlpi_phdr[i].p_type == PT_LOAD && object->dlpi_phdr[i].p_flags & PF_X) {
            found->begin = object->dlpi_addr + object->dlpi_phdr[i].p_vaddr;
            found->end = found->begin + object->dlpi_phdr[i].p_memsz;
        }
    }
    return 1;
}

static bool is_of(const code *library, const void *caller)
{
    return (uintptr_t)caller >= library->begin && (uintptr_t)caller < library->end;
}

void failing_heap_arm(heap_failure failure, size_t at)
{
    dl_iterate_phdr(find, &libgomp);
    dl_iterate_phdr(find, &onednn);
    dl_iterate_phdr(find, &jansson);
    heap.failure = failure;
    heap.at = at;
    heap.calls = 0;
    heap.held = heap.most_held = 0;
    heap.armed = true;
}

size_t failing_heap_disarm(size_t *most_bytes)
{
    heap.armed = false;
    *most_bytes = (size_t)heap.most_held;
    return heap.calls;
}

/* A text's buffer doubles. */
static bool is_spared(const void *caller, size_t bytes, bool aligned)
{
    return is_of(&libgomp, caller) || (heap.failure != HEAP_IS_FULL &&
                                       ((aligned && is_of(&onednn, caller)) ||
                                        (bytes >= 32 && (bytes & (bytes - 1)) == 0 && is_of(&jansson, caller)) ||
                                        (heap.failure == HEAP_FAILS_FROM_ON && __cxa_get_globals()->uncaught > 0)));
}

static bool fails(const void *caller, size_t bytes, bool aligned)
{
    if (!heap.armed || is_spared(caller, bytes, aligned))
        return false;
    const size_t call = ++heap.calls;
    bool failed = heap.at && (heap.failure == HEAP_FAILS_ONCE ? call == heap.at : call >= heap.at);
    if (heap.failure == HEAP_IS_FULL)
        failed = heap.at && heap.held + (long)bytes > (long)heap.at;
    if (failed)
        errno = ENOMEM;
    return failed;
}

static void hold(long bytes)
{
    const long held = atomic_fetch_add(&heap.held, bytes) + bytes;
    long most = atomic_load(&heap.most_held);
    while (held > most && !atomic_compare_exchange_weak(&heap.most_held, &most, held))
        continue;
}

static void *taken(void *memory)
{
    if (heap.armed && memory)
        hold((long)malloc_usable_size(memory));
    return memory;
}

static void given_back(void *memory)
{
    if (heap.armed && memory)
        hold(-(long)malloc_usable_size(memory));
}

void *malloc(size_t bytes)
{
    return fails(__builtin_return_address(0), bytes, false) ? NULL : taken(__libc_malloc(bytes));
}

void *calloc(size_t count, size_t bytes)
{
    return fails(__builtin_return_address(0), count * bytes, false) ? NULL : taken(__libc_calloc(count, bytes));
}

void *realloc(void *memory, size_t bytes)
{
    if (fails(__builtin_return_address(0), bytes, false))
        return NULL;
    given_back(memory);
    return taken(__libc_realloc(memory, bytes));
}

void *memalign(size_t alignment, size_t bytes)
{
    return fails(__builtin_return_address(0), bytes, true) ? NULL : taken(__libc_memalign(alignment, bytes));
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
    return fails(__builtin_return_address(0), bytes, true) ? NULL : taken(__libc_memalign(alignment, bytes));
}

int posix_memalign(void **memory, size_t alignment, size_t bytes)
{
    void *found = fails(__builtin_return_address(0), bytes, true) ? NULL : taken(__libc_memalign(alignment, bytes));
    if (!found)
        return ENOMEM;
    *memory = found;
    return 0;
}

void free(void *memory)
{
    given_back(memory);
    __libc_free(memory);
}
