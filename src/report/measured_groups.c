#include "report/measured_groups.h"

#include <stdlib.h>
#include <string.h>

typedef struct named {
    const char *benchmark, *name;
    size_t place;
} named;

static int compare_names(const named *left, const named *right)
{
    const int order = strcmp(left->benchmark, right->benchmark);
    return order ? order : strcmp(left->name, right->name);
}

static int compare(const void *left, const void *right)
{
    const named *one = left, *other = right;
    const int order = compare_names(one, other);
    return order ? order : (one->place > other->place) - (one->place < other->place);
}

static void link_sorted(const named *sorted, size_t count, thaw_measured_groups *groups)
{
    for (size_t i = 0; i < count; i++) {
        const size_t place = sorted[i].place;
        const bool begins = i == 0 || compare_names(&sorted[i - 1], &sorted[i]) != 0;
        groups->first[place] = begins ? place : groups->first[sorted[i - 1].place];
        groups->next[place] = THAW_NO_MEASUREMENT;
        if (!begins)
            groups->next[sorted[i - 1].place] = place;
    }
}

thaw_status thaw_measured_group(const thaw_report_page *page, const char *key, thaw_measured_groups *groups)
{
    const size_t count = json_array_size(page->measurements);
    named *sorted = thaw_allocate_array(page->context, count + 1, sizeof *sorted);
    groups->first = thaw_allocate_array(page->context, count + 1, sizeof *groups->first);
    groups->next = thaw_allocate_array(page->context, count + 1, sizeof *groups->next);
    const bool enough = sorted && groups->first && groups->next;
    for (size_t i = 0; i < count && enough; i++) {
        const json_t *one = json_array_get(page->measurements, i);
        sorted[i] = (named){ thaw_report_string(one, "benchmark"), key ? thaw_report_string(one, key) : "", i };
    }
    if (enough) {
        qsort(sorted, count, sizeof *sorted, compare);
        link_sorted(sorted, count, groups);
    }
    thaw_release(page->context, sorted);
    return enough ? THAW_OK : THAW_OUT_OF_MEMORY;
}

void thaw_measured_groups_release(thaw_context *context, thaw_measured_groups *groups)
{
    thaw_release(context, groups->first);
    thaw_release(context, groups->next);
    *groups = (thaw_measured_groups){ 0 };
}
