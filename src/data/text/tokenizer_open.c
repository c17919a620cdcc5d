#include <string.h>
#include <sys/stat.h>
#include <thaw/tokenizer.h>
#include <unistd.h>

#include "core/text.h"
#include "data/text/tokenizer_files.h"

static bool is_folder(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

/* The path of a file in a folder, which the caller frees; NULL: there is none, or no memory. */
static char *find(thaw_context *context, const char *folder, const char *name, thaw_status *status)
{
    thaw_text text = { .context = context };
    char *path = NULL;
    if (*status != THAW_OK)
        return NULL;
    thaw_text_append(&text, "%s/%s", folder, name);
    *status = thaw_text_finish(&text, &path);
    if (*status == THAW_OK && access(path, F_OK) == 0)
        return path;
    thaw_text_destroy(context, path);
    return NULL;
}

static thaw_status open_folder(thaw_context *context, const char *folder, thaw_tokenizer **tokenizer)
{
    thaw_status status = THAW_OK;
    char *json = find(context, folder, "tokenizer.json", &status), *lines = find(context, folder, "vocab.txt", &status);
    char *config = find(context, folder, "tokenizer_config.json", &status);
    char *vocabulary = find(context, folder, "vocab.json", &status);
    char *merges = find(context, folder, "merges.txt", &status);
    if (status == THAW_OK)
        status = json                   ? thaw_tokenizer_read_json(context, json, tokenizer)
                 : lines                ? thaw_tokenizer_read_lines(context, lines, config, tokenizer)
                 : vocabulary && merges ? thaw_tokenizer_read_merges(context, vocabulary, merges, tokenizer)
                                        : thaw_fail(context, THAW_NOT_FOUND,
                                                    "%s: has no tokenizer.json, no vocab.txt, and not both vocab.json "
                                                    "and merges.txt",
                                                    folder);
    thaw_text_destroy(context, json);
    thaw_text_destroy(context, lines);
    thaw_text_destroy(context, config);
    thaw_text_destroy(context, vocabulary);
    thaw_text_destroy(context, merges);
    return status;
}

/* The folder of a file, as a copy. */
static thaw_status copy_folder(thaw_context *context, const char *path, char **folder)
{
    const char *slash = strrchr(path, '/');
    thaw_text text = { .context = context };
    if (slash)
        thaw_text_append(&text, "%.*s", (int)(slash - path + 1), path);
    thaw_text_append(&text, ".");
    return thaw_text_finish(&text, folder);
}

static thaw_status open_lines(thaw_context *context, const char *path, thaw_tokenizer **tokenizer)
{
    char *folder;
    thaw_status status = copy_folder(context, path, &folder);
    char *config = find(context, folder, "tokenizer_config.json", &status);
    if (status == THAW_OK)
        status = thaw_tokenizer_read_lines(context, path, config, tokenizer);
    thaw_text_destroy(context, folder);
    thaw_text_destroy(context, config);
    return status;
}

static thaw_status open_vocabulary(thaw_context *context, const char *path, thaw_tokenizer **tokenizer)
{
    char *folder;
    thaw_status status = copy_folder(context, path, &folder);
    char *merges = find(context, folder, "merges.txt", &status);
    if (status == THAW_OK)
        status = merges ? thaw_tokenizer_read_merges(context, path, merges, tokenizer)
                        : thaw_fail(context, THAW_NOT_FOUND, "%s: needs merges.txt beside it", path);
    thaw_text_destroy(context, folder);
    thaw_text_destroy(context, merges);
    return status;
}

thaw_status thaw_tokenizer_open(thaw_context *context, const char *path, thaw_tokenizer **tokenizer)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *end = strrchr(name, '.');
    *tokenizer = NULL;
    const thaw_status status = is_folder(path)                   ? open_folder(context, path, tokenizer)
                               : end && strcmp(end, ".txt") == 0 ? open_lines(context, path, tokenizer)
                               : strcmp(name, "vocab.json") == 0 ? open_vocabulary(context, path, tokenizer)
                                                                 : thaw_tokenizer_read_json(context, path, tokenizer);
    if (status != THAW_OK) {
        thaw_tokenizer_destroy(*tokenizer);
        *tokenizer = NULL;
    }
    return status;
}
