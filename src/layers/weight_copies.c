#include "layers/weight_copies.h"

#include <string.h>

enum { WEIGHT, BIAS };

static size_t packed_bytes(const thaw_kernel *pack)
{
    return pack ? thaw_align(thaw_kernel_bytes(pack, THAW_ARGUMENT_DESTINATION)) : 0;
}

static size_t folded_bytes(const thaw_weight_copies *copies)
{
    return copies->folds ? thaw_align(thaw_fold_weight_bytes(&copies->fold)) : 0;
}

/* The weight may leave memory if kernels only read packed copies. */
static thaw_status keep_weight(const thaw_layer_demand *demand, const thaw_kernel *forward, const thaw_kernel *backward,
                               thaw_weight_copies *copies)
{
    if (!demand->capabilities->may_leave[WEIGHT] || !copies->pack_forward || (backward && !copies->pack_backward) ||
        demand->capabilities->low_rank.rank > 0)
        return THAW_OK;
    return thaw_packed_weight_create(demand->context,
                                     &(thaw_packed_weight_options){
                                         .outputs = copies->fold.outputs,
                                         .row = copies->fold.row,
                                         .scaled = copies->folds,
                                         .forward = forward,
                                         .backward = backward,
                                         .backward_offset = copies->backward_offset,
                                         .notes_offset = copies->weight_offset,
                                     },
                                     &copies->packed);
}

/* Packed memory: the weight for forward, the weight for backward, the folded bias, the folded weight; each if there
   is one. */
thaw_status thaw_weight_copies_place(const thaw_layer_demand *demand, const thaw_kernel *forward,
                                     const thaw_kernel *backward, thaw_weight_copies *copies)
{
    const thaw_shape *weight = &demand->parameters[WEIGHT];
    const size_t outputs = (size_t)weight->dims[0];
    copies->fold = (thaw_fold){ outputs, thaw_shape_count(weight) / outputs, demand->parameter_count > BIAS };
    copies->precision = demand->capabilities->precision;
    copies->folds = demand->capabilities->epilogue.maps_channels;
    copies->passing = demand->parameter_gradient[WEIGHT];
    if (!copies->passing) {
        copies->keeps_folded = copies->folds && (!copies->pack_forward || (backward && !copies->pack_backward));
        copies->backward_offset = packed_bytes(copies->pack_forward);
        copies->bias_offset = copies->backward_offset + packed_bytes(copies->pack_backward);
    }
    copies->weight_offset = copies->bias_offset + (copies->folds ? thaw_align(thaw_fold_bias_bytes(&copies->fold)) : 0);
    return keep_weight(demand, forward, backward, copies);
}

void thaw_weight_copies_release(thaw_context *context, thaw_weight_copies *copies)
{
    thaw_kernel_release(context, copies->pack_forward);
    thaw_kernel_release(context, copies->pack_backward);
    thaw_packed_weight_release(context, copies->packed);
}

size_t thaw_weight_copies_packed_bytes(const thaw_weight_copies *copies)
{
    return copies->weight_offset + (copies->keeps_folded ? folded_bytes(copies) : 0) +
           thaw_packed_weight_bytes(copies->packed);
}

static bool packs_alike(const thaw_kernel *pack, const thaw_kernel *other)
{
    return pack && other ? thaw_kernel_packs_alike(pack, other) : pack == other;
}

bool thaw_weight_copies_alike(const thaw_weight_copies *copies, const thaw_weight_copies *other)
{
    if (copies->precision != other->precision || copies->passing != other->passing || copies->folds != other->folds ||
        copies->keeps_folded != other->keeps_folded || copies->backward_offset != other->backward_offset ||
        copies->bias_offset != other->bias_offset || copies->weight_offset != other->weight_offset)
        return false;
    if (copies->packed || other->packed)
        return thaw_packed_weight_equal(copies->packed, other->packed);
    return packs_alike(copies->pack_forward, other->pack_forward) &&
           packs_alike(copies->pack_backward, other->pack_backward);
}

/* ---- scratch ----
   First a passing copy. Then the folded weight from which it is made, and the scratch of the packing kernel; or, later,
   the scratch of the kernel that reads the copy. */

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t passing_bytes(const thaw_weight_copies *copies, const thaw_kernel *pack)
{
    return !copies->passing ? 0 : pack ? packed_bytes(pack) : folded_bytes(copies);
}

/* Bytes of the folded weight, if only packing needs it. */
static size_t between_bytes(const thaw_weight_copies *copies, const thaw_kernel *pack)
{
    return pack && !copies->keeps_folded && !copies->packed ? folded_bytes(copies) : 0;
}

static size_t scratch_bytes(const thaw_weight_copies *copies, const thaw_kernel *pack, const thaw_kernel *kernel)
{
    const size_t packing = between_bytes(copies, pack) + thaw_kernel_scratch_bytes(pack);
    return passing_bytes(copies, pack) + larger(packing, thaw_kernel_scratch_bytes(kernel));
}

