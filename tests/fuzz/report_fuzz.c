/* Any bytes as results or measurements that a page is made of: a whole page, or a reason. */
#include <string.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "report/read.h"
#include "report/write.h"

static void make_page(thaw_context *context, const thaw_report_inputs *read)
{
    static const char last[] = "</html>\n";
    char *html;
    const thaw_status status = thaw_report_make_page(context, read->results, read->measurements, &html);
    fuzz_demand_message(context, status);
    if (status != THAW_OK)
        return;
    const size_t length = strlen(html);
    fuzz_demand(length > sizeof last && strcmp(html + length + 1 - sizeof last, last) == 0, "a page is whole");
    thaw_text_destroy(context, html);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[FUZZ_PATH_BYTES];
    const int file = fuzz_file(path, data, size);
    const char *files[] = { path };
    thaw_context *context = fuzz_context(1 << 24);
    thaw_report_inputs read;
    const thaw_status status = thaw_report_read(context, files, 1, &read);
    fuzz_demand_message(context, status);
    if (status == THAW_OK)
        make_page(context, &read);
    thaw_report_inputs_release(&read);
    thaw_context_destroy(context);
    close(file);
    return 0;
}
