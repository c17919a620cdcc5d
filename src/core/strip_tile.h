/* How much of a product of rows with a strip of THAW_STRIP columns the registers hold: sums of so many rows and columns,
   which run over the whole depth. */
#ifndef THAW_CORE_STRIP_TILE_H
#define THAW_CORE_STRIP_TILE_H

#if defined __AVX512F__
enum { LANES = 16, COLUMNS = 32, MOST_ROWS = 12 };
#elif defined __AVX2__
enum { LANES = 8, COLUMNS = 32, MOST_ROWS = 3 };
#elif defined __aarch64__
enum { LANES = 4, COLUMNS = 16, MOST_ROWS = 6 };
#else
enum { LANES = 4, COLUMNS = 16, MOST_ROWS = 3 };
#endif
enum { VECTORS = COLUMNS / LANES };

typedef float vector __attribute__((vector_size(LANES * sizeof(float))));

#endif
