#include "train/filed_run.h"

#include <stdlib.h>
#include <string.h>

#include "support/max_cpu.h"
#include "support/network.h"

char filed_directory[SUPPORT_PATH_BYTES], filed_path[SUPPORT_PATH_BYTES];

void filed_begin(void)
{
    support_make_directory(filed_directory);
    support_path(filed_path, filed_directory, "features");
}

void filed_end(void)
{
    support_remove_directory(filed_directory);
}

static bool note_epoch(void *user, const thaw_epoch_result *epoch_result)
{
    ((filed_outcome *)user)->cached[epoch_result->epoch] = epoch_result->cached;
    return true;
}

static bool limit_files(void *user, const thaw_progress *progress)
{
    const filed_outcome *result = user;
    struct rlimit limit;
    if (result->limit && progress->epoch == 1 && progress->step == 1) {
        getrlimit(RLIMIT_FSIZE, &limit);
        limit.rlim_cur = result->limit;
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    return true;
}

static void keep_warning(void *user, thaw_log_level level, const char *message)
{
    if (user && level == THAW_LOG_WARNING)
        strncpy(user, message, 511);
}

thaw_status filed_try(const filed_setting *told, filed_outcome *result, char message[512])
{
    *result = (filed_outcome){ .limit = told->limit };
    thaw_context *context;
    const thaw_context_options context_options = {
        .threads = 2, .max_cpu = support_max_cpu(), .seed = 1, .log = keep_warning, .log_user = told->warning
    };
    cr_assert_eq(thaw_context_create(&context_options, &context), THAW_OK);
    thaw_model *model = support_network(context, true);
    thaw_dataset *data = support_samples(context, FILED_SAMPLES, told->data_seed ? told->data_seed : 5);
    support_optimize(model, "adam:lr=0.01");
    support_train_only(model, told->trainable ? told->trainable : 0x1C);
    thaw_parameter_edit(thaw_model_find_parameter(model, "conv1.weight"))[3] += told->shift;
    const thaw_fit_options options = {
        .epochs = FILED_EPOCHS,
        .batch = 16,
        .cache_file = told->file,
        .cache_optional = told->optional,
        .cache_bytes = told->bfloat16 ? 1 << 20 : 0,
        .cache_dtype = told->bfloat16 ? THAW_BF16 : THAW_F32,
        .on_epoch = note_epoch,
        .on_step = limit_files,
        .user = result,
    };
    const thaw_status status = thaw_fit(model, data, &options, &result->epoch_result);
    strncpy(message, thaw_context_message(context), 511);
    result->weights = support_weights(model, &result->count);
    thaw_dataset_destroy(data);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    return status;
}

filed_outcome filed_train(const filed_setting *told)
{
    filed_outcome result;
    char message[512] = "";
    const thaw_status status = filed_try(told, &result, message);
    cr_assert_eq(status, THAW_OK, "%s", message);
    return result;
}

bool filed_check_equal(const filed_setting *told)
{
    filed_setting without = *told;
    without.file = NULL;
    without.limit = 0;
    without.warning = NULL;
    filed_outcome plain = filed_train(&without), filed = filed_train(told);
    cr_assert(memcmp(plain.weights, filed.weights, plain.count * sizeof(float)) == 0, "weights differ");
    cr_assert_eq(plain.epoch_result.loss, filed.epoch_result.loss);
    free(plain.weights);
    free(filed.weights);
    return filed.cached[1];
}
