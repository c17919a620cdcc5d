/* Files of PyTorch are recognised, and the message has the line that converts them. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/foreign_file.h"
#include "io/safetensors.h"
#include "support/files.h"
#include "support/support.h"

/* As torch.save begins an archive: the first file is archive/data.pkl, with padding behind its name. */
static const unsigned char archive[] = "PK\3\4\0\0\10\10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\20\0\22\0"
                                       "archive/data.pklFB\16\0ZZZZZZZZZZZZZZ\200\2}q\0X\1\0\0\0aq\1";
/* As it begins a file with _use_new_zipfile_serialization=False: magic number, protocol version. */
static const unsigned char pickle[] =
    "\200\2\212\12l\374\234F\371 j\250P\31.\200\2M\351\3.\200\2}q\0(X\20\0\0\0protocol";
/* Other archives: a wheel, and a name that is cut. */
static const unsigned char wheel[] = "PK\3\4\24\0\0\0\10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\13\0\0\0"
                                     "METADATA.py and more bytes of it";
static const unsigned char cut[] = "PK\3\4\0\0\10\10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\377\377\22\0/data.pkl";

static void assert_refused(const unsigned char *bytes, size_t count, const char *says)
{
    thaw_context *context = support_context(1);
    char path[SUPPORT_PATH_BYTES];
    thaw_safetensors file;
    const int descriptor = support_memory_file(path, bytes, count);
    assert_fails(context, thaw_safetensors_open(context, path, &file), THAW_BAD_FORMAT, says);
    if (strstr(says, "PyTorch"))
        cr_assert_not_null(strstr(thaw_context_message(context), "sys.argv[2])' /"), "the whole line: %s",
                           thaw_context_message(context));
    close(descriptor);
    thaw_context_destroy(context);
}

Test(foreign_file, of_pytorch_is_recognised)
{
    static const char says[] =
        "this is a PyTorch file, must be safetensors. Convert it: python3 -c 'import sys, torch;";
    assert_refused(archive, sizeof archive - 1, says);
    assert_refused(pickle, sizeof pickle - 1, says);
    assert_refused(wheel, sizeof wheel - 1, "the header has ");
    assert_refused(cut, sizeof cut - 1, "the header has ");
}

/* None of the prefixes is taken for more than it is, nor read past its end. */
Test(foreign_file, cut_short_is_not)
{
    for (size_t count = 0; count < sizeof archive - 1; count++) {
        unsigned char *copy = malloc(count ? count : 1);
        cr_assert_not_null(copy);
        memcpy(copy, archive, count);
        cr_assert_eq(thaw_is_pytorch_file(copy, count), count >= 46, "%zu bytes", count);
        free(copy);
    }
}
