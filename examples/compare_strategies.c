/* Thaw inside a program: which way of fine-tuning is best, and is the difference significant? A network learns whether
   points are in a circle. It is then fine-tuned in three ways for another circle, from a few points.
       cc compare_strategies.c $(pkg-config --cflags --libs thaw) && ./a.out */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thaw/compare.h>
#include <thaw/thaw.h>

enum { SOURCE_POINTS = 2048, POINTS = 48, TEST_POINTS = 1024, STRATEGIES = 3 };

/* A circle of radius 1, and its points with their labels. */
typedef struct task {
    float points[SOURCE_POINTS][2];
    int32_t labels[SOURCE_POINTS];
    thaw_dataset *data;
} task;

/* The first call that fails ends the program with its message. */
static void check(const thaw_context *context, thaw_status status)
{
    if (status == THAW_OK)
        return;
    fprintf(stderr, "%s: %s\n", thaw_status_name(status), thaw_context_message(context));
    exit(EXIT_FAILURE);
}

static void make_task(thaw_context *context, task *made, int count, float centre)
{
    for (int i = 0; i < count; i++) {
        const float x = 3 * (float)rand() / (float)RAND_MAX - 1.5F, y = 3 * (float)rand() / (float)RAND_MAX - 1.5F;
        made->points[i][0] = x;
        made->points[i][1] = y;
        made->labels[i] = (x - centre) * (x - centre) + y * y < 1;
    }
    const thaw_tensor inputs = thaw_view_f32(made->points[0], 2, (int64_t[]){ count, 2 });
    const thaw_tensor targets = thaw_view_i32(made->labels, 1, (int64_t[]){ count });
    check(context, thaw_dataset_from_arrays(context, &inputs, &targets, 2, &made->data));
}

static thaw_status append_layers(thaw_model *model)
{
    thaw_node x;
    thaw_status status = thaw_input(model, &(thaw_shape){ .rank = 1, .dims = { 2 } }, &x);
    if (status == THAW_OK)
        status = thaw_dense(model, x, &(thaw_dense_options){ .name = "body", .units = 32 }, &x);
    if (status == THAW_OK)
        status = thaw_relu(model, x, NULL, &x);
    if (status == THAW_OK)
        status = thaw_dense(model, x, &(thaw_dense_options){ .name = "head", .units = 2 }, &x);
    return status == THAW_OK ? thaw_softmax_cross_entropy(model, x, NULL, &x) : status;
}

/* Called for each run: builds the layers, with the weights of the network that learned the first circle. */
static thaw_status build(void *user, thaw_model *model)
{
    thaw_model *learnt = user;
    thaw_status status = append_layers(model);
    for (size_t i = 0; status == THAW_OK && i < thaw_model_parameter_count(model); i++) {
        const thaw_parameter *from = thaw_model_parameter(learnt, i);
        memcpy(thaw_parameter_edit(thaw_model_parameter(model, i)), thaw_parameter_data(from),
               thaw_shape_count(thaw_parameter_shape(from)) * sizeof(float));
    }
    return status;
}

static thaw_model *learn(thaw_context *context, const task *source)
{
    thaw_model *model = NULL;
    thaw_optimizer *adam = NULL;
    check(context, thaw_model_create(context, &model));
    check(context, append_layers(model));
    check(context, thaw_optimizer_create(context, "adam:lr=1e-2", &adam));
    check(context, thaw_select_optimizer(model, "*", adam));
    thaw_optimizer_destroy(adam);
    check(context, thaw_fit(model, source->data, &(thaw_fit_options){ .epochs = 20 }, NULL));
    return model;
}

int main(void)
{
    static const char *const names[STRATEGIES] = { "full", "head", "scratch" };
    static const char *const optimizers[] = { "adam:lr=1e-2" };
    static task source, target, test;
    thaw_context *context = NULL;
    if (thaw_context_create(&(thaw_context_options){ .seed = 1, .threads = 1 }, &context) != THAW_OK)
        return EXIT_FAILURE;
    make_task(context, &source, SOURCE_POINTS, 0);
    make_task(context, &target, POINTS, 0.3F);
    make_task(context, &test, TEST_POINTS, 0.3F);
    thaw_model *learnt = learn(context, &source);

    thaw_strategy *strategies[STRATEGIES];
    for (int i = 0; i < STRATEGIES; i++)
        check(context, thaw_strategy_create(context, names[i], NULL, &strategies[i]));
    const thaw_comparison_options options = {
        .build = build,
        .user = learnt,
        .training = target.data,
        .test = test.data,
        .strategies = (const thaw_strategy *const *)strategies,
        .strategy_count = STRATEGIES,
        .optimizers = optimizers,
        .optimizer_count = 1,
        .seeds = 5,
        .epochs = 10,
        .batch = 16,
    };
    thaw_comparison *comparison = NULL;
    check(context, thaw_comparison_create(context, &options, &comparison));
    check(context, thaw_comparison_run(comparison));
    thaw_configuration found[STRATEGIES];
    for (size_t i = 0; i < STRATEGIES; i++) {
        check(context, thaw_comparison_at(comparison, i, &found[i]));
        printf("%d. %-8s %.1f %% (%.1f to %.1f), %zu parameters train\n", found[i].rank, found[i].strategy,
               100 * found[i].accuracy.mean, 100 * found[i].accuracy.low, 100 * found[i].accuracy.high,
               found[i].parameters_trained);
    }
    printf("from scratch instead of full: %+.1f points (%+.1f to %+.1f)\n", 100 * found[2].against_full.mean,
           100 * found[2].against_full.low, 100 * found[2].against_full.high);

    const bool clear = found[0].rank < found[2].rank && found[2].against_full.high < 0;
    thaw_comparison_destroy(comparison);
    for (int i = 0; i < STRATEGIES; i++)
        thaw_strategy_destroy(context, strategies[i]);
    thaw_model_destroy(learnt);
    thaw_dataset_destroy(source.data);
    thaw_dataset_destroy(target.data);
    thaw_dataset_destroy(test.data);
    thaw_context_destroy(context);
    return clear ? EXIT_SUCCESS : EXIT_FAILURE;
}
