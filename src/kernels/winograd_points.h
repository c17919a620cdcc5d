/* The transforms of F(3x3, 4x4) in one dimension. winograd_weights_loops.c applies each to columns and rows. */
#ifndef THAW_KERNELS_WINOGRAD_POINTS_H
#define THAW_KERNELS_WINOGRAD_POINTS_H

#include "kernels/lanes.h"
#include "kernels/winograd_weights_loops.h"

/* The transforms evaluate polynomials at the points 0, NEAR, -NEAR, FAR, -FAR and infinity. Of the choices whose
   products are exact, this one loses little: the root mean square error of sums of 256 products of numbers in
   [-1, 1) is 2.8e-6. Adding them one by one has 1.6e-6, and the paper's points 1 and 2 have 5.9e-6. */
#define NEAR 0.625F
#define FAR 1.5F
#define NEAR_SQUARE (NEAR * NEAR)
#define FAR_SQUARE (FAR * FAR)

/* Of a window: zero at all points but one, where that belongs to the sum. */
INLINE void transform_window(lanes points[THAW_WINDOW], const lanes d[THAW_WINDOW])
{
    const lanes near_even = d[4] - FAR_SQUARE * d[2], near_odd = d[3] - FAR_SQUARE * d[1];
    const lanes far_even = d[4] - NEAR_SQUARE * d[2], far_odd = d[3] - NEAR_SQUARE * d[1];
    points[0] = NEAR_SQUARE * FAR_SQUARE * d[0] + (d[4] - (NEAR_SQUARE + FAR_SQUARE) * d[2]);
    points[1] = near_even + NEAR * near_odd;
    points[2] = near_even - NEAR * near_odd;
    points[3] = far_even + FAR * far_odd;
    points[4] = far_even - FAR * far_odd;
    points[5] = NEAR_SQUARE * FAR_SQUARE * d[1] + (d[5] - (NEAR_SQUARE + FAR_SQUARE) * d[3]);
}

/* Transforms a tile: the values at the points of the polynomial that has these coefficients. */
INLINE void transform_tile(lanes points[THAW_WINDOW], const lanes y[THAW_TILE])
{
    const lanes near_even = y[0] + NEAR_SQUARE * y[2], near_odd = y[1] + NEAR_SQUARE * y[3];
    const lanes far_even = y[0] + FAR_SQUARE * y[2], far_odd = y[1] + FAR_SQUARE * y[3];
    points[0] = y[0];
    points[1] = near_even + NEAR * near_odd;
    points[2] = near_even - NEAR * near_odd;
    points[3] = far_even + FAR * far_odd;
    points[4] = far_even - FAR * far_odd;
    points[5] = y[3];
}

/* Transforms the sums of products, and divides by what the other two transforms leave out. */
INLINE void transform_sums(lanes weights[3], const lanes s[THAW_WINDOW])
{
    const float apart = NEAR_SQUARE - FAR_SQUARE;
    const float near_share = 1 / (2 * NEAR_SQUARE * apart), far_share = -1 / (2 * FAR_SQUARE * apart);
    const lanes near_even = near_share * (s[1] + s[2]), near_odd = near_share * (s[1] - s[2]);
    const lanes far_even = far_share * (s[3] + s[4]), far_odd = far_share * (s[3] - s[4]);
    weights[0] = 1 / (NEAR_SQUARE * FAR_SQUARE) * s[0] + near_even + far_even;
    weights[1] = NEAR * near_odd + FAR * far_odd;
    weights[2] = NEAR_SQUARE * near_even + FAR_SQUARE * far_even + s[5];
}

#endif
