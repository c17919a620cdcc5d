#include "data/npy_writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { PREFIX = 10, ALIGNMENT = 64 };

size_t thaw_npy_write_header(char header[THAW_NPY_HEADER_BYTES], const thaw_shape *shape)
{
    static const char magic[] = "\x93NUMPY\x01";
    const char order = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? '<' : '>';
    size_t used = PREFIX;
    memset(header, ' ', THAW_NPY_HEADER_BYTES);
    used += (size_t)snprintf(header + used, THAW_NPY_HEADER_BYTES - used,
                             "{'descr': '%cf4', 'fortran_order': False, 'shape': (", order);
    for (int i = 0; i < shape->rank; i++)
        used +=
            (size_t)snprintf(header + used, THAW_NPY_HEADER_BYTES - used, "%s%" PRId64, i ? ", " : "", shape->dims[i]);
    used += (size_t)snprintf(header + used, THAW_NPY_HEADER_BYTES - used, "%s), }", shape->rank == 1 ? "," : "");
    header[used] = ' ';
    const size_t whole = (used + ALIGNMENT) / ALIGNMENT * ALIGNMENT;
    header[whole - 1] = '\n';
    memcpy(header, magic, sizeof magic); /* with its zero: version 1.0 */
    header[8] = (char)(unsigned char)((whole - PREFIX) & 0xFF);
    header[9] = (char)(unsigned char)((whole - PREFIX) >> 8);
    return whole;
}
