/* Student's distribution. */
#ifndef THAW_COMPARE_STUDENT_H
#define THAW_COMPARE_STUDENT_H

/* The t whose absolute value a variable with this many degrees of freedom exceeds with the probability `outside`
   (Abramowitz & Stegun 26.7.1); at most 1e6. */
double thaw_student_quantile(double freedom, double outside);

#endif
