#include "onednn/guarded.h"

#include <cstdlib>
#ifdef __GLIBC__
#include <execinfo.h>
#endif

namespace
{

/* What oneDNN 2.6 takes at most, and more: a primitive takes 50 KB, the code for products of matrices 500 KB. */
constexpr std::size_t KB = 1024, for_object = 128 * KB, for_products = 1024 * KB;

/* oneDNN constructs some of its objects where its own allocator found nothing: at address 0. So it is not asked for any
   while there is less memory than they take. The blocks are below glibc's threshold for mappings, whose use would move it. */
bool has_room(std::size_t bytes)
{
    constexpr std::size_t block = 64 * KB, most = for_products / block;
    const std::size_t wanted = bytes / block;
    void *volatile blocks[most]; /* volatile: or the compiler leaves all calls out */
    std::size_t count = 0;
    while (count < wanted && (blocks[count] = std::malloc(block)))
        count++;
    const bool found = count == wanted;
    while (count > 0)
        std::free(blocks[--count]);
    return found;
}

/* glibc loads the unwinder when an exception first passes one of its functions, such as pthread_once, and ends the process
   if it has no memory for that: so it is made to load it before. */
bool can_unwind()
{
#ifdef __GLIBC__
    void *frame;
    return backtrace(&frame, 1) > 0;
#else
    return true;
#endif
}

/* What an exception leaves behind in oneDNN's cache of primitives: its lock, where insertion failed, and an entry that
   waits for its primitive for ever. Asking for the capacity gives the lock back: to lock it again fails in the thread that
   holds it, which oneDNN overlooks, and then it unlocks. A capacity of 0 drops all entries; primitives in use stay. */
void tidy_cache()
{
    int capacity = 0;
    if (dnnl_get_primitive_cache_capacity(&capacity) == dnnl_success && capacity > 0) {
        dnnl_set_primitive_cache_capacity(0);
        dnnl_set_primitive_cache_capacity(capacity);
    }
}

/* oneDNN itself throws for want of memory alone, so whatever is caught is that. */
template <typename Function> dnnl_status_t create(std::size_t room, Function function) noexcept
{
    if (!has_room(room) || !can_unwind())
        return dnnl_out_of_memory;
    try {
        return function();
    } catch (...) {
        tidy_cache();
        return dnnl_out_of_memory;
    }
}

} // namespace

#define THAW_DEFINE(name, parameters, call)              \
    dnnl_status_t thaw_dnnl_##name parameters            \
    {                                                    \
        return create(for_object, [&] { return call; }); \
    }
THAW_DNNL_CREATORS(THAW_DEFINE)

#define THAW_DEFINE_PRODUCT(name, parameters, call)        \
    dnnl_status_t thaw_dnnl_##name parameters              \
    {                                                      \
        return create(for_products, [&] { return call; }); \
    }
THAW_DNNL_PRODUCT(THAW_DEFINE_PRODUCT)

/* Nothing is left behind here: lists of arguments are made before anything else. */
#define THAW_DEFINE_EXECUTE(name, parameters, call) \
    dnnl_status_t thaw_dnnl_##name parameters       \
    {                                               \
        try {                                       \
            return call;                            \
        } catch (...) {                             \
            return dnnl_out_of_memory;              \
        }                                           \
    }
THAW_DNNL_EXECUTE(THAW_DEFINE_EXECUTE)
