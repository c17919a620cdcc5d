/* Archives of ZIP, as numpy.savez writes them: members that are stored or deflated, also of more than 4 GiB, in one
   file. https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT */
#ifndef THAW_DATA_ZIP_H
#define THAW_DATA_ZIP_H

#include "data/content.h"

typedef struct thaw_zip thaw_zip;

/* Opens an archive and reads its directory. `path` must outlive it. Errors: THAW_IO_ERROR, THAW_BAD_FORMAT,
   THAW_UNSUPPORTED (an archive of several files), THAW_OUT_OF_MEMORY. */
thaw_status thaw_zip_open(thaw_context *context, const char *path, thaw_zip **zip);

/* Members, and the name of each; may be any text. */
size_t thaw_zip_count(const thaw_zip *zip);
const char *thaw_zip_name(const thaw_zip *zip, size_t index);

/* Starts to read a member, and ends the previous one. Its end is only found if its checksum is right. Errors:
   THAW_IO_ERROR, THAW_BAD_FORMAT (also if it cannot unpack to as many bytes as the directory says), THAW_UNSUPPORTED
   (another method, or encrypted), THAW_OUT_OF_MEMORY. */
thaw_status thaw_zip_read_member(thaw_zip *zip, size_t index, thaw_content *content);

void thaw_zip_close(thaw_zip *zip); /* NULL is allowed */

#endif
