/* Names on standard output: a terminal must not obey them. */
#ifndef THAW_CLI_SHOWN_H
#define THAW_CLI_SHOWN_H

/* Text whose unprintable bytes are \xNN, cut to the room. */
typedef struct cli_shown {
    char text[4096];
} cli_shown;

/* To be printed in the same expression: printf("saved %s\n", cli_show(path).text). */
cli_shown cli_show(const char *text);

#endif
