/* CRC-32C (Castagnoli 1993; reflected polynomial 0x82F63B78): finds every burst of up to 32 wrong bits. */
#ifndef THAW_CORE_CRC32C_H
#define THAW_CORE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Continues the checksum `crc` of earlier bytes, 0 at first, over `count` more. Uses the CPU's instruction for it where
   there is one. Thread-safe. */
uint32_t thaw_crc32c(uint32_t crc, const void *bytes, size_t count);

/* The same without that instruction. */
uint32_t thaw_crc32c_plain(uint32_t crc, const void *bytes, size_t count);

#endif
