#include "support/candidates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/context.h"
#include "kernels/best_convolution.h"
#include "kernels/best_inner_product.h"
#include "kernels/choice.h"
#include "kernels/outer_products.h"
#include "kernels/panel_product.h"
#include "kernels/row_product.h"
#include "kernels/winograd.h"
#include "kernels/winograd_weights.h"
#include "onednn/own_kernel.h"
#include "support/arrays.h"
#include "support/check.h"

/* ---------------------------------------------------------------- the candidates */

static void set_name(bench_candidate *c)
{
    const void *problem;
    snprintf(c->name, sizeof c->name, "%s%s", thaw_kernel_own(c->kernel, &problem) ? "" : "oneDNN ",
             thaw_kernel_name(c->kernel));
}

static size_t open_convolutions(thaw_context *context, const bench_problem *b, bench_candidate *c)
{
    thaw_convolution p = b->convolution;
    const bool gradient = b->task == BENCH_WEIGHT_GRADIENT, back = b->task == BENCH_SOURCE_GRADIENT;
    p.training = b->task != BENCH_FORWARD_FROZEN;
    thaw_status (*const primitive)(thaw_context *, const thaw_convolution *, thaw_kernel **, thaw_kernel **) =
        gradient ? thaw_convolution_backward_weights
        : back   ? thaw_convolution_backward_data
                 : thaw_convolution_forward;
    if (gradient)
        bench_check(context, thaw_winograd_weights_create(context, &p, &c[0].kernel));
    else
        bench_check(context, (back ? thaw_winograd_backward_data : thaw_winograd_forward)(context, &p, &c[0].kernel,
                                                                                          &c[0].pack));
    for (int i = 1; i < BENCH_MOST_CANDIDATES; i++) {
        p.direct = i > 1;
        bench_check(context, primitive(context, &p, &c[i].kernel, gradient ? &c[i].unpack : &c[i].pack));
    }
    for (int i = 0; i < BENCH_MOST_CANDIDATES; i++)
        set_name(&c[i]);
    const bool ours = gradient ? thaw_choose_winograd_weights(&p)
                      : back   ? thaw_choose_winograd_backward_data(context->level, &p)
                               : thaw_choose_winograd_forward(context->level, &p);
    const bool alike = strcmp(c[1].name, c[2].name) == 0; /* there is only one implementation */
    if (alike)
        bench_candidates_close(context, &c[2], 1);
    c[ours ? 0 : !alike && thaw_choose_direct_convolution(&p) ? 2 : 1].preferred = true;
    return alike ? 2 : 3;
}

static size_t open_frozen_products(thaw_context *context, const thaw_inner_product *given, bench_candidate *c)
{
    thaw_inner_product p = *given;
    p.packed = true;
    bench_check(context, thaw_row_product_create(context, &p, &c[0].kernel, &c[0].pack));
    bench_check(context, thaw_inner_product_forward(context, &p, &c[1].kernel, &c[1].pack));
    set_name(&c[0]);
    set_name(&c[1]);
    c[thaw_choose_row_product(&p) ? 0 : 1].preferred = true;
    return 2;
}

/* In the order of thaw_dense_packing. */
static size_t open_packings(thaw_context *context, const thaw_inner_product *given, bench_candidate *c)
{
    static const char *const names[] = { "nothing packed", "weight packed", "input packed" };
    thaw_inner_product p = *given;
    p.training = true;
    for (int i = THAW_PACK_NOTHING; i <= THAW_PACK_WEIGHT; i++) {
        p.packed = i == THAW_PACK_WEIGHT;
        bench_check(context, thaw_best_inner_product_forward(context, &p, &c[i].kernel, &c[i].pack));
    }
    c[THAW_PACK_INPUT].swapped = bench_zeros(sizeof *c->swapped);
    bench_check(context, thaw_swapped_dense_create(context, &p, c[THAW_PACK_INPUT].swapped));
    for (int i = 0; i < BENCH_MOST_CANDIDATES; i++)
        snprintf(c[i].name, sizeof c[i].name, "%s", names[i]);
    c[thaw_choose_dense_packing(&p, true)].preferred = true;
    return 3;
}

static size_t open_outer_products(thaw_context *context, const thaw_inner_product *p, bench_candidate *c)
{
    size_t count = 0;
    if (p->inputs >= THAW_PANEL_WIDTH)
        bench_check(context, thaw_outer_products_create(context, p, &c[count++].kernel));
    bench_check(context, thaw_inner_product_backward_weights(context, p, &c[count++].kernel));
    for (size_t i = 0; i < count; i++)
        set_name(&c[i]);
    c[thaw_choose_outer_products(p) ? 0 : count - 1].preferred = true;
    return count;
}

