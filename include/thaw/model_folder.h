/* Networks as people download them from the Hub of Hugging Face: a folder with

     config.json                what the network is: transformers' model_type (bert, distilbert, gpt2, vit, dinov2), or
                                timm's architecture (such as vit_small_patch16_224, deit_small_patch16_224,
                                vit_small_patch14_dinov2, convnext_tiny, resnet18, efficientnet_lite0 and
                                mobilenetv2_100)
     model.safetensors          the weights, or model.safetensors.index.json and the files that it names
     tokenizer.json             of a network of text, or vocab.txt, or vocab.json and merges.txt
     preprocessor_config.json   how images become samples; timm's config.json says it itself
     modules.json               of sentence-transformers: a Transformer, a Pooling (mean or cls) and a Normalize are the
                                options pooling and normalise of the network (thaw/zoo.h), as anything else there may
                                be given otherwise: normalise=no trains a classifier on features as they are pooled.
                                Without modules.json, 1_Pooling decides how they are
     sentence_bert_config.json  its max_seq_length is where texts are cut for thaw/predictor.h

   Other files are ignored.

     thaw_model_folder *folder;
     thaw_model_folder_open(context, "all-MiniLM-L6-v2", &folder);
     thaw_zoo_build(model, thaw_model_folder_description(folder), 5);
     thaw_model_folder_load(folder, model, NULL, NULL);

   A configuration that asks for anything that Thaw would compute otherwise is an error that names the key. Parameters
   have the names of the files, in the form in which a network with a head has them (vit.encoder.layer.0 ...,
   classifier). So what thaw_weights_save writes is what transformers and timm load: beside the same config.json, as
   model.safetensors. If the size of images was changed, image_size there must be changed, too.

   Needs a libthaw with JSON. */
#ifndef THAW_MODEL_FOLDER_H
#define THAW_MODEL_FOLDER_H

#include <thaw/notes.h>
#include <thaw/weights.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A folder's configuration. It does not change, and keeps no file open. */
typedef struct thaw_model_folder thaw_model_folder;

/* Reads the configuration, and the header of the weights. The caller owns *folder, which is NULL after an error, and
   destroys it before the context.
   Errors: THAW_NOT_FOUND (no config.json; an unknown kind of network: the message lists the known ones; no weights),
   THAW_BAD_FORMAT (a file; a key's value of the wrong type or range), THAW_UNSUPPORTED (a key asks for what Thaw does
   not compute; no JSON), THAW_INVALID_ARGUMENT (sizes that do not suit each other), THAW_IO_ERROR,
   THAW_OUT_OF_MEMORY. */
THAW_API thaw_status thaw_model_folder_open(thaw_context *context, const char *path, thaw_model_folder **folder);

/* NULL is allowed. */
THAW_API void thaw_model_folder_destroy(thaw_model_folder *folder);

/* What follows is borrowed from the folder. Thread-safe. */

/* The network for thaw_zoo_build, such as
   "vit:layers=12,width=384,heads=6,hidden=1536,patch=16,epsilon=1e-12,size=224". */
THAW_API const char *thaw_model_folder_description(const thaw_model_folder *folder);

/* The classes of the weights' head; 0: they have no head. */
THAW_API size_t thaw_model_folder_classes(const thaw_model_folder *folder);

/* What a file of Thaw's would say of itself (thaw/notes.h): thaw.model; with a head thaw.outputs, thaw.task and, if the
   configuration has names other than LABEL_0, thaw.classes; and thaw.images of a network of images, as far as known.
   Images that preprocessor_config.json resizes to a square regardless of their sides are resized by their shorter side
   and cut. */
THAW_API const thaw_notes *thaw_model_folder_notes(const thaw_model_folder *folder);

/* The path that thaw_tokenizer_open reads, which is the folder; NULL: it has no tokenizer. */
THAW_API const char *thaw_model_folder_tokenizer(const thaw_model_folder *folder);

/* The most tokens of a text: max_seq_length of sentence_bert_config.json, at most the network's positions; without it,
   the positions. 0: the network is not of texts. */
THAW_API size_t thaw_model_folder_length(const thaw_model_folder *folder);

/* The path of the weights, or of their index. */
THAW_API const char *thaw_model_folder_weights(const thaw_model_folder *folder);

/* Loads the weights into a network that was built from the description, with any options of its head. As
   thaw_weights_load, but that
   - tensors of a network without a head get the names that they have in one with a head;
   - LayerNorm.gamma and LayerNorm.beta of older files are LayerNorm.weight and LayerNorm.bias;
   - tensors that the network has no use for are skipped: heads of pre-training, the pooler of vit, masks;
   - a tied head that differs from the table of tokens is skipped with a warning, as in thaw_weights_load;
   - if the weights have no head, that of the model stays new, with a message to the context's log; `missing` counts it.
   The model may be of another context. Not safe while another thread uses the model. Errors: those of
   thaw_weights_load. */
THAW_API thaw_status thaw_model_folder_load(const thaw_model_folder *folder, thaw_model *model,
                                            const thaw_load_options *options, thaw_load_result *result);

#ifdef __cplusplus
}
#endif

#endif
