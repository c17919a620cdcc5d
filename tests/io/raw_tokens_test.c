/* Each value of each kind of JSON file, replaced by text that is no JSON, or that few readers expect. What is no JSON
   is refused with a message, and everything else is taken or refused; nothing crashes or takes long. */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/crc32c.h"
#include "io/fixture.h"
#include "io/safetensors.h"
#include "policy/strategy.h"
#include "report/read.h"
#include "report/write.h"
#include "support/raw_json.h"
#include "support/schema.h"
#include "support/small_run.h"

enum { SECONDS = 5 };

static size_t accepted;

/* Of a call that read it; the seconds are the processor's. */
static void check(const raw_json *changed, thaw_context *context, thaw_status status, clock_t begin)
{
    const double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
    cr_assert_lt(seconds, SECONDS, "%.40s at %zu takes %g s", changed->token, changed->at, seconds);
    cr_assert(status == THAW_OK || *thaw_context_message(context), "%.40s at %zu: %s and no message", changed->token,
              changed->at, thaw_status_name(status));
    cr_assert(status != THAW_OK || !changed->broken, "%.40s at %zu is taken", changed->token, changed->at);
    cr_assert(status != THAW_INTERNAL && status != THAW_OUT_OF_MEMORY, "%.40s at %zu: %s", changed->token, changed->at,
              thaw_context_message(context));
    accepted += status == THAW_OK;
}

/* ---------------------------------------------------------------- strategies */

static void read_strategies(const raw_json *changed)
{
    thaw_strategy **strategies;
    size_t count;
    support_write_file(io_path, changed->text, changed->length);
    const clock_t begin = clock();
    check(changed, io_context, thaw_strategy_read(io_context, io_path, &strategies, &count), begin);
    thaw_strategy_release_all(io_context, strategies, count);
}

Test(raw_tokens, in_strategies, .init = io_begin, .fini = io_end, .timeout = 120)
{
    static const char text[] = "{\"strategies\": [{\"name\": \"mine\", \"description\": \"d\", \"rules\": ["
                               "{\"epoch\": 1, \"pattern\": \"dense[12]\", \"action\": \"rate\", \"value\": 0.25},"
                               "{\"share\": 0.5, \"pattern\": \"conv2\", \"action\": \"unfreeze\"},"
                               "{\"every\": true, \"pattern\": \"@head\", \"action\": \"unfreeze\"}]}]}";
    cr_assert_gt(support_each_raw_json(text, read_strategies), 400);
    cr_assert_gt(accepted, 10);
}

/* ---------------------------------------------------------------- results and measurements */

static void make_page(const raw_json *changed)
{
    const char *const files[] = { io_path };
    thaw_report_inputs read;
    char *html = NULL;
    support_write_file(io_path, changed->text, changed->length);
    const clock_t begin = clock();
    thaw_status status = thaw_report_read(io_context, files, 1, &read);
    if (status == THAW_OK)
        status = thaw_report_make_page(io_context, read.results, read.measurements, &html);
    check(changed, io_context, status, begin);
    cr_assert(!html || !strchr(html, '\x1B'), "%.40s at %zu", changed->token, changed->at);
    thaw_text_destroy(io_context, html);
    thaw_report_inputs_release(&read);
}

/* Without what a summary makes of the runs. */
Test(raw_tokens, in_results, .init = io_begin, .fini = io_end, .timeout = 280)
{
    json_t *results = support_project_json("tests/compare/results.json");
    json_object_del(results, "checksum");
    while (json_array_size(json_object_get(results, "runs")) > 1)
        json_array_remove(json_object_get(results, "runs"), 1);
    while (json_array_size(json_object_get(results, "configurations")) > 1)
        json_array_remove(json_object_get(results, "configurations"), 1);
    char *text = json_dumps(results, JSON_COMPACT);
    cr_assert_gt(support_each_raw_json(text, make_page), 1000);
    cr_assert_gt(accepted, 100);
    free(text);
    json_decref(results);
}

