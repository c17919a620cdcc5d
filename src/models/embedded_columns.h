/* Categories of a table as embeddings. */
#ifndef THAW_MODELS_EMBEDDED_COLUMNS_H
#define THAW_MODELS_EMBEDDED_COLUMNS_H

#include "models/zoo.h"

/* In place of features that are a 1 among zeros, a row of a table for each column of categories, embedding1,
   embedding2 ...; the other features stay as they are. `*node`, of shape [features], becomes their concatenation, in
   the order of the columns. Errors: THAW_INVALID_ARGUMENT (no categories, or not within the features). */
thaw_status thaw_append_embedded_columns(thaw_model *model, const thaw_network_options *options, thaw_node *node);

#endif
