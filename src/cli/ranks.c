#include "cli/ranks.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/failure.h"
#include "cli/interrupt.h"
#include "cli/ranks_threads.h"

enum { TIMEOUT = 300 /* seconds, unless --timeout says otherwise */ };

/* How something ended on a rank. */
typedef struct outcome {
    int32_t code;
    char failure[1024];
} outcome;

/* ---------------------------------------------------------------- exchanges */

static bool allocate(cli_ranks *ranks)
{
    const size_t bytes = sizeof(outcome) > sizeof(cli_rank_facts) ? sizeof(outcome) : sizeof(cli_rank_facts);
    ranks->memory = calloc((size_t)ranks->count, bytes);
    ranks->messages = calloc((size_t)ranks->count, sizeof *ranks->messages);
    return ranks->memory && ranks->messages;
}

/* The memory has a piece of so many bytes for each rank: sends this one's to all others, and receives theirs. */
static int share(cli_ranks *ranks, size_t bytes, const char *what)
{
    const thaw_communicator *communicator = ranks->communicator;
    char *pieces = ranks->memory, reason[THAW_REASON_BYTES] = "";
    size_t count = 0;
    void *request;
    for (int rank = 0; rank < ranks->count; rank++)
        if (rank != ranks->rank)
            ranks->messages[count++] = (thaw_message){ .rank = rank,
                                                       .send = pieces + (size_t)ranks->rank * bytes,
                                                       .send_bytes = bytes,
                                                       .receive = pieces + (size_t)rank * bytes,
                                                       .receive_bytes = bytes };
    if (communicator->start(communicator->user, ranks->messages, count, &request, reason) &&
        communicator->wait(communicator->user, request, reason))
        return CLI_DONE;
    return cli_fail(what, "rank %d of %d cannot reach the others: %s", ranks->rank, ranks->count, reason);
}

/* ---------------------------------------------------------------- failures */

static void print_failure(int rank, const char *failure)
{
    if (failure[0] && rank > 0)
        fprintf(stderr, "thaw: rank %d: %s\n", rank, failure);
    else if (failure[0])
        fprintf(stderr, "thaw: %s\n", failure);
}

/* Where ranks cannot be connected, mpirun ends the others when one of them ends, and so they need not say the same. */
static int fail_alone(int code)
{
    const int rank = cli_ranks_launched_rank();
    const char *failure = cli_release();
    if (failure[0] && rank > 0)
        sleep(1);
    print_failure(rank, failure);
    return code;
}

/* Where the ranks have lost each other, the lowest of them says so. */
static int fail_apart(cli_ranks *ranks, int code)
{
    ranks->apart = true;
    const thaw_communicator *communicator = ranks->communicator;
    const char *failure = cli_release();
    const bool reported = ranks->connection.is_reported(communicator->user);
    communicator->abort(communicator->user, failure);
    if (!reported)
        print_failure(ranks->rank, failure);
    return code;
}

/* The code of the first rank that has failed, whose failure rank 0 prints. */
static int report(const outcome *outcomes, const cli_ranks *ranks)
{
    int rank = 0;
    while (rank < ranks->count && outcomes[rank].code == CLI_DONE)
        rank++;
    if (rank == ranks->count)
        return CLI_DONE;
    if (ranks->rank == 0)
        print_failure(rank, outcomes[rank].failure);
    return outcomes[rank].code;
}

int cli_ranks_meet(cli_ranks *ranks, int code)
{
    if (!ranks->communicator)
        return fail_alone(code);
    outcome *outcomes = ranks->memory, *own = &outcomes[ranks->rank];
    *own = (outcome){ .code = code };
    cli_hold();
    snprintf(own->failure, sizeof own->failure, "%s", cli_held());
    const int met = share(ranks, sizeof *outcomes, "--ranks");
    if (met != CLI_DONE)
        return fail_apart(ranks, code == CLI_DONE ? met : code);
    cli_release();
    return report(outcomes, ranks);
}

/* ---------------------------------------------------------------- beginning */

/* --accumulate counts the shards of each rank. */
static void choose_shards(const cli_ranks *ranks, cli_options *options)
{
    if (options->accumulate)
        options->accumulate *= (uint64_t)ranks->count;
    else if (!options->shards)
        options->shards = (uint64_t)ranks->count;
}

/* What the others would print is what rank 0 prints. */
static int quieten(const cli_ranks *ranks)
{
    if (ranks->rank == 0)
        return CLI_DONE;
    cli_log_nothing();
    return freopen("/dev/null", "we", stdout) ? CLI_DONE : cli_fail("start", "/dev/null cannot be opened");
}

