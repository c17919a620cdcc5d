/* The first fields of every module: the size of its struct, and which kind and version of module it is. */
#ifndef THAW_CORE_MODULE_HEAD_H
#define THAW_CORE_MODULE_HEAD_H

#include <stddef.h>
#include <stdint.h>

/* How every module begins. */
typedef struct thaw_module_head {
    size_t size;
    uint32_t abi;
} thaw_module_head;

/* What the library accepts. */
typedef struct thaw_module_kind {
    const char *name;    /* such as "an optimizer module" */
    uint32_t abi;        /* the kind in the upper 16 bits, the version in the lower */
    size_t least, whole; /* bytes: up to the last required field, and of the library's own struct */
} thaw_module_kind;

enum { THAW_HEAD_MESSAGE_BYTES = 160 };

/* Why the library cannot use a module, written to `message`; NULL if it can. */
const char *thaw_module_head_error(const thaw_module_kind *kind, const thaw_module_head *head,
                                   char message[THAW_HEAD_MESSAGE_BYTES]);

#endif
