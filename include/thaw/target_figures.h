/* How well a model predicts targets that are numbers: regression, and several labels. */
#ifndef THAW_TARGET_FIGURES_H
#define THAW_TARGET_FIGURES_H

#include <thaw/data.h>
#include <thaw/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Figures over the samples of a data set, of one column of the targets or of all of them. Errors are in the targets' own
   units: scaled ones (thaw_dataset_target_scale) and the model's outputs are scaled back. */
typedef struct thaw_target_figures {
    double mae;  /* mean absolute error */
    double rmse; /* root of the mean squared error */
    /* Coefficient of determination, 1 - (squared errors) / (squared differences of the targets from their mean); NAN if
       all targets are the same. 1 is perfect, 0 no better than always the mean. */
    double r2;
    double accuracy; /* share of targets that the output is on the side of: above 0 for those above 0.5 (as probability
                        of a label, sigmoid(output) above 0.5), else not above */
} thaw_target_figures;

/* Evaluates a model on a data set with float targets of the model's output shape; `batch` 0: 128. `columns` (NULL: not
   wanted) gets the figures of each element of a sample's targets. `all` gets those of all: errors and accuracy are over
   all elements; r2 is the mean of the columns', as scikit-learn's r2_score, NAN if one is.
   Errors: THAW_INVALID_ARGUMENT (targets that are labels of classes, or a batch below 0), THAW_SHAPE_MISMATCH, those of
   thaw_predict and thaw_dataset_read. */
THAW_API thaw_status thaw_evaluate_targets(thaw_model *model, thaw_dataset *dataset, int64_t batch,
                                           thaw_target_figures *columns, thaw_target_figures *all);

#ifdef __cplusplus
}
#endif

#endif
