/* What the list of networks says is what is built. */
#include <string.h>
#include <thaw/zoo.h>

#include "support/support.h"

enum { LARGE = 100000000 };

/* As published for torchvision's VGG-16; zoo_test builds them. */
static size_t published(const char *name)
{
    return strcmp(name, "vgg16") == 0 ? 138357544 : 138365992;
}

Test(zoo, entries_tell_parameters_input_and_classes_of_what_is_built)
{
    const thaw_zoo_entry *entry;
    thaw_context *context = support_context(1);
    for (size_t i = 0; (entry = thaw_zoo_entry_at(i)); i++) {
        if (entry->parameters > LARGE) {
            cr_assert_eq(entry->parameters, published(entry->name), "%s", entry->name);
            continue;
        }
        thaw_model *model = NULL;
        assert_ok(context, thaw_model_create(context, &model));
        assert_ok(context, thaw_zoo_build(model, entry->name, 0));
        const size_t built = thaw_model_summary_totals(model).total_parameters;
        cr_assert_eq(entry->parameters, built, "%s has %zu", entry->name, built);
        cr_assert(thaw_shape_equal(&entry->sample_shape, thaw_model_node_shape(model, 0)), "%s", entry->name);
        thaw_model_destroy(model);
    }
    thaw_context_destroy(context);
}
