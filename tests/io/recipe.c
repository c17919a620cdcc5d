#include "io/recipe.h"

#include <stdlib.h>
#include <string.h>

#include "io/fixture.h"
#include "io/safetensors.h"

static void write_recipe(const recipe *made)
{
    const size_t header_bytes = made->header_bytes ? made->header_bytes : strlen(made->header);
    const uint64_t length = made->length ? made->length : header_bytes;
    char *bytes = calloc(1, 8 + header_bytes + made->data_bytes);
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, made->header, header_bytes);
    support_write_file(io_path, bytes, 8 + header_bytes + made->data_bytes);
    free(bytes);
}

void recipe_check_all(const recipe *recipes, size_t count)
{
    const size_t descriptors = support_count_entries("/proc/self/fd");
    for (size_t i = 0; i < count; i++) {
        const recipe *made = &recipes[i];
        const thaw_status wanted = !made->message ? THAW_OK : made->status ? made->status : THAW_BAD_FORMAT;
        thaw_safetensors file;
        write_recipe(made);
        const thaw_status status = thaw_safetensors_open(io_context, io_path, &file);
        const char *message = thaw_context_message(io_context);
        cr_expect(status == wanted, "%s: %s, wanted %s: %s", made->name, thaw_status_name(status),
                  thaw_status_name(wanted), message);
        cr_expect(!made->message || (strstr(message, made->message) && strstr(message, io_path)),
                  "%s: message \"%s\" lacks \"%s\" or the path", made->name, message, made->message);
        if (status == THAW_OK)
            thaw_safetensors_close(&file);
    }
    cr_assert_eq(support_count_entries("/proc/self/fd"), descriptors);
}
