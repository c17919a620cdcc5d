/* CRC-32C against published values and a division of polynomials bit by bit, in pieces and at every alignment. */
#include "core/crc32c.h"

#include <string.h>

#include "support/support.h"

/* The remainder of the bits, lowest first, with 32 ones before and 32 zeros behind, by x^32 + ... (0x1EDC6F41). */
static uint32_t divide(const unsigned char *bytes, size_t count)
{
    uint32_t rest = 0, reflected = 0;
    for (size_t i = 0; i < 8 * count + 32; i++) {
        uint32_t next = i < 8 * count ? (uint32_t)(bytes[i / 8] >> i % 8 & 1) : 0;
        next ^= i < 32;
        const uint32_t carry = rest >> 31;
        rest = rest << 1 | next;
        if (carry)
            rest ^= 0x1EDC6F41U;
    }
    for (int i = 0; i < 32; i++)
        reflected |= (rest >> i & 1) << (31 - i);
    return ~reflected;
}

typedef uint32_t checksum(uint32_t crc, const void *bytes, size_t count);
static checksum *const builds[] = { thaw_crc32c, thaw_crc32c_plain };

/* RFC 3720, B.4: 32 bytes of zeros, of ones, and 0 to 31; and the usual check. */
Test(crc32c, gives_the_published_values)
{
    unsigned char zeros[32] = { 0 }, ones[32], rising[32];
    memset(ones, 0xFF, sizeof ones);
    for (size_t i = 0; i < sizeof rising; i++)
        rising[i] = (unsigned char)i;
    for (size_t k = 0; k < THAW_COUNT(builds); k++) {
        cr_assert_eq(builds[k](0, zeros, 32), 0x8A9136AAU);
        cr_assert_eq(builds[k](0, ones, 32), 0x62A8AB43U);
        cr_assert_eq(builds[k](0, rising, 32), 0x46DD794EU);
        cr_assert_eq(builds[k](0, "123456789", 9), 0xE3069283U);
        cr_assert_eq(builds[k](7, NULL, 0), 7);
    }
}

Test(crc32c, is_the_division_in_pieces_at_any_place)
{
    unsigned char bytes[80];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * i + 7 * i + 3);
    for (size_t k = 0; k < THAW_COUNT(builds); k++)
        for (size_t begin = 0; begin < 9; begin++)
            for (size_t count = 4; count <= 40; count++)
                for (size_t cut = 0; cut <= count; cut += 5) {
                    const uint32_t first = builds[k](0, bytes + begin, cut);
                    cr_assert_eq(builds[k](first, bytes + begin + cut, count - cut), divide(bytes + begin, count),
                                 "%zu bytes from %zu, cut at %zu", count, begin, cut);
                }
}
