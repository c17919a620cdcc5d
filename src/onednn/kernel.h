/* A kernel: one oneDNN primitive with the memory objects of its arguments, or a function of our own (own_kernel.h).
   It hides the differences between oneDNN 2 and 3. Buffers that have not moved since the last run are not bound
   again.

   The wrappers in this folder (convolution.h, inner_product.h, ...) make kernels. They return THAW_OK and a kernel
   that the caller releases, or an error with a message and NULL. Activations are NHWC or [batch, features]. */
#ifndef THAW_ONEDNN_KERNEL_H
#define THAW_ONEDNN_KERNEL_H

#include <thaw/layer_capabilities.h>
#include <thaw/runtime.h>
#include <thaw/tensor.h>

typedef struct thaw_kernel thaw_kernel;

typedef enum thaw_argument {
    THAW_ARGUMENT_SOURCE,
    THAW_ARGUMENT_SOURCE_1, /* second operand of a binary kernel */
    THAW_ARGUMENT_WEIGHTS,
    THAW_ARGUMENT_BIAS,
    THAW_ARGUMENT_RESIDUAL, /* see thaw_after */
    THAW_ARGUMENT_DESTINATION,
    THAW_ARGUMENT_SOURCE_GRADIENT,
    THAW_ARGUMENT_WEIGHTS_GRADIENT,
    THAW_ARGUMENT_BIAS_GRADIENT,
    THAW_ARGUMENT_DESTINATION_GRADIENT,
    THAW_ARGUMENT_WORKSPACE,
    THAW_ARGUMENT_KINDS
} thaw_argument;

/* What a kernel does to its result before it stores it, in this order. */
typedef struct thaw_after {
    thaw_residual residual; /* add RESIDUAL, which has DESTINATION's layout; or, in place, what DESTINATION holds */
    thaw_activation activation;
} thaw_after;

typedef struct thaw_binding {
    thaw_argument argument;
    const void *data;
} thaw_binding;

/* Runs the kernel. `scratch` holds at least thaw_kernel_scratch_bytes. Arguments that a kernel does not have are
   ignored, so that a caller may name a missing bias. */
thaw_status thaw_kernel_run(thaw_kernel *kernel, const thaw_binding *bindings, size_t count, void *scratch);

/* How oneDNN computes in bfloat16 here, within the limit that ONEDNN_MAX_CPU_ISA sets. Thread-safe. */
typedef enum thaw_bfloat16_support {
    THAW_BFLOAT16_MISSING,
    THAW_BFLOAT16_EMULATED, /* by AVX-512 */
    THAW_BFLOAT16_NATIVE    /* by AVX512_BF16 */
} thaw_bfloat16_support;

thaw_bfloat16_support thaw_dnn_bfloat16(void);

/* Whether oneDNN computes by AVX2, and by AVX-512, within the same limit. Thread-safe. */
bool thaw_dnn_has_avx2(void);
bool thaw_dnn_has_avx512(void);

size_t thaw_kernel_scratch_bytes(const thaw_kernel *kernel); /* 0 for NULL */

/* Bytes of an argument in the layout that the kernel chose; 0 if it does not have the argument. */
size_t thaw_kernel_bytes(const thaw_kernel *kernel, thaw_argument argument);

/* Whether a kernel of backward weights also computes the bias's gradient. oneDNN's would add all rows in floats, one
   by one, with an error of 1e-5 for 100,000 rows. So our own kernels sum in doubles, and with oneDNN's kernels the
   layer does. False for NULL. */
bool thaw_kernel_sums_bias(const thaw_kernel *kernel);

/* Whether an argument has more bytes than the `bytes` of its elements. oneDNN's layouts may have padding, which
   relayouts need not write and kernels may read: it must be zeros. Our own kernels write all bytes. */
bool thaw_kernel_pads(const thaw_kernel *kernel, thaw_argument argument, size_t bytes);

/* Whether two kernels write the same DESTINATION from the same SOURCE: in the same layout, bit by bit. May be false for
   kernels that do. */
bool thaw_kernel_packs_alike(const thaw_kernel *kernel, const thaw_kernel *other);

/* oneDNN's name of the implementation, such as "brgconv:avx512_core", or ours. Lives as long as the kernel. */
const char *thaw_kernel_name(const thaw_kernel *kernel);

void thaw_kernel_release(thaw_context *context, thaw_kernel *kernel); /* NULL is allowed */

#endif
