#include "kernels/row_product.h"

#include "core/context.h"
#include "core/threads.h"
#include "kernels/choice.h"
#include "kernels/row_tiles.h"
#include "onednn/own_kernel.h"

typedef struct sizes {
    const thaw_row_tiles_functions *functions;
    size_t batch, inputs, outputs, panels;
    bool bias;
    thaw_residual residual;
    thaw_activation activation;
} sizes;

typedef struct job {
    const sizes *of;
    thaw_row_product_job product;
    float *memory; /* thaw_row_tiles_floats for each thread */
} job;

static size_t rounded_up_share(size_t count, size_t shares)
{
    return (count + shares - 1) / shares;
}

/* The number of shares into which rows are cut, so that `threads` members get pieces of similar size. Each row share
   is divided among threads / shares members by panels. */
static size_t choose_row_shares(const sizes *s, size_t threads)
{
    const size_t tiles = rounded_up_share(s->batch, s->functions->tile_rows), pairs = rounded_up_share(s->panels, 2);
    size_t best = 1, least_work = SIZE_MAX, least_traffic = SIZE_MAX;
    for (size_t shares = 1; shares <= threads; shares++) {
        if (threads % shares != 0)
            continue;
        const size_t others = threads / shares;
        const size_t work = rounded_up_share(tiles, shares) * rounded_up_share(pairs, others);
        const size_t traffic = others * s->batch + shares * s->outputs;
        if (work < least_work || (work == least_work && traffic < least_traffic)) {
            best = shares;
            least_work = work;
            least_traffic = traffic;
        }
    }
    return best;
}

/* Part `at`, in whole grains. */
static thaw_row_range share_of(size_t count, size_t grain, size_t at, size_t shares)
{
    const size_t grains = rounded_up_share(count, grain);
    const size_t begin = grains * at / shares * grain, end = grains * (at + 1) / shares * grain;
    return (thaw_row_range){ begin < count ? begin : count, end < count ? end : count };
}

static void run_member(void *argument, int thread, int threads)
{
    const job *j = argument;
    const sizes *s = j->of;
    const size_t member = (size_t)thread, row_shares = choose_row_shares(s, (size_t)threads);
    const size_t panel_shares = (size_t)threads / row_shares;
    const thaw_row_range rows = share_of(s->batch, s->functions->tile_rows, member / panel_shares, row_shares);
    const thaw_row_range panels = share_of(s->panels, 2, member % panel_shares, panel_shares);
    if (rows.begin < rows.end && panels.begin < panels.end)
        s->functions->multiply(&j->product, rows, panels, j->memory + member * thaw_row_tiles_floats(s->batch));
}

static void run(thaw_context *context, const void *problem, void *const *arguments, void *scratch)
{
    const sizes *s = problem;
    job j = {
        .of = s,
        .memory = scratch,
        .product = {
            .inputs = s->inputs,
            .outputs = s->outputs,
            .source = arguments[THAW_ARGUMENT_SOURCE],
            .panels = arguments[THAW_ARGUMENT_WEIGHTS],
            .bias = s->bias ? arguments[THAW_ARGUMENT_BIAS] : NULL,
            .activation = s->activation,
            .destination = arguments[THAW_ARGUMENT_DESTINATION],
        },
    };
    if (s->residual != THAW_RESIDUAL_NONE)
        j.product.residual =
            arguments[s->residual == THAW_RESIDUAL_BESIDE ? THAW_ARGUMENT_RESIDUAL : THAW_ARGUMENT_DESTINATION];
    if (thaw_choose_row_product_team(s->batch, s->inputs, s->outputs))
        thaw_parallel(context, run_member, &j);
    else
        run_member(&j, 0, 1);
}

/* ---- packing ---- */

/* Nothing about rows, so that products of any number of rows share a copy (thaw_kernel_packs_alike). */
typedef struct panel_sizes {
    const thaw_row_tiles_functions *functions;
    size_t inputs, outputs, panels;
} panel_sizes;

typedef struct packing {
    const panel_sizes *of;
    const float *weight;
    float *panels;
} packing;

static void pack_panels(void *argument, size_t begin, size_t end)
{
    const packing *p = argument;
    p->of->functions->pack(p->weight, p->of->inputs, p->of->outputs, (thaw_row_range){ begin, end }, p->panels);
}

static void pack(thaw_context *context, const void *problem, void *const *arguments, void *scratch)
{
    (void)scratch;
    packing p = { problem, arguments[THAW_ARGUMENT_SOURCE], arguments[THAW_ARGUMENT_DESTINATION] };
    thaw_parallel_for(context, p.of->panels, 1, pack_panels, &p);
}

static void place(const void *problem, uint32_t *row_at, uint32_t *element_at)
{
    const sizes *s = problem;
    const size_t panel = s->functions->panel;
    for (size_t o = 0; o < s->outputs; o++)
        row_at[o] = (uint32_t)(o / panel * panel * s->inputs + o % panel);
    for (size_t k = 0; k < s->inputs; k++)
        element_at[k] = (uint32_t)(k * panel);
}

/* ---- making ---- */

bool thaw_row_product_activates(thaw_activation activation)
{
    return activation <= THAW_ACTIVATION_RELU6;
}

thaw_status thaw_row_product_create(thaw_context *context, const thaw_inner_product *p, thaw_kernel **kernel,
                                    thaw_kernel **packer)
{
    const thaw_row_tiles_functions *functions = THAW_FOR_LEVEL(context->level, &thaw_row_tiles);
    const sizes s = {
        .functions = functions,
        .batch = (size_t)p->batch,
        .inputs = (size_t)p->inputs,
        .outputs = (size_t)p->outputs,
        .panels = rounded_up_share((size_t)p->outputs, functions->panel),
        .bias = p->bias,
        .residual = p->after.residual,
        .activation = p->after.activation,
    };
    const size_t output_bytes = s.batch * s.outputs * sizeof(float);
    const size_t panel_bytes = s.panels * functions->panel * s.inputs * sizeof(float);
    const thaw_own_kernel product = {
        .name = "row product",
        .bytes = { [THAW_ARGUMENT_SOURCE] = s.batch * s.inputs * sizeof(float),
                   [THAW_ARGUMENT_WEIGHTS] = panel_bytes,
                   [THAW_ARGUMENT_BIAS] = s.bias ? s.outputs * sizeof(float) : 0,
                   [THAW_ARGUMENT_RESIDUAL] = s.residual == THAW_RESIDUAL_BESIDE ? output_bytes : 0,
                   [THAW_ARGUMENT_DESTINATION] = output_bytes },
        .scratch_bytes = (size_t)context->threads * thaw_row_tiles_floats(s.batch) * sizeof(float),
        .run = run,
        .place = place,
        .row = s.inputs,
    };
    const thaw_own_kernel packing_kernel = {
        .name = "row product's packing",
        .bytes = { [THAW_ARGUMENT_SOURCE] = s.outputs * s.inputs * sizeof(float),
                   [THAW_ARGUMENT_DESTINATION] = panel_bytes },
        .run = pack,
    };
    thaw_status status = thaw_kernel_create_own(context, &product, &s, sizeof s, kernel);
    if (status != THAW_OK)
        return status;
    const panel_sizes panels = { functions, s.inputs, s.outputs, s.panels };
    status = thaw_kernel_create_own(context, &packing_kernel, &panels, sizeof panels, packer);
    if (status != THAW_OK) {
        thaw_kernel_release(context, *kernel);
        *kernel = NULL;
    }
    return status;
}
