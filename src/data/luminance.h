/* The luminance of a colour. */
#ifndef THAW_DATA_LUMINANCE_H
#define THAW_DATA_LUMINANCE_H

#include <stdint.h>

/* ITU-R 601-2 luma, in Pillow's arithmetic. */
static inline uint8_t thaw_luminance(const uint8_t *pixel)
{
    return (uint8_t)((19595U * pixel[0] + 38470U * pixel[1] + 7471U * pixel[2] + 0x8000U) >> 16);
}

#endif
