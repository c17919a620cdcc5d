#!/usr/bin/env bash
# Uses Thaw as a Meson subproject of a small project.
# usage: subproject.sh SOURCE_ROOT
set -euo pipefail
export OMP_WAIT_POLICY=passive # beside other tests
source_root=$1

command -v meson >/dev/null || { echo "skipped: no meson"; exit 77; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/project/subprojects"
ln -s "$source_root" "$work/project/subprojects/thaw"
cp "$source_root/examples/embed.c" "$work/project/"
cat >"$work/project/meson.build" <<'END'
project('user', 'c', default_options: ['c_std=c11', 'warning_level=0'])
thaw = dependency('thaw')
test('embed', executable('embed', 'embed.c', dependencies: thaw))
END

cd "$work/project"
meson setup "$work/build" --force-fallback-for=thaw --buildtype=debug >"$work/log" 2>&1 ||
    { cat "$work/log"; exit 1; }
ninja -C "$work/build" >"$work/log" 2>&1 || { tail -n 50 "$work/log"; exit 1; }
meson test -C "$work/build" --no-rebuild --print-errorlogs
