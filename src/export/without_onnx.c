/* Replaces onnx_file.c if the library is built with -Donnx=disabled, or where protobuf-c or onnx.proto is missing. */
#include "export/onnx_graph.h"

thaw_status thaw_onnx_file_write(thaw_onnx_graph *graph, const char *path)
{
    return thaw_fail(graph->context, THAW_UNSUPPORTED,
                     "%s: this libthaw was built without ONNX: install libprotobuf-c-dev, protobuf-c-compiler and "
                     "libonnx-dev, and build with -Donnx=enabled",
                     path);
}
