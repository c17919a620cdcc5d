/* A trie of byte strings: finds the longest that a text begins with. */
#ifndef THAW_DATA_TEXT_TRIE_H
#define THAW_DATA_TEXT_TRIE_H

#include <thaw/context.h>

/* Starts as zero, except the context. Nodes are numbered from 0, the root. The edges are in one hash table: open
   addressing, linear probing, at most half full. */
typedef struct thaw_trie {
    thaw_context *context;
    struct thaw_trie_edge {
        uint32_t from, to; /* from: the node times 256 plus the byte; to: 0: the slot is empty */
    } * edges;
    size_t edge_slots;
    int32_t *values; /* by node: what ends there; -1: nothing */
    size_t nodes, node_capacity;
} thaw_trie;

/* Adds a string of at least one byte in place of an equal one. `value` is 0 or more. Errors: THAW_UNSUPPORTED (more
   than 2^24 nodes), THAW_OUT_OF_MEMORY. */
thaw_status thaw_trie_add(thaw_trie *trie, const char *string, size_t bytes, int32_t value);

/* The length of the longest string that `text` begins with, and its value; 0: there is none. Thread-safe. */
size_t thaw_trie_longest(const thaw_trie *trie, const unsigned char *text, size_t bytes, int32_t *value);

void thaw_trie_release(thaw_trie *trie);

#endif
