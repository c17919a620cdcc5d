/* Mixing the samples of a batch with each other and their targets, and noise on the outputs of frozen layers, while a
   run trains. All is drawn by seed, step and place in the step's batch, so that a run has the same bits on any number
   of ranks, and continues with them from a checkpoint. */
#ifndef THAW_MIXING_H
#define THAW_MIXING_H

#include <thaw/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Each batch, or each shard of a step of several, is mixed with itself, moved on by one sample: sample i with sample
   i - 1, and the first with the last. The shares are lambda and 1 - lambda; lambda is drawn from Beta(alpha, alpha),
   once a batch. As torchvision's MixUp and CutMix, whose soft targets lambda t[i] + (1 - lambda) t[i - 1] these are: a
   softmax cross-entropy of labels reads both labels, and targets that are numbers are mixed themselves. Accuracies of
   training count the sample's own label.

   Zero everywhere: nothing. */
typedef struct thaw_mixing_options {
    double mixup; /* alpha of samples; Zhang et al. 2018, arXiv 1710.09412. Nothing of the training data is cached */
    /* Alpha of a rectangle of images, cut from the other one; lambda becomes the share that is left. Yun et al. 2019,
       arXiv 1905.04899. Beside mixup, each batch has one of them, with the same probability. */
    double cutmix;
    /* The same on what the frozen layers pass on, cached or not: alpha of mixup there (Verma et al. 2019, arXiv
       1806.05236), not beside the other two. Where no layer is frozen, samples are mixed */
    double feature_mixup;
    /* The deviation of a normal number of mean 1, by which each channel (the last dimension) of each sample's outputs
       of the frozen layers is multiplied; Srivastava et al. 2014, section 10. */
    double feature_noise;
} thaw_mixing_options;

#ifdef __cplusplus
}
#endif

#endif
