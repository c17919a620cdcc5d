/* What may be a name. */
#ifndef THAW_CORE_NAME_H
#define THAW_CORE_NAME_H

/* Why this cannot be the name of a layer, a group or a parameter, as the end of a sentence that begins with it; NULL when
   it can. Names are UTF-8, as files hold them, and have no character that means something in a pattern, so that a name
   as a pattern selects what has it. */
const char *thaw_name_error(const char *name);

#endif
