/* Thaw inside a program: build a network, train it on arrays in memory, freeze a part, train the rest, predict.
   The task: is a point inside the unit circle?
       cc embed.c $(pkg-config --cflags --libs thaw) && ./a.out */
#include <stdio.h>
#include <stdlib.h>
#include <thaw/thaw.h>

enum { POINTS = 4096, BATCH = 64 };

/* The first call that fails ends the program with its message. */
static void check(const thaw_context *context, thaw_status status)
{
    if (status == THAW_OK)
        return;
    fprintf(stderr, "%s: %s\n", thaw_status_name(status), thaw_context_message(context));
    exit(EXIT_FAILURE);
}

static void make_points(float points[POINTS][2], int32_t labels[POINTS])
{
    for (int i = 0; i < POINTS; i++) {
        points[i][0] = 3 * (float)rand() / (float)RAND_MAX - 1.5F;
        points[i][1] = 3 * (float)rand() / (float)RAND_MAX - 1.5F;
        labels[i] = points[i][0] * points[i][0] + points[i][1] * points[i][1] < 1;
    }
}

int main(void)
{
    static float points[POINTS][2];
    static int32_t labels[POINTS];
    make_points(points, labels);

    thaw_context *context = NULL;
    thaw_model *model = NULL;
    thaw_optimizer *adam = NULL;
    if (thaw_context_create(&(thaw_context_options){ .seed = 1 }, &context) != THAW_OK)
        return EXIT_FAILURE;
    check(context, thaw_model_create(context, &model));

    thaw_node x;
    check(context, thaw_input(model, &(thaw_shape){ .rank = 1, .dims = { 2 } }, &x));
    check(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "body", .units = 32 }, &x));
    check(context, thaw_relu(model, x, NULL, &x));
    check(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "head", .units = 2 }, &x));
    check(context, thaw_softmax_cross_entropy(model, x, NULL, &x));
    check(context, thaw_optimizer_create(context, "adam:lr=1e-2", &adam));
    check(context, thaw_select_optimizer(model, "*", adam));
    thaw_optimizer_destroy(adam);

    for (int epoch = 1; epoch <= 10; epoch++) {
        if (epoch == 6) /* from here on only the head trains; the next step compiles another plan */
            check(context, thaw_model_freeze(model, "body"));
        size_t correct = 0;
        for (int i = 0; i < POINTS; i += BATCH) {
            const thaw_tensor inputs = thaw_view_f32(points[i], 2, (int64_t[]){ BATCH, 2 });
            const thaw_tensor targets = thaw_view_i32(&labels[i], 1, (int64_t[]){ BATCH });
            thaw_step_result result;
            check(context, thaw_step(model, &inputs, &targets, NULL, &result));
            correct += result.correct;
        }
        printf("epoch %2d: %.1f %% right, %zu parameters train\n", epoch, 100.0 * (double)correct / POINTS,
               thaw_model_summary_totals(model).trainable_parameters);
    }

    const float centre_and_corner[2][2] = { { 0, 0 }, { 1.4F, 1.4F } };
    float logits[2][2];
    const thaw_tensor inputs = thaw_view_f32(centre_and_corner[0], 2, (int64_t[]){ 2, 2 });
    const thaw_tensor outputs = thaw_view_f32(logits[0], 2, (int64_t[]){ 2, 2 });
    check(context, thaw_predict(model, &inputs, &outputs));
    const bool centre_inside = logits[0][1] > logits[0][0], corner_inside = logits[1][1] > logits[1][0];
    printf("the centre is %s, the corner is %s\n", centre_inside ? "inside" : "outside",
           corner_inside ? "inside" : "outside");

    thaw_model_destroy(model);
    thaw_context_destroy(context);
    return centre_inside && !corner_inside ? EXIT_SUCCESS : EXIT_FAILURE;
}