Test(raw_tokens, in_measurements, .init = io_begin, .fini = io_end, .timeout = 120)
{
    static const char text[] =
        "{\"schema\": \"thaw-measurement-1\", \"benchmark\": \"b\", \"title\": \"t\", \"setting\": "
        "\"s\", \"what\": \"w\", \"size\": 7, \"size_unit\": \"u\", \"threads\": 2, \"seconds\": "
        "0.5, \"low\": 0.4, \"high\": 0.6, \"repetitions\": 9, \"limit_seconds\": 0.25, "
        "\"limit\": \"l\", \"bytes\": null, \"processor\": \"p\", \"version\": \"1\"}";
    cr_assert_gt(support_each_raw_json(text, make_page), 400);
    cr_assert_gt(accepted, 50);
}

/* ---------------------------------------------------------------- safetensors */

/* A file with this header, and this data. */
static size_t assemble(char *file, const raw_json *changed, const char *data, size_t bytes)
{
    const uint64_t length = changed->length;
    memcpy(file, &length, sizeof length);
    memcpy(file + sizeof length, changed->text, changed->length);
    memcpy(file + sizeof length + changed->length, data, bytes);
    return sizeof length + changed->length + bytes;
}

static char file[2 << 20];

static void open_tensors(const raw_json *changed)
{
    thaw_safetensors opened;
    support_write_file(io_path, file, assemble(file, changed, "\0\0\0\0\0\0\0\0\0\0\0\0", 12));
    const clock_t begin = clock();
    const thaw_status status = thaw_safetensors_open(io_context, io_path, &opened);
    check(changed, io_context, status, begin);
    if (status == THAW_OK)
        thaw_safetensors_close(&opened);
}

Test(raw_tokens, in_a_header_of_tensors, .init = io_begin, .fini = io_end, .timeout = 120)
{
    static const char text[] = "{\"__metadata__\":{\"format\":\"pt\",\"thaw.model\":\"mlp-500\"},"
                               "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
                               "\"b\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[8,12]}}";
    cr_assert_gt(support_each_raw_json(text, open_tensors), 300);
    cr_assert_gt(accepted, 5);
}

/* ---------------------------------------------------------------- checkpoints */

enum { DATA_BYTES = 16384 };

static small_run run;
static char data[DATA_BYTES];
static size_t data_bytes;

/* With a checksum that is right: what is refused is refused for what it says. */
static void load_checkpoint(const raw_json *changed)
{
    const size_t bytes = assemble(file, changed, data, data_bytes);
    const uint32_t checksum = thaw_crc32c(0, file, bytes - sizeof checksum);
    memcpy(file + bytes - sizeof checksum, &checksum, sizeof checksum);
    support_write_file(io_path, file, bytes);
    const clock_t begin = clock();
    check(changed, run.context, thaw_trainer_load(run.trainer, io_path), begin);
}

Test(raw_tokens, in_the_header_of_a_checkpoint, .init = io_begin, .fini = io_end, .timeout = 120)
{
    static char header[DATA_BYTES];
    uint64_t length;
    small_run_open(&run, NULL, false);
    small_run_step(&run, 3);
    assert_ok(run.context, thaw_trainer_save(run.trainer, io_path));
    const long bytes = support_read_file(io_path, file, sizeof file);
    memcpy(&length, file, sizeof length);
    data_bytes = (size_t)bytes - sizeof length - length;
    cr_assert(length < sizeof header && data_bytes < sizeof data);
    memcpy(header, file + sizeof length, length);
    memcpy(data, file + sizeof length + length, data_bytes);
    const raw_json whole = { header, length, "as it is", 0, false };
    load_checkpoint(&whole);
    cr_assert_eq(accepted, 1, "%s", thaw_context_message(run.context));
    cr_assert_gt(support_each_raw_json(header, load_checkpoint), 300);
    small_run_close(&run);
}