size_t thaw_weight_copies_scratch_bytes(const thaw_weight_copies *copies, const thaw_kernel *forward,
                                        const thaw_kernel *backward)
{
    return larger(scratch_bytes(copies, copies->pack_forward, forward),
                  backward ? scratch_bytes(copies, copies->pack_backward, backward) : 0);
}

/* ---- making copies ---- */

static void *in_packed(const thaw_layer_run *run, size_t offset)
{
    return (char *)run->packed + offset;
}

static thaw_status relayout(thaw_kernel *pack, const float *weight, void *copy, void *scratch)
{
    const thaw_binding bindings[] = { { THAW_ARGUMENT_SOURCE, weight }, { THAW_ARGUMENT_DESTINATION, copy } };
    return pack ? thaw_kernel_run(pack, bindings, THAW_COUNT(bindings), scratch) : THAW_OK;
}

thaw_status thaw_weight_copies_pack(const thaw_weight_copies *copies, const thaw_layer_run *run)
{
    const float *weight = run->parameters[WEIGHT];
    char *scratch = run->scratch;
    if (copies->folds)
        thaw_fold_bias(&copies->fold, run, in_packed(run, copies->bias_offset));
    if (copies->packed)
        thaw_packed_weight_pack(copies->packed, run);
    if (copies->packed || copies->passing)
        return THAW_OK;
    if (copies->folds) {
        float *folded = copies->keeps_folded ? in_packed(run, copies->weight_offset) : run->scratch;
        thaw_fold_weight(&copies->fold, run, folded);
        weight = folded;
        if (!copies->keeps_folded)
            scratch += folded_bytes(copies);
    }
    const thaw_status status = relayout(copies->pack_forward, weight, in_packed(run, 0), scratch);
    return status == THAW_OK ? relayout(copies->pack_backward, weight, in_packed(run, copies->backward_offset), scratch)
                             : status;
}

void thaw_weight_copies_unpack(const thaw_weight_copies *copies, const thaw_layer_run *run, size_t first, size_t count,
                               float *values)
{
    thaw_packed_weight_unpack(copies->packed, run, first, count, values);
}

/* Kernels may read the padding of blocked layouts, which relayouts need not write. */
static void clear_padding(const thaw_weight_copies *copies, const thaw_kernel *pack, void *copy)
{
    const size_t elements = copies->fold.outputs * copies->fold.row;
    if (thaw_kernel_pads(pack, THAW_ARGUMENT_DESTINATION, elements * thaw_dtype_bytes(copies->precision)))
        memset(copy, 0, thaw_kernel_bytes(pack, THAW_ARGUMENT_DESTINATION));
}

/* Makes a copy in scratch. */
static thaw_status make_copy(const thaw_weight_copies *copies, const thaw_layer_run *run, thaw_kernel *pack,
                             thaw_weight_copy *copy)
{
    const size_t bytes = passing_bytes(copies, pack);
    char *rest = bytes ? (char *)run->scratch + bytes : run->scratch;
    *copy = (thaw_weight_copy){ bytes ? run->scratch : run->parameters[WEIGHT], rest };
    const float *weight = run->parameters[WEIGHT];
    if (copies->folds) {
        float *folded = pack ? (float *)(void *)rest : run->scratch;
        thaw_fold_weight(&copies->fold, run, folded);
        weight = folded;
    }
    if (!pack)
        return THAW_OK;
    if (copies->folds)
        rest += folded_bytes(copies);
    clear_padding(copies, pack, run->scratch);
    return relayout(pack, weight, run->scratch, rest);
}

static thaw_status copy_for(const thaw_weight_copies *copies, const thaw_layer_run *run, thaw_kernel *pack,
                            size_t offset, thaw_weight_copy *copy)
{
    if (copies->passing)
        return make_copy(copies, run, pack, copy);
    *copy = (thaw_weight_copy){ run->parameters[WEIGHT], run->scratch };
    if (pack || copies->folds)
        copy->weight = in_packed(run, pack ? offset : copies->weight_offset);
    return THAW_OK;
}

thaw_status thaw_weight_copy_for_forward(const thaw_weight_copies *copies, const thaw_layer_run *run,
                                         thaw_weight_copy *copy)
{
    return copy_for(copies, run, copies->pack_forward, 0, copy);
}

thaw_status thaw_weight_copy_for_backward(const thaw_weight_copies *copies, const thaw_layer_run *run,
                                          thaw_weight_copy *copy)
{
    return copy_for(copies, run, copies->pack_backward, copies->backward_offset, copy);
}

const float *thaw_weight_copies_bias(const thaw_weight_copies *copies, const thaw_layer_run *run)
{
    if (copies->folds)
        return in_packed(run, copies->bias_offset);
    return copies->fold.bias ? run->parameters[BIAS] : NULL;
}
