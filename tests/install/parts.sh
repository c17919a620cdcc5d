#!/usr/bin/env bash
# Builds the library in part, for the machine's own instructions and without what a host may not want, and uses it.
# usage: parts.sh SOURCE_ROOT
set -euo pipefail
export OMP_WAIT_POLICY=passive # beside other tests
source_root=$1

for tool in meson readelf strip; do
    command -v "$tool" >/dev/null || { echo "skipped: no $tool"; exit 77; }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

meson setup "$work/build" "$source_root" --buildtype=release -Dlevels=native -Dunwind=false -Dimages=disabled \
    -Djson=disabled -Donnx=disabled -Dtokenizers=disabled -Dcpp=disabled >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
ninja -C "$work/build" >"$work/log" 2>&1 || { tail -n 50 "$work/log"; exit 1; }
if grep "warning: " "$work/log"; then
    fail "the compiler warns"
fi

library=$work/build/libthaw.so.0
for name in jpeg png jansson protobuf-c utf8proc stdc++; do
    if readelf -d "$library" | grep -F "NEEDED" | grep -F "[lib$name."; then
        fail "libthaw needs lib$name"
    fi
done
strip -o "$work/stripped" "$library"
bytes=$(stat -c %s "$work/stripped")
echo "libthaw for one level of the CPU, without images, JSON, ONNX, tokenizers, C++ and unwind tables, has $bytes bytes"
[ "$bytes" -lt 1300000 ] || fail "that is 1.3 MB or more"

cat >"$work/program.c" <<'END'
#include <stdio.h>
#include <string.h>
#include <thaw/thaw.h>

/* Trains one step, and is told why nothing can be saved. */
int main(int count, char **arguments)
{
    static float samples[4] = { 1, 2, 3, 4 };
    static int32_t labels[2] = { 0, 1 };
    const thaw_tensor inputs = thaw_view_f32(samples, 2, (int64_t[]){ 2, 2 });
    const thaw_tensor targets = thaw_view_i32(labels, 1, (int64_t[]){ 2 });
    thaw_context *context;
    thaw_model *model;
    thaw_optimizer *optimizer;
    thaw_node x;
    thaw_step_result result;
    if (count != 2 || thaw_context_create(NULL, &context) != THAW_OK || thaw_model_create(context, &model) != THAW_OK)
        return 1;
    if (thaw_input(model, &(thaw_shape){ 1, { 2 } }, &x) != THAW_OK ||
        thaw_dense(model, x, &(thaw_dense_options){ .units = 2 }, &x) != THAW_OK ||
        thaw_softmax_cross_entropy(model, x, NULL, &x) != THAW_OK ||
        thaw_optimizer_create(context, "adam", &optimizer) != THAW_OK ||
        thaw_select_optimizer(model, "*", optimizer) != THAW_OK ||
        thaw_step(model, &inputs, &targets, NULL, &result) != THAW_OK || !(result.loss > 0))
        return 2;
    if (thaw_weights_save(model, arguments[1]) != THAW_UNSUPPORTED)
        return 3;
    puts(thaw_context_message(context));
    int code = strstr(thaw_context_message(context), "-Djson=disabled") ? 0 : 4;
    if (thaw_export_onnx(model, arguments[1], NULL) != THAW_UNSUPPORTED)
        return 5;
    puts(thaw_context_message(context));
    code += strstr(thaw_context_message(context), "-Donnx=enabled") ? 0 : 6;
    thaw_optimizer_destroy(optimizer);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    return code;
}
END
cc -std=c11 -Wall -Wextra -Werror "$work/program.c" -I "$source_root/include" -L "$work/build" -lthaw -o "$work/program"
LD_LIBRARY_PATH=$work/build "$work/program" "$work/saved.safetensors" || fail "the program ends with $?"
