/* Which names are valid. */
#ifndef THAW_CORE_NAME_H
#define THAW_CORE_NAME_H

/* Why this cannot name a layer, a group or a parameter, as the end of a sentence that begins with the name; NULL if
   it can. Names are UTF-8, as in files. They contain no character that has a meaning in a pattern, so a name used as
   a pattern matches only itself. */
const char *thaw_name_error(const char *name);

#endif
