#include "core/channel_loops.h"
#include "core/cpu.h"

static const void *move(const thaw_channel_rows *matrix, const void *values, size_t rows)
{
    return values ? (const char *)values + rows * matrix->channels * thaw_dtype_bytes(matrix->precision) : NULL;
}

thaw_channel_rows thaw_channel_rows_of(const thaw_channel_rows *matrix, size_t first, size_t count)
{
    thaw_channel_rows rows = *matrix;
    rows.rows = count;
    rows.values = move(matrix, matrix->values, first);
    rows.inputs = move(matrix, matrix->inputs, first);
    rows.result = (void *)(uintptr_t)move(matrix, matrix->result, first);
    return rows;
}

const thaw_channel_functions *thaw_channel_functions_of_cpu(void)
{
#ifdef __x86_64__
    static const thaw_channel_functions *const builds[] = {
        [THAW_CPU_BASELINE] = &thaw_channel_loops_baseline,
        [THAW_CPU_V3] = &thaw_channel_loops_v3,
        [THAW_CPU_V4] = &thaw_channel_loops_v4,
    };
    return builds[thaw_cpu_detect()];
#else
    return &thaw_channel_loops_baseline;
#endif
}
