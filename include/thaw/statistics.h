/* Statistics of repeated runs. None of these calls allocates or can fail; all are thread-safe. */
#ifndef THAW_STATISTICS_H
#define THAW_STATISTICS_H

#include <thaw/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A mean with its 95 % interval by Student's t: mean -+ t * sd / sqrt(count), t of count - 1 degrees of freedom at
   0.975; sd divides by count - 1. Undefined figures (no values; the spread of one value) are NAN. */
typedef struct thaw_mean {
    size_t count;               /* number of values */
    double mean, sd, low, high; /* standard deviation; ends of the interval */
} thaw_mean;

/* The mean of `count` values. */
THAW_API thaw_mean thaw_mean_of(const double *values, size_t count);

/* The mean of left[i] - right[i]: compares runs that share a seed. */
THAW_API thaw_mean thaw_paired_difference(const double *left, const double *right, size_t count);

/* The middle value, or the mean of the two middle ones; NAN without values. Sorts the array. */
THAW_API double thaw_median_of(double *values, size_t count);

/* ranks[i] = 1 + the number of others whose interval lies wholly above the i-th. Equal ranks are ties: intervals
   overlap. Without an interval (one value) the rank is 1. */
THAW_API void thaw_rank(const thaw_mean *means, size_t count, int *ranks);

/* How long runs took to reach a goal that some of them may never have reached. A run that never did would have taken
   longer than it ran, so its time bounds the mean from below, and nothing bounds it from above. */
typedef struct thaw_reach {
    size_t count, reached; /* runs, and those that reached the goal */
    double mean;           /* geometric; NAN unless all have reached it */
    double at_least;       /* the geometric mean with the others at the time that they ran: the mean is not below */
    double low;  /* lower end of the 95 % interval of the geometric mean, by Student's t over logarithms; that of
                   `at_least` if a run never reached the goal; NAN for one run */
    double high; /* upper end; INFINITY if a run never reached the goal; NAN for one run */
} thaw_reach;

/* times[i], above 0, is the time until the goal was reached, or the whole time of a run that never reached it. A time
   that is not above 0 makes every mean NAN. */
THAW_API thaw_reach thaw_reach_of(const double *times, const bool *reached, size_t count);

/* ranks[i] = 1 + the number of others that are surely faster: their interval ends below the i-th. Equal ranks are ties.
   0: no run reached the goal. */
THAW_API void thaw_rank_reach(const thaw_reach *reaches, size_t count, int *ranks);

/* The score of a performance profile (Dolan and Moré, Mathematical Programming 91, 2002): profile(t) is the share of
   problems that were solved in at most t times the time of the fastest on each, and the score is its mean over t from 1
   to `most` (AlgoPerf, arXiv 2306.07179, has 4). `ratios` are those of the solved problems, at least 1; `problems`
   counts the others, too. From 0 to 1; NAN without problems. */
THAW_API double thaw_profile_score(const double *ratios, size_t solved, size_t problems, double most);

/* Whether each point is on the Pareto front: no other point has at least its gain at no more than its cost and is
   better in one of them. Points with a NAN are not. */
THAW_API void thaw_pareto_front(const double *gains, const double *costs, size_t count, bool *front);

#ifdef __cplusplus
}
#endif

#endif
