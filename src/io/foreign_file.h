/* Files of weights in other formats, for messages that help. */
#ifndef THAW_IO_FOREIGN_FILE_H
#define THAW_IO_FOREIGN_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* The first bytes that tell. */
enum { THAW_FOREIGN_BYTES = 64 };

/* Whether these are the first bytes of what torch.save writes: an archive whose first file is NAME/data.pkl, or before
   PyTorch 1.6 a pickle. */
bool thaw_is_pytorch_file(const unsigned char *bytes, size_t count);

#endif
