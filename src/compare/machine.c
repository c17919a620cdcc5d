#include "compare/machine.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "compare/energy.h"
#include "core/open.h"
#include "core/threads.h"

#ifdef __clang__
static const char compiler[] = "clang " __clang_version__;
#else
static const char compiler[] = "gcc " __VERSION__;
#endif

/* Linux's name for it on x86 ("model name"); other architectures have no such line. */
void thaw_machine_processor(char name[THAW_PROCESSOR_BYTES])
{
    char line[256];
    FILE *file = thaw_open_stream("/proc/cpuinfo");
    snprintf(name, THAW_PROCESSOR_BYTES, "unknown");
    while (file && fgets(line, sizeof line, file)) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !colon)
            continue;
        snprintf(name, THAW_PROCESSOR_BYTES, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
        break;
    }
    if (file)
        fclose(file);
}

json_t *thaw_machine_json(const thaw_context *context)
{
    char processor[THAW_PROCESSOR_BYTES], system[256] = "unknown";
    struct utsname names;
    thaw_machine_processor(processor);
    if (uname(&names) == 0)
        snprintf(system, sizeof system, "%.60s %.120s %.60s", names.sysname, names.release, names.machine);
    const json_int_t memory = (json_int_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
    return json_pack("{sssisIsssisb}", "processor", processor, "cores", thaw_threads_available(), "memory_bytes",
                     memory, "system", system, "threads", thaw_context_threads(context), "energy",
                     thaw_energy_read(NULL).packages > 0);
}

json_t *thaw_versions_json(void)
{
    int version[3];
    char onednn[40];
    thaw_onednn_version(version);
    snprintf(onednn, sizeof onednn, "%d.%d.%d", version[0], version[1], version[2]);
    return json_pack("{ssssss}", "thaw", thaw_version(), "onednn", onednn, "compiler", compiler);
}
