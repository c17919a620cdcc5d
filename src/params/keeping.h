/* Values that are kept elsewhere. Kernels read a frozen weight from a packed copy. Meanwhile the layer may keep the
   values, and the parameter's own memory can be returned to the operating system. The values are restored exactly
   when somebody asks for them. */
#ifndef THAW_PARAMS_KEEPING_H
#define THAW_PARAMS_KEEPING_H

#include "params/parameter.h"

/* Whether a layer may keep the parameter's values: it does not train, no expression reads it, the host has no
   pointer to it, it is large enough, and it does not thaw again and again. */
bool thaw_parameter_may_leave(const thaw_parameter *parameter);

/* Restores all values in the parameter's memory, if they are elsewhere. */
void thaw_parameter_bring_back(thaw_parameter *parameter);

/* Reads values, wherever they are, without moving them. */
void thaw_parameter_read(const thaw_parameter *parameter, size_t first, size_t count, float *values);

#endif
