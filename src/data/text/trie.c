#include "data/text/trie.h"

#include "core/allocation.h"
#include "data/text/hash.h"

enum { MOST_NODES = 1 << 24 };

/* The slot of an edge, or the empty one where it would be. */
static size_t find_slot(const thaw_trie *trie, uint32_t from)
{
    size_t slot = thaw_hash_number(from) & (trie->edge_slots - 1);
    while (trie->edges[slot].to && trie->edges[slot].from != from)
        slot = (slot + 1) & (trie->edge_slots - 1);
    return slot;
}

static thaw_status reserve_edges(thaw_trie *trie)
{
    if (2 * (trie->nodes + 1) <= trie->edge_slots)
        return THAW_OK;
    thaw_trie wider = *trie;
    wider.edge_slots = trie->edge_slots ? 2 * trie->edge_slots : 64;
    wider.edges = thaw_allocate_array(trie->context, wider.edge_slots, sizeof *wider.edges);
    if (!wider.edges)
        return THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < trie->edge_slots; i++)
        if (trie->edges[i].to)
            wider.edges[find_slot(&wider, trie->edges[i].from)] = trie->edges[i];
    thaw_release(trie->context, trie->edges);
    *trie = wider;
    return THAW_OK;
}

static thaw_status add_node(thaw_trie *trie)
{
    if (trie->nodes == MOST_NODES)
        return thaw_fail(trie->context, THAW_UNSUPPORTED,
                         "a vocabulary has more than %d different beginnings of tokens", MOST_NODES);
    int32_t *values = thaw_grow(trie->context, trie->values, &trie->node_capacity, trie->nodes + 1, sizeof *values);
    if (!values)
        return THAW_OUT_OF_MEMORY;
    trie->values = values;
    values[trie->nodes++] = -1;
    return reserve_edges(trie);
}

thaw_status thaw_trie_add(thaw_trie *trie, const char *string, size_t bytes, int32_t value)
{
    thaw_status status = trie->nodes ? THAW_OK : add_node(trie);
    uint32_t node = 0;
    for (size_t i = 0; i < bytes && status == THAW_OK; i++) {
        const uint32_t from = node << 8 | (unsigned char)string[i];
        size_t slot = find_slot(trie, from);
        if (!trie->edges[slot].to) {
            const uint32_t next = (uint32_t)trie->nodes;
            status = add_node(trie);
            if (status != THAW_OK)
                return status;
            slot = find_slot(trie, from);
            trie->edges[slot] = (struct thaw_trie_edge){ .from = from, .to = next };
        }
        node = trie->edges[slot].to;
    }
    if (status == THAW_OK)
        trie->values[node] = value;
    return status;
}

size_t thaw_trie_longest(const thaw_trie *trie, const unsigned char *text, size_t bytes, int32_t *value)
{
    size_t longest = 0;
    uint32_t node = 0;
    for (size_t i = 0; i < bytes && trie->nodes; i++) {
        node = trie->edges[find_slot(trie, node << 8 | text[i])].to;
        if (!node)
            break;
        if (trie->values[node] >= 0) {
            longest = i + 1;
            *value = trie->values[node];
        }
    }
    return longest;
}

void thaw_trie_release(thaw_trie *trie)
{
    thaw_release(trie->context, trie->edges);
    thaw_release(trie->context, trie->values);
    *trie = (thaw_trie){ .context = trie->context };
}
