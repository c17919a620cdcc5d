/* Changes to a square image of 8 bits a channel, in place. Arithmetic and results are Pillow's, bit for bit: those of
   ImageEnhance, ImageOps and Image.transform, which torchvision's transforms of images call. */
#ifndef THAW_DATA_PIXELS_H
#define THAW_DATA_PIXELS_H

#include <stddef.h>
#include <stdint.h>

typedef struct thaw_pixels {
    uint8_t *bytes; /* [size, size, 3]: red, green, blue */
    uint8_t *spare; /* as many, of any content */
    size_t size;
} thaw_pixels;

/* ---- colour.c: a factor of 1 changes nothing ---- */

void thaw_pixels_brighten(thaw_pixels *pixels, float factor); /* 0: black */
void thaw_pixels_contrast(thaw_pixels *pixels, float factor); /* 0: the mean luminance */
void thaw_pixels_saturate(thaw_pixels *pixels, float factor); /* 0: grey */
void thaw_pixels_sharpen(thaw_pixels *pixels, float factor);  /* 0: smoothed; 2: sharpened */

/* Turns hues by this share of the circle, from -0.5 to 0.5. */
void thaw_pixels_turn_hue(thaw_pixels *pixels, double share);

/* ---- tones.c ---- */

/* Keeps the high `bits` bits of each value. */
void thaw_pixels_posterize(thaw_pixels *pixels, unsigned bits);

/* Inverts values that are not below the threshold. */
void thaw_pixels_solarize(thaw_pixels *pixels, double threshold);

/* Stretches each channel to the whole range. */
void thaw_pixels_stretch(thaw_pixels *pixels);

/* Makes the values of each channel equally frequent. */
void thaw_pixels_equalize(thaw_pixels *pixels);

/* ---- warp.c: the nearest pixel; black where there is none ---- */

void thaw_pixels_rotate(thaw_pixels *pixels, double degrees); /* counter-clockwise around the middle */

/* The pixel at (x, y) becomes that at (x + across y, y + down x). */
void thaw_pixels_shear(thaw_pixels *pixels, double across, double down);

/* Moves the image to the right and down by so many pixels. */
void thaw_pixels_translate(thaw_pixels *pixels, long right, long down);

#endif
