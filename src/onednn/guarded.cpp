#include "onednn/guarded.h"

#include <cstdlib>
#ifdef __GLIBC__
#include <execinfo.h>
#endif

namespace
{

/* More than oneDNN 2.6 takes at once: 50 KB for a primitive, 500 KB for the code of matrix products. */
constexpr std::size_t KB = 1024, for_object = 128 * KB, for_products = 1024 * KB;

/* If oneDNN's own allocator finds no memory, oneDNN constructs some objects at address 0. So it is only called while
   there is memory enough. Blocks are smaller than glibc's threshold for mappings: a mapped block would raise that. */
bool has_room(std::size_t bytes)
{
    constexpr std::size_t block = 64 * KB, most = for_products / block;
    const std::size_t wanted = bytes / block;
    void *volatile blocks[most]; /* volatile: otherwise the compiler removes all calls */
    std::size_t count = 0;
    while (count < wanted && (blocks[count] = std::malloc(block)))
        count++;
    const bool found = count == wanted;
    while (count > 0)
        std::free(blocks[--count]);
    return found;
}

/* glibc loads the unwinder when an exception first passes one of its functions, such as pthread_once. It ends the process
   if it has no memory for that, so this makes it load the unwinder before. */
bool can_unwind()
{
#ifdef __GLIBC__
    void *frame;
    return backtrace(&frame, 1) > 0;
#else
    return true;
#endif
}

/* Repairs oneDNN's cache of primitives after an exception. An exception leaves the cache locked if an insertion failed, or
   with an entry whose promise is broken, so that this primitive could never be created again. Reading the capacity
   unlocks the cache: the thread that holds the lock cannot lock it again, oneDNN ignores that error, and then unlocks.
   A capacity of 0 drops all entries. Primitives in use stay. */
void repair_cache()
{
    int capacity = 0;
    if (dnnl_get_primitive_cache_capacity(&capacity) == dnnl_success && capacity > 0) {
        dnnl_set_primitive_cache_capacity(0);
        dnnl_set_primitive_cache_capacity(capacity);
    }
}

/* Calls a function of oneDNN. `room`: the bytes that it may need; 0 for one that creates nothing. oneDNN throws only for
   lack of memory, or because of a broken promise that such an exception left. */
template <typename Function, Function function, std::size_t room> struct guard;

template <typename... Arguments, dnnl_status_t (*function)(Arguments...), std::size_t room>
struct guard<dnnl_status_t (*)(Arguments...), function, room> {
    static dnnl_status_t call(Arguments... arguments) noexcept
    {
        if (room > 0 && (!has_room(room) || !can_unwind()))
            return dnnl_out_of_memory;
        try {
            return function(arguments...);
        } catch (...) {
            if (room > 0)
                repair_cache();
            return dnnl_out_of_memory;
        }
    }
};

} // namespace

#define THAW_DEFINE(name, room) \
    decltype(&dnnl_##name) const thaw_dnnl_##name = guard<decltype(&dnnl_##name), dnnl_##name, room>::call;
#define THAW_DEFINE_CREATOR(name) THAW_DEFINE(name, for_object)

THAW_DNNL_CREATORS(THAW_DEFINE_CREATOR)
THAW_DEFINE(sgemm, for_products)
THAW_DEFINE(primitive_execute, 0)
