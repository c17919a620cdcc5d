/* Expressions as text. */
#include "params/expression.h"

/* Longer formulas are cut: a part that is shared often can make them arbitrarily long. */
enum { MOST_CHARACTERS = 400 };

void thaw_expression_append(const thaw_expression *expression, bool inner, thaw_text *text)
{
    if (text->length > MOST_CHARACTERS) {
        thaw_text_append(text, "..");
        return;
    }
    if (expression->operation) {
        thaw_text_append(text, inner ? "(" : "");
        expression->operation->describe(expression, text);
        thaw_text_append(text, inner ? ")" : "");
    } else if (expression->reference) {
        thaw_text_append(text, "bound(%s)", expression->parameter->name);
    } else if (expression->parameter) {
        thaw_text_append(text, "%s", expression->parameter->name);
    } else {
        char shape[80];
        thaw_text_append(text, "constant%s", thaw_shape_format(&expression->shape, shape, sizeof shape));
    }
}

thaw_status thaw_expression_describe(const thaw_expression *expression, char **text)
{
    thaw_text formula = { .context = expression->set->context };
    thaw_expression_append(expression, false, &formula);
    return thaw_text_finish(&formula, text);
}