static int connect_ranks(cli_ranks *ranks, double timeout)
{
    const int code = cli_ranks_connect(timeout, &ranks->connection);
    if (code != CLI_DONE)
        return code;
    ranks->rank = ranks->connection.communicator.rank;
    ranks->count = ranks->connection.communicator.ranks;
    if (ranks->count == 1)
        return CLI_DONE;
    if (!allocate(ranks)) {
        ranks->connection.communicator.abort(ranks->connection.communicator.user, "out of memory");
        return cli_fail("--ranks", "out of memory");
    }
    ranks->communicator = &ranks->connection.communicator;
    return CLI_DONE;
}

int cli_ranks_open(cli_ranks *ranks, cli_options *options)
{
    *ranks = (cli_ranks){ .count = 1 };
    if (options->ranks == CLI_RANKS_OFF || (options->ranks == CLI_RANKS_AUTO && cli_ranks_launched() < 2))
        return CLI_DONE;
    cli_hold();
    int code = connect_ranks(ranks, options->timeout > 0 ? options->timeout : TIMEOUT);
    if (code != CLI_DONE || !ranks->communicator)
        return code;
    code = quieten(ranks);
    cli_rank_facts *all = ranks->memory;
    all[ranks->rank] = cli_ranks_describe(options);
    const int shared = share(ranks, sizeof *all, "--ranks");
    if (code == CLI_DONE)
        code = shared;
    if (code == CLI_DONE)
        code = cli_ranks_choose_threads(all, ranks->rank, ranks->count, options);
    choose_shards(ranks, options);
    return code;
}

int cli_ranks_refuse(int code)
{
    cli_ranks ranks;
    cli_options options = { .timeout = 60 };
    cli_ranks_open(&ranks, &options);
    code = cli_ranks_meet(&ranks, code);
    return cli_ranks_close(&ranks, code);
}

/* ---------------------------------------------------------------- data */

typedef struct opening {
    cli_session *session;
    int code;
} opening;

static thaw_status open_data(void *user)
{
    opening *now = user;
    now->code = cli_open_data(now->session);
    return now->code == CLI_DONE ? THAW_OK : THAW_INVALID_ARGUMENT;
}

int cli_ranks_open_data(const cli_ranks *ranks, cli_session *session)
{
    opening now = { session, CLI_DONE };
    const thaw_status status = thaw_ranks_open_data(session->context, ranks->communicator, open_data, &now);
    return now.code == CLI_DONE ? cli_check(session->context, status, "--data") : now.code;
}

/* ---------------------------------------------------------------- training */

void cli_ranks_begin(const cli_ranks *ranks)
{
    if (ranks->communicator)
        cli_hold();
}

int cli_ranks_signal(cli_ranks *ranks)
{
    if (!ranks->communicator)
        return cli_interrupt_signal();
    int32_t *signals = ranks->memory;
    signals[ranks->rank] = cli_interrupt_signal();
    if (share(ranks, sizeof *signals, "training") != CLI_DONE)
        return -1;
    for (int rank = 0; rank < ranks->count; rank++)
        if (signals[rank] != 0)
            return signals[rank];
    return 0;
}

void cli_ranks_end(cli_ranks *ranks, int code)
{
    if (!ranks->communicator)
        return;
    if (code != CLI_DONE)
        fail_apart(ranks, code);
    else
        print_failure(ranks->rank, cli_release()); /* that has not stopped it, such as a checkpoint's */
}

/* ---------------------------------------------------------------- leaving */

/* The others wait for rank 0, which saves. */
static int share_code(cli_ranks *ranks, int code)
{
    int32_t *codes = ranks->memory;
    codes[ranks->rank] = code;
    cli_hold();
    const int shared = share(ranks, sizeof *codes, "end");
    if (shared != CLI_DONE)
        return fail_apart(ranks, shared);
    cli_release();
    for (int rank = 0; rank < ranks->count; rank++)
        if (codes[rank] != CLI_DONE)
            return codes[rank];
    return CLI_DONE;
}

int cli_ranks_close(cli_ranks *ranks, int code)
{
    if (ranks->communicator && !ranks->apart)
        code = share_code(ranks, code);
    fflush(NULL);
    if (ranks->connection.close)
        ranks->connection.close(ranks->connection.communicator.user, code);
    free(ranks->memory);
    free(ranks->messages);
    return code;
}
