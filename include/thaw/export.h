/* Networks for other programs: a file of ONNX, which ONNX Runtime, OpenVINO, TensorRT and others run. */
#ifndef THAW_EXPORT_H
#define THAW_EXPORT_H

#include <thaw/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Options of thaw_export_onnx. Zero everywhere is usable. */
typedef struct thaw_onnx_options {
    bool probabilities; /* end with softmax over the last dimension, as thaw_predictor_samples does; the output is then
                           called "probabilities" */
} thaw_onnx_options;

/* Writes what thaw_predict computes as a model of ONNX: IR version 8, opset 17. `options` may be NULL.

   The input is called "input", or has the name that thaw_named_input gave it. A model with several inputs has them all,
   in their order. An input is float32 [batch, ...] with any number of samples. Images are [batch, channels, height,
   width], as PyTorch has them; sequences and rows are as in Thaw, [batch, steps, features] and [batch, features]. An
   input of THAW_I32 is int64, as token ids are in transformers. Ids in an input of floats are floats, as in Thaw.

   The output has the name of the layer that thaw_model_output tells, such as "fc". It is what thaw_predict writes: for a
   classifier the logits, one per class, since a loss at the end is left out; images are again [batch, channels, height,
   width]. Dropout does nothing and batch normalisation uses the running statistics. Layers are computed in float32,
   whatever the model's precision. Layers that the output does not depend on are left out.

   Weights have the names and layouts of PyTorch. One that is bound to an expression, such as with adapters or a mask,
   is written as the value of the expression. The model's notes (thaw/notes.h) and thaw.version become metadata of the
   file: thaw.images tells how an image becomes a sample, thaw.classes what the outputs mean.

   The file replaces an existing one only as a whole.
   Errors: THAW_UNSUPPORTED (a layer that has no thaw_layer_module.export_onnx; more than 2 GiB; a library that was
   built without ONNX), THAW_INVALID_ARGUMENT (no path, no layer, probabilities of a number), THAW_DUPLICATE
   (probabilities, where a layer has this name), THAW_NOT_FINITE (a parameter), THAW_IO_ERROR, THAW_OUT_OF_MEMORY. Not
   safe while another thread uses the model. */
THAW_API thaw_status thaw_export_onnx(thaw_model *model, const char *path, const thaw_onnx_options *options);

#ifdef __cplusplus
}
#endif

#endif
