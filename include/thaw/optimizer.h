/* Optimizers: a module (arithmetic, see thaw/optimizer_module.h) with values for its hyper-parameters. A group of
   parameters has one. */
#ifndef THAW_OPTIMIZER_H
#define THAW_OPTIMIZER_H

#include <thaw/context.h>
#include <thaw/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A module with values for its hyper-parameters. Several groups may share one. */
typedef struct thaw_optimizer thaw_optimizer;
typedef struct thaw_optimizer_module thaw_optimizer_module;

/* Creates an optimizer from its description: a built-in module's name (thaw_optimizer_builtin) or the path
   of a shared object, followed by hyper-parameters: "sgd:lr=1e-2,momentum=0.9". The path must contain a '/', and the
   object must define `const thaw_optimizer_module thaw_module`. A wrapper (thaw_optimizer_builtin_wrapper, or a shared
   object that is one) comes before the optimizer that it wraps, and a '/' between them: "lookahead/adamw",
   "lookahead:k=10/cautious/adamw:lr=1e-2", "./own.so:rate=2/./lion.so:lr=1e-4". Hyper-parameters that are not given have PyTorch's
   defaults; wd is short for weight_decay. The caller owns the optimizer (thaw_optimizer_destroy).

   The state of adam, adamw, lion and sgd can be kept in fewer bits than 32, and of modules whose slots have ranges
   (thaw/optimizer_module.h): "adamw:state=8bit", "sgd:lr=0.1,momentum=0.9,state=bf16"; state=f32 is the default.

   8bit has blocks of 256 numbers, each with its largest magnitude, as Dettmers et al. 2022, "8-bit Optimizers via
   Block-wise Quantization" (arXiv 2110.02861), with bitsandbytes' maps and block size: 0.254 of the bytes. A number
   becomes the nearest entry of the map, which is off by at most 0.0071 of the block's largest (0.0036 if none is
   negative), and above a tenth of that by at most 7.1 % (3.6 %) of the number. bitsandbytes makes a small number of a
   first moment below zero the next entry below zero instead of 0; Thaw does not.

   bf16 is rounded up or down by chance, so that small changes add up: Zamirai et al. 2020, "Revisiting BFloat16
   Training" (arXiv 2010.06192). The random numbers are keyed by the seed, the parameter, its step and the element.

   Parameters of fewer than 4096 elements keep floats, as in bitsandbytes, and so does amsgrad's maximum. A step computes in
   floats, from the rounded state to values that are rounded after it, the same to the bit for any thread count. Elements
   that are held (thaw/combine.h) keep their value, and their state to the bit in bf16; in 8bit a held element's state
   may be rounded again when its block's largest changes. State of zero stays zero.

   Errors: THAW_NOT_FOUND (unknown name or hyper-parameter; the message lists the known ones), THAW_INVALID_ARGUMENT
   (value not a finite number or out of range, an unknown state, values that do not go together, a wrapper without an optimizer or around
   one that it does not go with), THAW_IO_ERROR (the file cannot be
   read), THAW_BAD_FORMAT (no shared object, or its module is not one: another abi, a struct that is too short or too
   long). */
THAW_API thaw_status thaw_optimizer_create(thaw_context *context, const char *description, thaw_optimizer **optimizer);

/* The same with a module of the caller's, which must outlive the optimizer. `settings` is "lr=1e-4,beta1=0.9", NULL or
   "" for the defaults; for a wrapper, "k=10/adamw:lr=1e-2" or "/adamw". Errors: as for settings above; THAW_INVALID_ARGUMENT (the module: another abi, a struct that is
   too short or too long, or a field). */
THAW_API thaw_status thaw_optimizer_create_from(thaw_context *context, const thaw_optimizer_module *module,
                                                const char *settings, thaw_optimizer **optimizer);

/* Drops the caller's reference; groups that use it keep theirs. NULL is allowed. */
THAW_API void thaw_optimizer_destroy(thaw_optimizer *optimizer);

/* Changes a hyper-parameter from the next step on. That of a wrapper has its name before it: "lookahead_k". Errors: as
   for thaw_optimizer_create; an error changes nothing. */
THAW_API thaw_status thaw_optimizer_set(thaw_optimizer *optimizer, const char *name, double value);

/* The value of a hyper-parameter; NAN if neither the module nor a wrapper has one of that name. */
THAW_API double thaw_optimizer_get(const thaw_optimizer *optimizer, const char *name);

/* The name of its module, after those of its wrappers, and how its state is kept if not in floats: "lookahead/adamw",
   "adamw:state=8bit". It belongs to the optimizer. */
THAW_API const char *thaw_optimizer_name(const thaw_optimizer *optimizer);

/* How its state is kept: THAW_F32, THAW_BF16, or THAW_U8 for 8 bits. It never changes. */
THAW_API thaw_dtype thaw_optimizer_state_dtype(const thaw_optimizer *optimizer);

/* The module that it was made from, within its wrappers; a copy, if that was compiled for an older, shorter struct. */
THAW_API const thaw_optimizer_module *thaw_optimizer_module_of(const thaw_optimizer *optimizer);

/* The built-in modules, in alphabetical order; NULL past the end. Static storage; thread-safe. */
THAW_API const thaw_optimizer_module *thaw_optimizer_builtin(size_t index);

/* The built-in wrappers, likewise. */
THAW_API const thaw_optimizer_module *thaw_optimizer_builtin_wrapper(size_t index);

#ifdef __cplusplus
}
#endif

#endif
