#!/usr/bin/env bash
# Compiles each C block of README.md by itself.
# usage: readme.sh SOURCE_ROOT COMPILER..
set -euo pipefail
source_root=$1
shift

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
awk -v work="$work" '/^```c$/ { file = work "/" ++n ".c"; next } /^```$/ { file = "" } file { print > file }' \
    "$source_root/README.md"
[ -e "$work/1.c" ] || { echo "FAILED: README.md has no C block" >&2; exit 1; }
for file in "$work"/*.c; do
    "$@" -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I"$source_root/include" "$file"
done
