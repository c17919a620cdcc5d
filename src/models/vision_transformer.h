/* Vision transformers: up to the features, with names of three kinds. Each is a `build` of a thaw_network. */
#ifndef THAW_MODELS_VISION_TRANSFORMER_H
#define THAW_MODELS_VISION_TRANSFORMER_H

#include "models/zoo.h"

/* timm's names; the features are the class token. */
thaw_status thaw_build_timm_vision(thaw_model *model, const thaw_network_options *options, thaw_node *node);

/* Those of Hugging Face's ViTForImageClassification; the same features. */
thaw_status thaw_build_vit(thaw_model *model, const thaw_network_options *options, thaw_node *node);

/* Those of Dinov2ForImageClassification; the features are the class token beside the mean of the patches. */
thaw_status thaw_build_dinov2(thaw_model *model, const thaw_network_options *options, thaw_node *node);

#endif
