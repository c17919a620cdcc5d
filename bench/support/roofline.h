/* The roofline: no kernel is faster than its arithmetic at the peak of the cores, nor than its bytes through memory.
   Williams, Waterman & Patterson 2009, doi 10.1145/1498765.1498785. */
#ifndef THAW_BENCH_ROOFLINE_H
#define THAW_BENCH_ROOFLINE_H

#include <thaw/context.h>

/* The highest number of floating-point operations per second that fused multiply-adds on registers reach on all
   threads. */
double bench_peak_flops(thaw_context *context);

/* Seconds to read and write this many bytes, half read and half written; arrays that fit into a cache stay there. */
double bench_traffic_seconds(thaw_context *context, double bytes);

#endif
