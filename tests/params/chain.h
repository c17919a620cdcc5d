/* A chain of three dense layers of one size, so that their weights may be tied, under a mean square error. */
#ifndef THAW_TESTS_PARAMS_CHAIN_H
#define THAW_TESTS_PARAMS_CHAIN_H

#include "support/support.h"

enum { CHAIN_WIDTH = 6 };

extern thaw_context *chain_context;
extern thaw_model *chain_model;

void chain_begin(void);
void chain_end(void);

/* Makes another one, which takes the first one's place; the caller destroys that. */
void chain_build(void);

/* A parameter of the model; what is stored in it; what it is bound to. */
thaw_parameter *chain_find(const char *name);
thaw_expression *chain_stored(const char *name);
thaw_expression *chain_bound(const char *name);

/* A step on always the same samples. */
thaw_status chain_try_step(const thaw_step_options *options, thaw_step_result *result);

/* Computes gradients alone, and returns the loss. */
double chain_gradients(void);

/* Compares the gradients of a stored tensor with quotients of the loss itself. */
void chain_check_quotients(const char *name);

#endif
