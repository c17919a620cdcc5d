#include "support/support.h"

#include <math.h>
#include <omp.h>

#include "onednn/kernel.h"
#include "support/max_cpu.h"

thaw_context *support_context(int threads)
{
    thaw_context *context = NULL;
    const thaw_status status =
        thaw_context_create(&(thaw_context_options){ .threads = threads, .max_cpu = support_max_cpu(), .seed = 1 },
                            &context);
    cr_assert(status == THAW_OK, "no context: %s", thaw_status_name(status));
    return context;
}

int support_usable_threads(int threads)
{
    const int limit = omp_get_thread_limit();
    return threads < limit ? threads : limit;
}

void skip_without_bfloat16(void)
{
    if (thaw_dnn_bfloat16() == THAW_BFLOAT16_MISSING)
        cr_skip_test("no AVX-512");
}

void assert_close(const float *actual, const float *expected, size_t count, double tolerance, const char *what)
{
    for (size_t i = 0; i < count; i++) {
        const double limit = tolerance * fmax(1, fabs((double)expected[i]));
        cr_assert(fabs((double)actual[i] - (double)expected[i]) <= limit, "%s[%zu]: %.9g, expected %.9g", what, i,
                  (double)actual[i], (double)expected[i]);
    }
}

void support_fill(float *values, size_t count, uint32_t seed)
{
    /* Knuth's MMIX constants: independent of the library's own generator. */
    uint64_t state = seed;
    for (size_t i = 0; i < count; i++) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        values[i] = (float)((double)(state >> 33) * 0x1p-30 - 1.0);
    }
}
