#!/usr/bin/env bash
# What the README files say: C blocks compile, links lead somewhere, options exist, and the commands of README.md run.
# usage: readme.sh SOURCE_ROOT COMMAND COMPILER.. ; COMMAND is '-' where none was built
set -euo pipefail
export OMP_WAIT_POLICY=passive # beside other tests
source_root=$1 thaw=$2
shift 2
[ "$thaw" = - ] || thaw=$(realpath "$thaw")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# The commands in the blocks of a file, one a line.
commands_of() {
    awk '/^```/ { inside = !inside; next } inside' "$1" | sed -e ':join' -e '/\\$/ { N; s/\\\n */ /; b join' -e '}' |
        sed -n 's/  *#.*//; /^thaw [a-z]/p'
}

# A square of one gray: make_png LEVEL
make_png() {
    python3 -c '
import struct, sys, zlib
level = int(sys.argv[1])
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
sys.stdout.buffer.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 28, 28, 8, 0, 0, 0, 0)) +
                        chunk(b"IDAT", zlib.compress((b"\0" + bytes([level]) * 28) * 28)) + chunk(b"IEND", b""))' "$1"
}

cd "$source_root"
blocks=0 links=0 commands=0
for file in README.md */README.md; do
    awk -v name="$work/$(tr / - <<<"$file")" \
        '/^```c$/ { block = name "-" ++n ".c"; next } /^```$/ { block = "" } block { print > block }' "$file"

    while read -r link; do
        path=${link%%#*}
        [ -z "$path" ] || [ -e "$(dirname "$file")/$path" ] || fail "$file: $link leads nowhere"
        links=$((links + 1))
    done < <(grep -oP '\]\(\K[^)]+' "$file" | grep -v '^https\?:' || true)

    [ "$thaw" != - ] || continue
    while read -r _ name line; do
        options=$("$thaw" "$name" --help) || fail "$file: thaw $name is no command"
        read -ra words <<<"$line"
        for option in "${words[@]}"; do
            [[ $option == --* ]] || continue
            grep -qE -- "^ {2,6}(-., )?$option([= ]|\$)" <<<"$options" || fail "$file: thaw $name has no $option"
        done
        commands=$((commands + 1))
    done < <(commands_of "$file")
done

for file in "$work"/*.c; do
    "$@" -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I"$source_root/include" "$file"
    blocks=$((blocks + 1))
done
[ $blocks -ge 3 ] || fail "no C blocks were found"
[ $links -ge 20 ] || fail "no links were found"
echo "$blocks blocks of C, $links links, $commands commands"

# On 20 images per class, which are quickly done.
if [ "$thaw" != - ] && [ -e /usr/share/datasets/fashion-mnist ]; then
    cd "$work"
    make_png 128 >photo.png
    mkdir -p photos/dark photos/light
    for i in 1 2 3 4 5; do
        make_png $((10 * i)) >"photos/dark/$i.png"
        make_png $((255 - 10 * i)) >"photos/light/$i.png"
    done
    "$thaw" train --model mobilenet-v2 --data 'folder:photos;size=32' --epochs 1 --batch 4 \
        --save mobilenet_v2.safetensors >output 2>&1 || { cat output; fail "no weights"; }
    ran=0
    while read -r _ line; do
        line=$(sed -E "s/fashion-mnist:(classes=[0-9-]+)/'fashion-mnist:per-class=20;\1'/g" <<<"$line")
        eval "\"$thaw\" $line" >output 2>&1 </dev/null || { cat output; fail "thaw $line"; }
        ran=$((ran + 1))
    done < <(commands_of "$source_root/README.md")
    [ $ran -ge 5 ] || fail "README.md has no commands"
    echo "$ran commands of README.md ran"
fi
