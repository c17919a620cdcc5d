#include "io/foreign_file.h"

#include <string.h>

/* APPNOTE.TXT of the zip format, 4.3.7: the name of the first file is at byte 30, its length in bytes 26 and 27. */
static bool is_archive(const unsigned char *bytes, size_t count)
{
    static const char content[] = "/data.pkl";
    enum { LENGTH_AT = 26, NAME_AT = 30, CONTENT = sizeof content - 1 };
    if (count < NAME_AT || memcmp(bytes, "PK\3\4", 4) != 0)
        return false;
    const size_t length = bytes[LENGTH_AT] + ((size_t)bytes[LENGTH_AT + 1] << 8);
    return length >= CONTENT && NAME_AT + length <= count &&
           memcmp(bytes + NAME_AT + length - CONTENT, content, CONTENT) == 0;
}

/* A pickle of PyTorch's magic number 0x1950a86a20f9469cfc6c, torch/serialization.py. */
static bool is_pickle(const unsigned char *bytes, size_t count)
{
    static const unsigned char magic[] = { 0x80, 2,    0x8A, 0x0A, 0x6C, 0xFC, 0x9C,
                                           0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19 };
    return count >= sizeof magic && memcmp(bytes, magic, sizeof magic) == 0;
}

bool thaw_is_pytorch_file(const unsigned char *bytes, size_t count)
{
    return is_archive(bytes, count) || is_pickle(bytes, count);
}
