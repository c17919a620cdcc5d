#include "train/probabilities.h"

#include <math.h>

void thaw_make_probabilities(float *scores, size_t count)
{
    double sum = 0;
    float most = scores[0];
    for (size_t i = 1; i < count; i++)
        most = fmaxf(most, scores[i]);
    for (size_t i = 0; i < count; i++)
        sum += exp((double)scores[i] - (double)most);
    for (size_t i = 0; i < count; i++)
        scores[i] = (float)(exp((double)scores[i] - (double)most) / sum);
}
