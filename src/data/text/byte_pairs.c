#include "data/text/byte_pairs.h"

#include "data/text/hash.h"

/* ---- the table of merges ---- */

static thaw_merge *find(const thaw_byte_pairs *pairs, int32_t left, int32_t right)
{
    const uint64_t key = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
    size_t slot = thaw_hash_number(key) & (pairs->slot_count - 1);
    while (pairs->merges[slot].left >= 0 && (pairs->merges[slot].left != left || pairs->merges[slot].right != right))
        slot = (slot + 1) & (pairs->slot_count - 1);
    return &pairs->merges[slot];
}

thaw_status thaw_byte_pairs_reserve(thaw_byte_pairs *pairs, size_t count)
{
    pairs->slot_count = 64;
    while (pairs->slot_count / 2 < count)
        pairs->slot_count *= 2;
    pairs->merges = thaw_allocate_array(pairs->context, pairs->slot_count, sizeof *pairs->merges);
    if (!pairs->merges)
        return THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < pairs->slot_count; i++)
        pairs->merges[i].left = -1;
    return THAW_OK;
}

static thaw_status look_up(const thaw_vocabulary *vocabulary, const char *path, const char *token, uint32_t rank,
                           int32_t *id)
{
    *id = thaw_vocabulary_find(vocabulary, token, strlen(token));
    if (*id >= 0)
        return THAW_OK;
    return thaw_fail(vocabulary->context, THAW_BAD_FORMAT,
                     "%s: merge %u needs the token \"%.100s\", which the vocabulary does not have", path, rank + 1,
                     token);
}

thaw_status thaw_byte_pairs_add(thaw_byte_pairs *pairs, const thaw_vocabulary *vocabulary, const char *path,
                                const char *left, const char *right, uint32_t rank)
{
    const size_t length = strlen(left);
    thaw_merge merge = { .rank = rank };
    thaw_status status = look_up(vocabulary, path, left, rank, &merge.left);
    if (status == THAW_OK)
        status = look_up(vocabulary, path, right, rank, &merge.right);
    char *both = status == THAW_OK ? thaw_allocate_raw(pairs->context, length + strlen(right) + 1) : NULL;
    if (!both)
        return status == THAW_OK ? THAW_OUT_OF_MEMORY : status;
    memcpy(both, left, length);
    strcpy(both + length, right);
    status = look_up(vocabulary, path, both, rank, &merge.merged);
    if (status == THAW_OK)
        *find(pairs, merge.left, merge.right) = merge;
    thaw_release(pairs->context, both);
    return status;
}

void thaw_byte_pairs_release(thaw_byte_pairs *pairs)
{
    thaw_release(pairs->context, pairs->merges);
    pairs->merges = NULL;
}

/* ---- merging ---- */

/* The symbols of a word form a list. One that was merged into its left neighbour has the id -1. */
typedef struct thaw_symbol {
    int32_t id;
    int32_t previous, next; /* -1: none */
} symbol;

/* A pair that could be merged: of equal ranks, the leftmost goes first. */
typedef struct thaw_candidate {
    uint32_t rank;
    int32_t place, left, right, merged;
} candidate;

static bool comes_before(const candidate *one, const candidate *other)
{
    return one->rank != other->rank ? one->rank < other->rank : one->place < other->place;
}

/* The heap never holds more than two candidates a symbol: there is one for each pair at first, and each merge, which
   ends a symbol, adds two at most. So it has its room before. */
static void push(thaw_merging *memory, candidate added)
{
    size_t at = memory->heap_count++;
    for (; at > 0 && comes_before(&added, &memory->heap[(at - 1) / 2]); at = (at - 1) / 2)
        memory->heap[at] = memory->heap[(at - 1) / 2];
    memory->heap[at] = added;
}