/* ---------------------------------------------------------------- running them */

static size_t larger(size_t left, size_t right)
{
    return left > right ? left : right;
}

static void add_memory(bench_candidate *c)
{
    size_t scratch = c->swapped ? thaw_swapped_dense_scratch_bytes(c->swapped) : 0;
    const thaw_kernel *const kernels[] = { c->kernel, c->pack, c->unpack };
    for (size_t i = 0; i < THAW_COUNT(kernels); i++)
        scratch = larger(scratch, thaw_kernel_scratch_bytes(kernels[i]));
    c->scratch = bench_zeros(scratch);
    c->packed = c->pack ? bench_zeros(thaw_kernel_bytes(c->pack, THAW_ARGUMENT_DESTINATION)) : NULL;
    c->packed_gradient = c->unpack ? bench_zeros(thaw_kernel_bytes(c->kernel, THAW_ARGUMENT_WEIGHTS_GRADIENT)) : NULL;
}

static void relayout(const thaw_context *context, thaw_kernel *kernel, const float *from, float *into, void *scratch)
{
    const thaw_binding bindings[] = { { THAW_ARGUMENT_SOURCE, from }, { THAW_ARGUMENT_DESTINATION, into } };
    bench_check(context, thaw_kernel_run(kernel, bindings, THAW_COUNT(bindings), scratch));
}

static void run_swapped(thaw_context *context, const bench_candidate *c, const bench_operands *o)
{
    const void *const inputs[] = { o->source };
    const thaw_layer_run run = {
        .context = context, .inputs = inputs, .output = o->destination, .scratch = c->scratch
    };
    bench_check(context, thaw_swapped_dense_run(c->swapped, &run, o->weights, o->bias));
}

/* Passes a kernel those of the arguments that it has. */
void bench_candidate_run(thaw_context *context, bench_candidate *c, const bench_operands *o)
{
    if (c->swapped) {
        run_swapped(context, c, o);
        return;
    }
    if (c->packs)
        relayout(context, c->pack, o->weights, c->packed, c->scratch);
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_SOURCE, o->source },
        { THAW_ARGUMENT_WEIGHTS, c->pack ? c->packed : o->weights },
        { THAW_ARGUMENT_BIAS, o->bias },
        { THAW_ARGUMENT_DESTINATION, o->destination },
        { THAW_ARGUMENT_SOURCE_GRADIENT, o->source_gradient },
        { THAW_ARGUMENT_WEIGHTS_GRADIENT, c->unpack ? c->packed_gradient : o->weights_gradient },
        { THAW_ARGUMENT_DESTINATION_GRADIENT, o->destination_gradient },
    };
    bench_check(context, thaw_kernel_run(c->kernel, bindings, THAW_COUNT(bindings), c->scratch));
    if (c->unpack)
        relayout(context, c->unpack, c->packed_gradient, o->weights_gradient, c->scratch);
}

size_t bench_candidates_open(thaw_context *context, const bench_problem *problem, const bench_operands *operands,
                             bench_candidate *candidates)
{
    memset(candidates, 0, BENCH_MOST_CANDIDATES * sizeof *candidates);
    const size_t count =
        !problem->is_product                     ? open_convolutions(context, problem, candidates)
        : problem->task == BENCH_FORWARD_FROZEN  ? open_frozen_products(context, &problem->product, candidates)
        : problem->task == BENCH_WEIGHT_GRADIENT ? open_outer_products(context, &problem->product, candidates)
                                                 : open_packings(context, &problem->product, candidates);
    for (size_t i = 0; i < count; i++) {
        bench_candidate *c = &candidates[i];
        add_memory(c);
        if (c->pack)
            relayout(context, c->pack, operands->weights, c->packed, c->scratch);
        c->packs = c->pack && problem->task != BENCH_FORWARD_FROZEN;
    }
    return count;
}

void bench_candidates_close(thaw_context *context, bench_candidate *candidates, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bench_candidate *c = &candidates[i];
        if (c->swapped)
            thaw_swapped_dense_release(context, c->swapped);
        thaw_kernel_release(context, c->pack); /* the kernel may refer to it */
        thaw_kernel_release(context, c->unpack);
        thaw_kernel_release(context, c->kernel);
        free(c->swapped);
        free(c->packed);
        free(c->packed_gradient);
        free(c->scratch);
    }
}
