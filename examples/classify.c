/* Tells what is on images, with a network that thaw train or thaw finetune has saved.
       cc classify.c $(pkg-config --cflags --libs thaw) && ./a.out tuned.safetensors photo.jpg other.png */
#include <stdio.h>
#include <stdlib.h>
#include <thaw/thaw.h>

enum { MOST = 3 };

int main(int argc, char **argv)
{
    thaw_context *context = NULL;
    thaw_predictor *predictor = NULL;
    if (argc < 3 || thaw_context_create(NULL, &context) != THAW_OK) {
        fprintf(stderr, "usage: %s WEIGHTS IMAGE...\n", argv[0]);
        return EXIT_FAILURE;
    }
    if (thaw_predictor_open(context, argv[1], NULL, &predictor) != THAW_OK) {
        fprintf(stderr, "%s\n", thaw_context_message(context));
        thaw_context_destroy(context);
        return EXIT_FAILURE;
    }
    const size_t classes = thaw_predictor_classes(predictor), most = classes < MOST ? classes : MOST;
    float *scores = malloc(classes * sizeof *scores);
    int code = scores ? EXIT_SUCCESS : EXIT_FAILURE;
    for (int i = 2; i < argc && scores; i++) {
        size_t best[MOST];
        if (thaw_predictor_file(predictor, argv[i], scores) != THAW_OK) {
            fprintf(stderr, "%s\n", thaw_context_message(context));
            code = EXIT_FAILURE;
            continue;
        }
        thaw_predictor_best(predictor, scores, most, best);
        for (size_t k = 0; k < most; k++)
            printf("%s\t%s\t%.2f %%\n", argv[i], thaw_predictor_class_name(predictor, best[k]),
                   100 * (double)scores[best[k]]);
    }
    free(scores);
    thaw_predictor_destroy(predictor);
    thaw_context_destroy(context);
    return code;
}