static candidate pop(thaw_merging *memory)
{
    candidate *heap = memory->heap;
    const candidate top = heap[0], last = heap[--memory->heap_count];
    size_t at = 0;
    for (size_t child = 1; child < memory->heap_count; child = 2 * at + 1) {
        if (child + 1 < memory->heap_count && comes_before(&heap[child + 1], &heap[child]))
            child++;
        if (!comes_before(&heap[child], &last))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = last;
    return top;
}

static void consider(const thaw_byte_pairs *pairs, thaw_merging *memory, int32_t place)
{
    const symbol *left = &memory->symbols[place];
    if (left->next < 0)
        return;
    const thaw_merge *merge = find(pairs, left->id, memory->symbols[left->next].id);
    if (merge->left >= 0)
        push(memory, (candidate){ merge->rank, place, merge->left, merge->right, merge->merged });
}

static void merge_all(const thaw_byte_pairs *pairs, thaw_merging *memory)
{
    while (memory->heap_count > 0) {
        const candidate best = pop(memory);
        symbol *left = &memory->symbols[best.place];
        if (left->id != best.left || left->next < 0 || memory->symbols[left->next].id != best.right)
            continue; /* one of the two was merged with another */
        symbol *right = &memory->symbols[left->next];
        left->id = best.merged;
        left->next = right->next;
        right->id = -1;
        if (left->next >= 0)
            memory->symbols[left->next].previous = best.place;
        if (left->previous >= 0)
            consider(pairs, memory, left->previous);
        consider(pairs, memory, best.place);
    }
}

/* Lists the symbols of a word's bytes, and the pairs that can be merged. */
static bool begin(const thaw_byte_pairs *pairs, thaw_merging *memory, const unsigned char *word, size_t bytes)
{
    void *symbols = memory->symbols, *heap = memory->heap;
    bool reserved = thaw_grow_quietly(pairs->context, &symbols, &memory->symbol_capacity, bytes, sizeof(symbol));
    memory->symbols = symbols;
    reserved =
        reserved && thaw_grow_quietly(pairs->context, &heap, &memory->heap_capacity, 2 * bytes, sizeof(candidate));
    memory->heap = heap;
    if (!reserved)
        return false;
    int32_t count = 0;
    for (size_t i = 0; i < bytes; i++) {
        const int32_t id = pairs->symbols[word[i]] >= 0 ? pairs->symbols[word[i]] : pairs->unknown;
        if (id < 0)
            continue;
        memory->symbols[count] = (symbol){ .id = id, .previous = count - 1, .next = count + 1 };
        count++;
    }
    memory->heap_count = 0;
    if (count == 0) {
        memory->symbols[0].id = -1;
        return true;
    }
    memory->symbols[count - 1].next = -1;
    for (int32_t i = 0; i + 1 < count; i++)
        consider(pairs, memory, i);
    return true;
}

static bool merge_word(const thaw_byte_pairs *pairs, thaw_merging *memory, const unsigned char *word, size_t bytes,
                       thaw_id_list *ids)
{
    if (bytes > INT32_MAX || !begin(pairs, memory, word, bytes) || !thaw_id_list_reserve(pairs->context, ids, bytes))
        return false;
    merge_all(pairs, memory);
    for (int32_t at = 0; at >= 0 && memory->symbols[at].id >= 0; at = memory->symbols[at].next)
        ids->items[ids->count++] = memory->symbols[at].id;
    return true;
}

/* ---- words seen before ---- */

enum { KEPT_WORDS = 8192, KEPT_BYTES = 22, KEPT_IDS = 10 };

/* One cache line. */
typedef struct thaw_kept_word {
    unsigned char bytes, count; /* bytes 0: empty */
    unsigned char word[KEPT_BYTES];
    int32_t ids[KEPT_IDS];
} kept_word;

_Static_assert(sizeof(kept_word) == 64, "a kept word is a cache line");

bool thaw_byte_pairs_merge(const thaw_byte_pairs *pairs, thaw_merging *memory, const unsigned char *word, size_t bytes,
                           thaw_id_list *ids)
{
    if (bytes > KEPT_BYTES)
        return merge_word(pairs, memory, word, bytes, ids);
    if (!memory->words) {
        memory->words = thaw_allocate_quietly(pairs->context, KEPT_WORDS * sizeof *memory->words);
        if (!memory->words)
            return false;
        memset(memory->words, 0, KEPT_WORDS * sizeof *memory->words);
    }
    kept_word *kept = &memory->words[thaw_hash_bytes(word, bytes) % KEPT_WORDS];
    if (kept->bytes == bytes && memcmp(kept->word, word, bytes) == 0)
        return thaw_id_list_append(pairs->context, ids, kept->ids, kept->count);
    const size_t before = ids->count;
    if (!merge_word(pairs, memory, word, bytes, ids))
        return false;
    if (ids->count - before <= KEPT_IDS) {
        kept->bytes = (unsigned char)bytes;
        kept->count = (unsigned char)(ids->count - before);
        memcpy(kept->word, word, bytes);
        memcpy(kept->ids, ids->items + before, kept->count * sizeof *ids->items);
    }
    return true;
}

void thaw_merging_release(thaw_context *context, thaw_merging *memory)
{
    thaw_release(context, memory->symbols);
    thaw_release(context, memory->heap);
    thaw_release(context, memory->words);
    *memory = (thaw_merging){ 0 };
}
