#include "train/run_position.h"

#include <stddef.h>

typedef enum kind { FLAG, INTEGER, COUNT, REAL } kind;

/* All that a trainer counts and adds up, by place. Times are there, too, though they say nothing of the numbers. */
static const struct {
    const char *key;
    kind kind;
    size_t offset;
    bool later; /* earlier versions have not written it: it stays as it is */
} fields[] = {
#define FIELD(key, kind, member)                         \
    {                                                    \
        key, kind, offsetof(thaw_trainer, member), false \
    }
#define LATER(key, kind, member)                        \
    {                                                   \
        key, kind, offsetof(thaw_trainer, member), true \
    }
    FIELD("epoch", INTEGER, position.epoch),
    FIELD("step", COUNT, position.step),
    FIELD("all steps", COUNT, position.all_steps),
    FIELD("all samples", COUNT, position.samples),
    FIELD("rules applied", INTEGER, ruled),
    FIELD("epoch is open", FLAG, open),
    FIELD("loss sum", REAL, sums.loss),
    FIELD("loss weight", REAL, sums.weight),
    FIELD("epoch samples", COUNT, sums.samples),
    FIELD("correct", COUNT, sums.correct),
    FIELD("counted", COUNT, sums.counted),
    FIELD("result epoch", INTEGER, epoch_result.epoch),
    FIELD("loss", REAL, epoch_result.loss),
    FIELD("accuracy", REAL, epoch_result.accuracy),
    FIELD("test loss", REAL, epoch_result.test_loss),
    FIELD("test accuracy", REAL, epoch_result.test_accuracy),
    FIELD("seconds", REAL, epoch_result.seconds),
    FIELD("samples per second", REAL, epoch_result.samples_per_second),
    FIELD("data seconds", REAL, epoch_result.phases.data),
    FIELD("forward seconds", REAL, epoch_result.phases.forward),
    FIELD("backward seconds", REAL, epoch_result.phases.backward),
    FIELD("update seconds", REAL, epoch_result.phases.update),
    FIELD("rate factor", REAL, epoch_result.rate_factor),
    FIELD("skipped steps", COUNT, epoch_result.skipped_steps),
    FIELD("cached", FLAG, epoch_result.cached),
    FIELD("cache on disk", FLAG, epoch_result.cache_on_disk),
    FIELD("trainable parameters", COUNT, epoch_result.trainable_parameters),
    FIELD("gradient bytes", COUNT, epoch_result.gradient_bytes),
    FIELD("optimizer state bytes", COUNT, epoch_result.optimizer_state_bytes),
    FIELD("activation bytes", COUNT, epoch_result.activation_bytes),
    FIELD("cache bytes", COUNT, epoch_result.cache_bytes),
    FIELD("best by", INTEGER, best.monitor),
    FIELD("best epoch", INTEGER, best.epoch),
    FIELD("best value", REAL, best.value),
    FIELD("epochs without a better one", INTEGER, best.waited),
    FIELD("saved as the best", INTEGER, best.saved),
    LATER("tested", FLAG, epoch_result.tested),
    LATER("test top-5 accuracy", REAL, epoch_result.test_top5_accuracy),
    LATER("test macro F1", REAL, epoch_result.test_macro_f1),
    LATER("test seconds", REAL, epoch_result.test_seconds),
    LATER("wall seconds", REAL, epoch_result.wall_seconds),
    LATER("run seconds", REAL, epoch_result.run_seconds),
    LATER("seconds of the open epoch", REAL, wall),
    LATER("tokens", COUNT, sums.tokens),
    LATER("steps of sequences", COUNT, sums.steps),
    LATER("test perplexity", REAL, epoch_result.test_perplexity),
    LATER("views", COUNT, views),
#undef FIELD
#undef LATER
};

void thaw_run_position_write(const thaw_trainer *trainer, thaw_text *text)
{
    for (size_t i = 0; i < THAW_COUNT(fields); i++) {
        const void *place = (const char *)trainer + fields[i].offset;
        thaw_lines_begin(text, fields[i].key, NULL, NULL);
        switch (fields[i].kind) {
        case FLAG:
            thaw_text_append(text, "%d", *(const bool *)place);
            break;
        case INTEGER:
            thaw_text_append(text, "%d", *(const int *)place);
            break;
        case COUNT:
            thaw_text_append(text, "%zu", *(const size_t *)place);
            break;
        case REAL:
            thaw_lines_append_bits(text, *(const double *)place);
            break;
        }
        thaw_text_append(text, "\n");
    }
}

bool thaw_run_position_read(thaw_lines *state, thaw_trainer *trainer)
{
    bool right = true;
    for (size_t i = 0; i < THAW_COUNT(fields); i++) {
        const char *value = thaw_lines_find(state, fields[i].key, NULL, NULL);
        uint64_t number = 0;
        double real = 0;
        const bool read = value && (fields[i].kind == REAL ? thaw_lines_read_bits(&value, &real)
                                                           : thaw_lines_read_number(&value, &number));
        const uint64_t most = fields[i].kind == FLAG ? 1 : fields[i].kind == INTEGER ? INT32_MAX : SIZE_MAX;
        if (!value && fields[i].later && !state->key.failed)
            continue;
        right = right && read && !*value && number <= most;
        if (!right)
            continue;
        void *place = (char *)trainer + fields[i].offset;
        if (fields[i].kind == FLAG)
            *(bool *)place = number;
        else if (fields[i].kind == INTEGER)
            *(int *)place = (int)number;
        else if (fields[i].kind == COUNT)
            *(size_t *)place = number;
        else
            *(double *)place = real;
    }
    return right;
}
