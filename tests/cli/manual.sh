#!/usr/bin/env bash
# Each command has a manual page, which names every option that its --help names and is clean.
# usage: manual.sh COMMAND PAGE..
set -euo pipefail
thaw=$1
shift

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# What a checker finds in a page; nothing where it is clean.
lint() {
    if command -v mandoc >/dev/null; then
        mandoc -T lint -W style "$1" 2>&1 || true
    elif command -v groff >/dev/null; then
        groff -man -ww -z "$1" 2>&1
    fi
}

declare -A page_of
for page; do
    found=$(lint "$page")
    [ -z "$found" ] || fail "$found"
    page_of[$(basename "$page" .1)]=$page
done

networks=$("$thaw" --help | sed -n '/^Networks/,/^$/s/^  \([a-z0-9-]*\) .*/\1/p')
[ "$(wc -w <<<"$networks")" -ge 11 ] || fail "thaw --help lists no networks"
for name in $networks adam adamw lion rmsprop sgd full head last2 gradual lora:rank=8 lp-ft scratch; do
    grep -qxF ".B ${name//-/\\-}" "${page_of[thaw]}" || fail "thaw.1 does not have $name"
done

commands=$("$thaw" --help | sed -n '3,/^$/s/^  \([a-z-]*\)  .*/\1/p')
[ "$(wc -w <<<"$commands")" -ge 8 ] || fail "thaw --help lists no commands"
for name in $commands; do
    page=${page_of[thaw-$name]:-}
    [ -n "$page" ] || fail "no page for $name"
    grep -qF "thaw\\-${name//-/\\-} (1)" "${page_of[thaw]}" || fail "thaw.1 does not name thaw-$name"
    plain=$(sed 's/\\f[BIR]//g; s/\\-/-/g' "$page")
    # Such as "-b, --batch=N, --batch-size=N".
    options=$("$thaw" "$name" --help | sed -n 's/^ \{2,6\}\(-[^ ].*\)/\1/p' | sed 's/  .*//')
    [ "$(wc -l <<<"$options")" -ge 4 ] || fail "thaw $name --help lists no options"
    while read -r option; do
        grep -qxF -e "$option" <<<"$plain" || fail "$page does not have $option"
    done <<<"$options"
    echo "$name: $(wc -l <<<"$options") options"
done
[ "$(wc -w <<<"$commands")" -eq $((${#page_of[@]} - 1)) ] || fail "there is a page of no command"
