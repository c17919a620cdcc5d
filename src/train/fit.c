/* A whole run as one call. */
#include <thaw/trainer.h>

thaw_status thaw_fit(thaw_model *model, thaw_dataset *dataset, const thaw_fit_options *options,
                     thaw_epoch_result *epoch_result)
{
    thaw_trainer *trainer;
    thaw_status status = thaw_trainer_create(model, dataset, options, &trainer);
    if (status != THAW_OK)
        return status;
    while (status == THAW_OK && !thaw_trainer_done(trainer))
        status = thaw_trainer_epoch(trainer, NULL);
    if (epoch_result)
        *epoch_result = *thaw_trainer_result(trainer);
    thaw_trainer_destroy(trainer);
    return status;
}
