#include "support/ranks.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct letter {
    struct letter *next;
    size_t bytes;
    char content[];
} letter;

typedef struct office {
    letter *first[MOST_RANKS][MOST_RANKS], *last[MOST_RANKS][MOST_RANKS]; /* from, to */
    char reason[THAW_REASON_BYTES];                                       /* why a rank gave up; "": none did */
    pthread_mutex_t lock;
    pthread_cond_t changed;
} office;

/* What a rank has started. */
typedef struct exchange {
    const thaw_message *messages;
    size_t count;
    bool under_way;
} exchange;

typedef struct rank {
    office *post;
    int number, ranks;
    exchange exchanges[THAW_MOST_EXCHANGES];
    rank_body *body;
    void *argument;
} rank;

static bool start(void *user, const thaw_message *messages, size_t count, void **request, char *reason)
{
    rank *own = user;
    office *post = own->post;
    (void)reason;
    exchange *made = own->exchanges;
    while (made < own->exchanges + THAW_MOST_EXCHANGES && made->under_way)
        made++;
    cr_assert(made < own->exchanges + THAW_MOST_EXCHANGES, "more than %d exchanges are under way", THAW_MOST_EXCHANGES);
    *made = (exchange){ messages, count, true };
    *request = made;
    pthread_mutex_lock(&post->lock);
    for (size_t i = 0; i < count; i++) {
        if (messages[i].send_bytes == 0)
            continue;
        letter *sent = malloc(sizeof *sent + messages[i].send_bytes);
        sent->next = NULL;
        sent->bytes = messages[i].send_bytes;
        memcpy(sent->content, messages[i].send, sent->bytes);
        const int to = messages[i].rank;
        *(post->first[own->number][to] ? &post->last[own->number][to]->next : &post->first[own->number][to]) = sent;
        post->last[own->number][to] = sent;
    }
    pthread_cond_broadcast(&post->changed);
    pthread_mutex_unlock(&post->lock);
    return true;
}

static bool receive(office *post, int from, int to, const thaw_message *message)
{
    while (!post->first[from][to] && !post->reason[0])
        pthread_cond_wait(&post->changed, &post->lock);
    letter *came = post->first[from][to];
    if (!came)
        return false;
    cr_assert_eq(came->bytes, message->receive_bytes, "rank %d sends %zu bytes, and %d receives %zu", from, came->bytes,
                 to, message->receive_bytes);
    memcpy(message->receive, came->content, came->bytes);
    post->first[from][to] = came->next;
    free(came);
    return true;
}

static bool wait_for_all(void *user, void *request, char *reason)
{
    const rank *own = user;
    exchange *made = request;
    bool all = made->under_way;
    pthread_mutex_lock(&own->post->lock);
    for (size_t i = 0; i < made->count && all; i++)
        if (made->messages[i].receive_bytes > 0)
            all = receive(own->post, made->messages[i].rank, own->number, &made->messages[i]);
    made->under_way = false;
    if (!all)
        snprintf(reason, THAW_REASON_BYTES, "%s", own->post->reason);
    pthread_mutex_unlock(&own->post->lock);
    return all;
}

static void give_up(void *user, const char *reason)
{
    const rank *own = user;
    pthread_mutex_lock(&own->post->lock);
    if (!own->post->reason[0])
        snprintf(own->post->reason, THAW_REASON_BYTES, "rank %d: %.200s", own->number, reason);
    pthread_cond_broadcast(&own->post->changed);
    pthread_mutex_unlock(&own->post->lock);
}

static void *run(void *argument)
{
    rank *own = argument;
    const thaw_communicator communicator = { THAW_COMMUNICATOR_HEAD, .rank = own->number,
                                             .ranks = own->ranks,    .user = own,
                                             .start = start,         .wait = wait_for_all,
                                             .abort = give_up };
    own->body(own->argument, &communicator);
    return NULL;
}

void run_ranks(int ranks, rank_body *body, void *argument)
{
    static const pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static const pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
    office post = { .lock = lock, .changed = changed };
    rank all[MOST_RANKS];
    pthread_t threads[MOST_RANKS];
    cr_assert_leq(ranks, MOST_RANKS);
    for (int i = 0; i < ranks; i++) {
        all[i] = (rank){ .post = &post, .number = i, .ranks = ranks, .body = body, .argument = argument };
        cr_assert_eq(pthread_create(&threads[i], NULL, run, &all[i]), 0);
    }
    for (int i = 0; i < ranks; i++)
        pthread_join(threads[i], NULL);
    for (int from = 0; from < ranks; from++)
        for (int to = 0; to < ranks; to++)
            while (post.first[from][to]) {
                letter *left = post.first[from][to];
                post.first[from][to] = left->next;
                free(left);
            }
}
