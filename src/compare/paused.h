/* Runs of a race that pause after a rung: a checkpoint of each, in a folder beside the results, from which the next rung
   continues. What cannot be saved or read costs a warning, and begins again from its seed. */
#ifndef THAW_COMPARE_PAUSED_H
#define THAW_COMPARE_PAUSED_H

#include <thaw/trainer.h>

#include "compare/comparison.h"

/* Makes the folder, if the comparison is a race with results. */
void thaw_paused_begin(thaw_comparison *comparison);

/* Removes the checkpoints of an entry, which goes on no more; and all that is left, with the folder. */
void thaw_paused_drop(const thaw_comparison *comparison, const thaw_comparison_entry *entry);
void thaw_paused_end(const thaw_comparison *comparison);

/* The epochs of the run that the entry holds of a seed; 0: none. */
size_t thaw_paused_epochs(const thaw_comparison *comparison, const thaw_comparison_entry *entry, uint64_t seed);

/* Removes the checkpoint of a run after so many epochs. */
void thaw_paused_forget(const thaw_comparison *comparison, const thaw_comparison_entry *entry, uint64_t seed,
                        size_t epochs);

/* Lets a trainer that has not begun continue the run that the entry holds of this seed, if there is a checkpoint, and
   appends its epochs to the list. Errors: those of thaw_trainer_load that may leave the model changed. */
thaw_status thaw_paused_continue(const thaw_comparison *comparison, const thaw_comparison_entry *entry, uint64_t seed,
                                 thaw_trainer *trainer, json_t *epochs);

/* Saves the run for the next rung, beside what it continued from, which its record needs until it is kept. */
void thaw_paused_save(const thaw_comparison *comparison, const thaw_comparison_entry *entry, uint64_t seed,
                      thaw_trainer *trainer);

#endif
