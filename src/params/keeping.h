/* Values that are elsewhere. A frozen weight is read by its layer's kernels, from a packed copy; while that is so, the
   layer may keep the values and the parameter's own memory be given back to the operating system. They come back, to the
   bit, when somebody asks for them. */
#ifndef THAW_PARAMS_KEEPING_H
#define THAW_PARAMS_KEEPING_H

#include "params/parameter.h"

/* Whether a layer may keep the parameter's values: it does not train, no expression reads it, nobody outside of the
   library has a pointer to it, and it is large enough to be worth it. */
bool thaw_parameter_may_leave(const thaw_parameter *parameter);

/* Writes all values to the parameter's memory again, if they are not there. */
void thaw_parameter_bring_back(thaw_parameter *parameter);

/* Reads values, wherever they are, and leaves them there. */
void thaw_parameter_read(const thaw_parameter *parameter, size_t first, size_t count, float *values);

#endif
