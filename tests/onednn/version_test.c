/* This program's own dnnl_version stands before oneDNN's: Thaw meets a library of another major version. */
#include <oneapi/dnnl/dnnl.h>

#include "onednn/eltwise.h"
#include "support/support.h"

const dnnl_version_t *dnnl_version(void)
{
    static const dnnl_version_t other = { .major = DNNL_VERSION_MAJOR + 1, .minor = 7 };
    return &other;
}

Test(version, of_another_major_is_refused)
{
    thaw_context *context = support_context(1);
    thaw_kernel *kernel;
    const thaw_eltwise problem = { .count = 1, .function = THAW_ACTIVATION_RELU };
    assert_fails(context, thaw_eltwise_forward(context, &problem, false, &kernel), THAW_UNSUPPORTED,
                 "Thaw was compiled against");
    cr_assert_null(kernel);
    thaw_context_destroy(context);
}
