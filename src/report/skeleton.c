#include "report/skeleton.h"

#include <string.h>

#include "report/page.h"

static void write_style(void *user, thaw_text *text)
{
    (void)user;
    thaw_text_append(text, "%s", thaw_report_style_css);
}

static void write_script(void *user, thaw_text *text)
{
    (void)user;
    thaw_text_append(text, "%s", thaw_report_script_js);
}

void thaw_skeleton_write(thaw_text *text, const thaw_skeleton_parts *parts, void *user)
{
    const struct {
        const char *mark;
        void (*write)(void *user, thaw_text *text);
    } pieces[] = { { "{{title}}", parts->title },
                   { "{{subject}}", parts->subject },
                   { "{{style}}", write_style },
                   { "{{body}}", parts->body },
                   { "{{script}}", write_script } };
    const char *rest = thaw_report_page_html;
    for (const char *mark; (mark = strstr(rest, "{{"));) {
        thaw_text_append(text, "%.*s", (int)(mark - rest), rest);
        rest = strstr(mark, "}}") + 2;
        for (size_t i = 0; i < THAW_COUNT(pieces); i++)
            if (strncmp(mark, pieces[i].mark, strlen(pieces[i].mark)) == 0)
                pieces[i].write(user, text);
    }
    thaw_text_append(text, "%s", rest);
}
