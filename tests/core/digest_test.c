/* The fingerprint tells contents apart, and their pieces. */
#include "core/digest.h"

#include <string.h>

#include "support/support.h"

static thaw_digest of(const char *bytes, size_t count)
{
    thaw_digest digest = { 0 };
    thaw_digest_add(&digest, bytes, count);
    return digest;
}

static bool equal(thaw_digest a, thaw_digest b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

Test(digest, is_the_same_for_the_same)
{
    char bytes[40] = "sixteen and more characters, unaligned";
    char moved[41];
    memcpy(moved + 1, bytes, sizeof bytes);
    for (size_t count = 0; count <= sizeof bytes; count++)
        cr_assert(equal(of(bytes, count), of(moved + 1, count)));
}

Test(digest, changes_with_each_bit_and_with_the_length)
{
    char bytes[24] = { 0 };
    enum { MOST = 24 * 8 + 25 };
    static thaw_digest seen[MOST];
    size_t count = 0;
    for (size_t length = 0; length <= sizeof bytes; length++)
        seen[count++] = of(bytes, length);
    for (size_t bit = 0; bit < sizeof bytes * 8; bit++) {
        bytes[bit / 8] ^= (char)(1 << bit % 8);
        seen[count++] = of(bytes, sizeof bytes);
        bytes[bit / 8] ^= (char)(1 << bit % 8);
    }
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++)
            for (int lane = 0; lane < 2; lane++)
                cr_assert_neq(seen[i].lane[lane], seen[k].lane[lane], "contents %zu and %zu meet", k, i);
}

Test(digest, tells_pieces_apart)
{
    thaw_digest first = { 0 }, second = { 0 }, third = { 0 };
    thaw_digest_add_text(&first, "ab");
    thaw_digest_add_text(&first, "c");
    thaw_digest_add_text(&second, "a");
    thaw_digest_add_text(&second, "bc");
    thaw_digest_add_text(&third, "abc");
    cr_assert(!equal(first, second) && !equal(first, third) && !equal(second, third));
}
