/* Training on several processes, or machines: what Thaw asks of the host that connects them.

   Every process, a rank, has its own context, model and data set, and calls thaw_trainer_create and thaw_trainer_step
   (or thaw_fit, or thaw_step) as it would alone, with a thaw_communicator in the options. The shards of each step
   (thaw_step_options) are spread over the ranks: with S shards on R ranks, each rank computes S / R of them,
   rank r those from r S / R on, and a trainer reads only their samples. The ranks add up the gradients of what trains,
   in the same tree over shards as one process, and every rank makes the same update. Gradients travel in buckets of
   1 MiB or more, as soon as they are final, while backward computes the next ones. With the same S, and the same number
   of threads each, any number of ranks gives the same weights, to the bit.

   Ranks must agree before the first step, and before the first after a checkpoint was loaded: see thaw_ranks_agree,
   which a trainer's first step calls. Callbacks must decide alike on all ranks. A rank that fails during a step tells
   the others why, and they return the same status. A rank that fails elsewhere calls `abort`.

   Rank 0 alone writes the checkpoints of the options (thaw/checkpoint.h), and all ranks continue from them, so that
   their folder must be one that all see.

   The batches of the test data are spread over the ranks as well, and all ranks get the figures of one: see
   thaw_ranks_evaluate in thaw/train.h. The feature cache is spread, too, and in memory: each rank
   keeps the outputs of the samples that it was the first to compute, and sends them to the rank whose step needs them.
   Its budget is that of all ranks together, so that any number of ranks has the same plan. */
#ifndef THAW_DISTRIBUTED_H
#define THAW_DISTRIBUTED_H

#include <thaw/image_data.h>
#include <thaw/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Which communicators this header describes: in the upper half what they are, in the lower the version. */
enum { THAW_COMMUNICATOR_ABI = 0x434F0001 };

/* Short for the first fields of a thaw_communicator. */
#define THAW_COMMUNICATOR_HEAD .size = sizeof(thaw_communicator), .abi = THAW_COMMUNICATOR_ABI

/* Bytes to send to another rank, and bytes to receive from it. Either may be none. */
typedef struct thaw_message {
    int rank;             /* the other one */
    const void *send;     /* 64-bit and 32-bit numbers in the memory order of the machine, which all ranks share */
    size_t send_bytes;    /* of `send` */
    void *receive;        /* does not overlap what is sent */
    size_t receive_bytes; /* what the other one sends */
} thaw_message;

/* The room for a reason, a text without the names of ranks and calls that Thaw adds. */
enum { THAW_REASON_BYTES = 256 };

/* The most exchanges that Thaw has under way at a time. */
enum { THAW_MOST_EXCHANGES = 3 };

/* How a rank reaches the others. The host fills it and owns it; it outlives what uses it. Thaw calls its functions from
   the thread that called Thaw, one after another. */
typedef struct thaw_communicator {
    size_t size;  /* sizeof(thaw_communicator), as the host was compiled */
    uint32_t abi; /* THAW_COMMUNICATOR_ABI */

    int rank, ranks; /* this process, from 0, and how many there are */
    void *user;      /* passed to the functions */

    /* Starts to exchange messages, and returns as soon as it can; the memory of messages and of what they point to
       stays as it is until `wait`. Messages between two ranks arrive in the order in which they are listed and started.
       All ranks start the same exchanges in the same order, and what one sends to another is what the other receives.
       May wait itself, if it has taken over all that it sends. `*request` is handed to `wait`. */
    bool (*start)(void *user, const thaw_message *messages, size_t count, void **request,
                  char reason[THAW_REASON_BYTES]);

    /* Waits until all has been sent and received. Called once for each exchange that was started, in the order in which
       they were, also after another one has failed: then it must not wait for ranks that are gone. */
    bool (*wait)(void *user, void *request, char reason[THAW_REASON_BYTES]);

    /* This rank has failed and takes part in nothing more: calls on the others return false, with this reason, instead
       of waiting for it. NULL: they wait until they know by themselves, as when a connection breaks. */
    void (*abort)(void *user, const char *reason);

    /* Called now and then during backward while exchanges are under way, to let them go on: MPI moves data only when it
       is called. NULL: they go on by themselves. */
    void (*progress)(void *user);
} thaw_communicator;

/* Opens data sets; returns the status of what it calls. */
typedef thaw_status thaw_open_function(void *user);

/* Opens data sets on all ranks, so that a folder of images is searched once. `open` opens them with this context, by any
   function of thaw/data.h. Rank 0 calls it first, and sends what it has found in folders: names, sizes and times. Then
   the others call it. The nth folder that they open is taken as rank 0 has found its nth, if the options are the same;
   only its files are opened, when they are read. It may be at another path. A file that is missing there, or has another
   size or time, is an error when it is read; one of each class is looked at before. Other data is opened by each rank.

   All ranks call this. If `open` fails on rank 0, all return its status, and the others do not call theirs. A rank whose
   own `open` fails returns its status alone, and is to call `abort`. `communicator`: NULL alone.
   Errors: THAW_INVALID_ARGUMENT (the communicator), THAW_IO_ERROR (a rank cannot be reached), THAW_BAD_FORMAT (what
   rank 0 sent is damaged), THAW_OUT_OF_MEMORY. */
THAW_API thaw_status thaw_ranks_open_data(thaw_context *context, const thaw_communicator *communicator,
                                          thaw_open_function *open, void *user);

/* Checks that all ranks have the same version of Thaw, the same network, bindings of parameters, precision, freeze
   state and optimizers with their state, and the same weights to the bit. With a data set, that they have data of the
   same size and shape, and of the same identity, or where it has none, the same labels in memory and the same first and
   last sample. All ranks call it, as they would take a step.
   Errors: THAW_INVALID_ARGUMENT (they disagree: the message says in what, and which rank differs from rank 0; the
   communicator), THAW_IO_ERROR (a rank cannot be reached), those of thaw_dataset_read, THAW_OUT_OF_MEMORY. */
THAW_API thaw_status thaw_ranks_agree(thaw_model *model, thaw_dataset *dataset, const thaw_communicator *communicator);

/* Whether batch normalisation in training uses the statistics of the whole step, over all its shards on all ranks, as
   after torch.nn.SyncBatchNorm.convert_sync_batchnorm. Off by default: each shard is normalised by its own. With it, a
   step with any number of shards on any number of ranks equals one process with the whole batch, apart from rounding:
   outputs, gradients and running statistics. The numbers are joined in the order of the shards, so that with the same
   shards any number of ranks gives the same bits.

   The shards of one rank run side by side: each of them up to such a layer, then all of them behind it. Their values
   and gradients are in memory at the same time, so that shards on one rank save no memory: a rank needs the
   activation_bytes and gradient_bytes of thaw_plan_totals once for each of its shards.

   Such a layer sends 2 C + 1 doubles of each shard to every other rank in forward, and as many in backward if gradients
   flow through it, where C is its channels (thaw_plan_totals.synced_bytes). Ranks wait for each other there. With
   several shards on a rank, gradients leave only after backward. A layer whose statistics do not move, such as a frozen
   one, shares nothing; nor does evaluation.

   A batch with one value for each channel is found when the step runs, not when it is compiled. In a step of one shard
   nothing changes. All ranks must set the same. A change makes plans stale. Layers of the host's own take part if they
   offer `measure` (thaw/layer_capabilities.h). */
THAW_API void thaw_model_set_sync_batch_norm(thaw_model *model, bool sync);

#ifdef __cplusplus
}
#endif

#endif
