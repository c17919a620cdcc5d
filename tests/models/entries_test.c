/* What the list of networks says is what is built. */
#include <string.h>
#include <thaw/zoo.h>

#include "support/support.h"

enum { LARGE = 100000000 };

/* As published for torchvision's VGG-16, and Hugging Face's BERT-Base with two classes and GPT-2; zoo_test builds them.
   */
static size_t published(const char *name)
{
    static const struct {
        const char *name;
        size_t parameters;
    } large[] = {
        { "vgg16", 138357544 }, { "vgg16-bn", 138365992 }, { "bert-base", 109482240 + 2 * 769 }, { "gpt2", 124439808 }
    };
    for (size_t i = 0; i < THAW_COUNT(large); i++)
        if (strcmp(name, large[i].name) == 0)
            return large[i].parameters;
    cr_assert_fail("%s", name);
    return 0;
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
        thaw_model_input first;
        assert_ok(context, thaw_model_input_at(model, 0, &first));
        cr_assert_eq(entry->text, first.dtype == THAW_I32, "%s", entry->name);
        cr_assert(thaw_shape_equal(&entry->sample_shape, thaw_model_node_shape(model, 0)), "%s", entry->name);
        thaw_model_destroy(model);
    }
    thaw_context_destroy(context);
}
