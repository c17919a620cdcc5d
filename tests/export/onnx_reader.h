/* Reads a file of ONNX back, with protobuf-c. */
#ifndef THAW_TESTS_EXPORT_ONNX_READER_H
#define THAW_TESTS_EXPORT_ONNX_READER_H

#include <thaw/model.h>

#include "onnx.pb-c.h"

/* Opens the file; onnx__model_proto__free_unpacked(it, NULL) closes it. */
Onnx__ModelProto *onnx_read(const char *path);

/* Exports a model to `path`, and reads the file. */
Onnx__ModelProto *onnx_export(thaw_model *model, const char *path);

/* The constant of this name; NULL if there is none. */
const Onnx__TensorProto *onnx_tensor(const Onnx__ModelProto *file, const char *name);

/* The first operator of this kind; NULL if there is none. */
const Onnx__NodeProto *onnx_node(const Onnx__ModelProto *file, const char *kind);

/* An attribute, which must be there. */
const Onnx__AttributeProto *onnx_attribute(const Onnx__NodeProto *node, const char *name);

/* Asserts that an attribute is this list. */
void assert_integers(const Onnx__NodeProto *node, const char *name, size_t count, const int64_t *values);

/* The text of this name in the metadata; NULL if there is none. */
const char *onnx_metadata(const Onnx__ModelProto *file, const char *name);

/* Asserts what every file keeps to: versions; names that are unique; operators in an order in which each has its inputs;
   nothing that is not used; constants as large as their shape says; a batch of any size, in and out. */
void assert_valid(const Onnx__ModelProto *file, const char *what);

#endif
