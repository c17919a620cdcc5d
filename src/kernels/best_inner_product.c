#include "kernels/best_inner_product.h"

#include "kernels/choice.h"
#include "kernels/outer_products.h"
#include "kernels/row_product.h"

thaw_status thaw_best_inner_product_forward(thaw_context *context, const thaw_inner_product *problem,
                                            thaw_kernel **kernel, thaw_kernel **pack)
{
    return thaw_choose_row_product(problem) && thaw_row_product_activates(problem->after.activation)
               ? thaw_row_product_create(context, problem, kernel, pack)
               : thaw_inner_product_forward(context, problem, kernel, pack);
}

thaw_status thaw_best_inner_product_backward_weights(thaw_context *context, const thaw_inner_product *problem,
                                                     thaw_kernel **kernel)
{
    return thaw_choose_outer_products(problem) ? thaw_outer_products_create(context, problem, kernel)
                                               : thaw_inner_product_backward_weights(context, problem, kernel);
}
