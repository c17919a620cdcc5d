/* Halton's sequence, randomized: points that fill a cube evenly, from the first one on.

   Coordinate d of point i is i in base b, the prime number d, with its digits behind the point in reverse (Halton 1960,
   "On the efficiency of certain quasi-random sequences of points"). Each digit, leading zeros among them, is permuted
   by chance first, in each place and each coordinate in another way (Owen 2017, arXiv 1706.02808): every point by itself
   is uniform, coordinates of large bases are not alike, and of b points in a row there is still one in each b-th of the
   range. Why such points and no random ones: Bousquet et al. 2017, arXiv 1706.03200. */
#ifndef THAW_COMPARE_HALTON_H
#define THAW_COMPARE_HALTON_H

#include <thaw/context.h>

/* The most coordinates of a point. */
enum { THAW_MOST_COORDINATES = 16 };

/* A coordinate, below THAW_MOST_COORDINATES, of a point, from 0: at least 0 and below 1. Thread-safe. */
double thaw_halton(const thaw_context *context, uint64_t seed, size_t coordinate, uint64_t point);

#endif
