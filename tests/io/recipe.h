/* Files in safetensors' format that break it or come near to that, made of a header and some zeros. */
#ifndef THAW_TESTS_IO_RECIPE_H
#define THAW_TESTS_IO_RECIPE_H

#include <stddef.h>
#include <stdint.h>
#include <thaw/base.h>

typedef struct recipe {
    const char *name;
    const char *header;
    size_t data_bytes;   /* zeros after the header */
    const char *message; /* what the error says; NULL: the file opens */
    thaw_status status;  /* 0: THAW_BAD_FORMAT */
    uint64_t length;     /* what the first eight bytes say; 0: the header's length */
    size_t header_bytes; /* 0: up to the first NUL */
} recipe;

/* Tensors of 32 bits. */
#define A "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}"
#define TENSOR(name, shape, offsets) "\"" name "\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

/* Writes each to io_path and opens it; nothing may stay open. */
void recipe_check_all(const recipe *recipes, size_t count);

#endif
