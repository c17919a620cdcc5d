#!/usr/bin/env bash
# Installs into a temporary prefix and uses what is there with nothing but pkg-config: from C and C++, shared and static.
# usage: package.sh SOURCE_ROOT BUILD_ROOT PREFIX LIBDIR MANDIR DATADIR MPI; MPI is true or false
set -euo pipefail
export OMP_WAIT_POLICY=passive # beside other tests
source_root=$1 build_root=$2 prefix=$3 libdir=$4 mandir=$5 datadir=$6 mpi=$7

for tool in meson pkg-config gcc g++ nm readelf; do
    command -v "$tool" >/dev/null || { echo "skipped: no $tool"; exit 77; }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root$prefix
lib=$work/root$prefix/$libdir

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# Asks the .pc files that were installed, as if `root` were their prefix. The last argument is the package.
package() {
    PKG_CONFIG_PATH=$lib/pkgconfig pkg-config --define-variable=prefix="$root" "$@"
}

meson install -C "$build_root" --no-rebuild --quiet --destdir "$work/root" >"$work/log" 2>&1 ||
    { cat "$work/log"; fail "meson install"; }

echo "-- what is installed"
for file in "$source_root"/include/thaw/*.h; do
    cmp "$file" "$root/include/thaw/$(basename "$file")" || fail "$(basename "$file") is not installed"
done
version=$(sed -n "s/^  version: '\(.*\)',/\1/p" "$source_root/meson.build" | head -n 1)
for name in thaw thaw-compare; do
    for file in "lib$name.so" "lib$name.so.0" "lib$name.a" "pkgconfig/$name.pc"; do
        [ -e "$lib/$file" ] || fail "$file is not installed"
    done
    readelf -d "$lib/lib$name.so" | grep -q "SONAME.*\[lib$name\.so\.0\]" || fail "the SONAME is not lib$name.so.0"
    [ "$(package --modversion "$name")" = "$version" ] || fail "$name.pc has another version"
done

echo "-- exported are the functions of the headers, and nothing else"
declared_in() {
    sed -n 's/^THAW_API .*[ *]\(thaw_[a-z0-9_]*\)(.*/\1/p' "$@" | sort -u
}
exported_by() {
    nm -D --defined-only "$lib/$1" | awk '{ print $3 }' | sort -u
}
above=("$root"/include/thaw/{compare,report,statistics}.h)
declared_in "${above[@]}" >"$work/above"
declared_in "$root"/include/thaw/mpi.h >"$work/mpi"
declared_in "$root"/include/thaw/*.h | comm -23 - "$work/above" | comm -23 - "$work/mpi" >"$work/declared"
[ "$(wc -l <"$work/declared")" -gt 100 ] || fail "the declarations were not found in the headers"
diff "$work/declared" <(exported_by libthaw.so) || fail "declared (<) and exported (>) functions of libthaw differ"
diff "$work/above" <(exported_by libthaw-compare.so) ||
    fail "declared (<) and exported (>) functions of libthaw-compare differ"
if [ "$mpi" = true ]; then
    diff "$work/mpi" <(exported_by libthaw-mpi.so) ||
        fail "declared (<) and exported (>) functions of libthaw-mpi differ"
fi

echo "-- under a sysroot, all folders that thaw-compare.pc and thaw.pc name are in it"
read -ra flags <<<"$(PKG_CONFIG_LIBDIR=$lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$work/root PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 \
    PKG_CONFIG_ALLOW_SYSTEM_LIBS=1 pkg-config --cflags --libs thaw-compare)"
folders=0
for flag in "${flags[@]}"; do
    case $flag in
    -[IL]*)
        [ -d "${flag#-[IL]}" ] || fail "$flag: no such folder"
        [[ ${flag#-[IL]} == "$work/root"/* ]] || fail "$flag is not in the sysroot"
        folders=$((folders + 1))
        ;;
    esac
done
[ $folders -ge 2 ] || fail "no folders: ${flags[*]}"

if command -v cmake >/dev/null; then
    echo "-- CMake"
    mkdir "$work/project"
    cat >"$work/project/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.13)
project(example C)
find_package(Thaw 0.2 QUIET)
if(Thaw_FOUND)
  message(FATAL_ERROR "another version was found")
endif()
find_package(Thaw QUIET COMPONENTS thaw missing)
if(Thaw_FOUND OR NOT Thaw_thaw_FOUND)
  message(FATAL_ERROR "a component that is missing was found, or one that is there was not")
endif()
find_package(Thaw 0.1 REQUIRED COMPONENTS compare)
add_executable(example example.c)
target_link_libraries(example Thaw::compare)
END
    cat >"$work/project/example.c" <<'END'
#include <stdio.h>
#include <thaw/compare.h>

int main(void)
{
    thaw_context *context = NULL;
    const thaw_status status = thaw_context_create(NULL, &context);
    printf("thaw %s: %s\n", thaw_version(), thaw_status_name(status));
    thaw_context_destroy(context);
    return status != THAW_OK;
}
END
    { cmake -S "$work/project" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$root" && cmake --build "$work/cmake"; } \
        >"$work/log" 2>&1 || { cat "$work/log"; fail "find_package(Thaw)"; }
    LD_LIBRARY_PATH=$lib "$work/cmake/example" | grep "^thaw $version: " || fail "CMake's program"
else
    echo "-- no CMake here"
fi

echo "-- each header stands alone"
read -ra flags <<<"$(package --cflags thaw)"
strict=(-Wall -Wextra -Wpedantic -Werror -fsyntax-only)
for file in "$root"/include/thaw/*.h; do
    gcc -std=c11 "${strict[@]}" -x c "${flags[@]}" "$file"
    g++ -std=c++11 "${strict[@]}" -x c++ "${flags[@]}" "$file"
done

echo "-- C++, and an optimizer in a shared object"
cat >"$work/program.cpp" <<'END'
#include <cstdio>
#include <thaw/thaw.h>

int main(int, char **arguments)
{
    thaw_context *context = nullptr;
    thaw_optimizer *optimizer = nullptr;
    if (thaw_context_create(nullptr, &context) != THAW_OK)
        return 1;
    const thaw_status status = thaw_optimizer_create(context, arguments[1], &optimizer);
    std::printf("%s %s: %s %s\n", thaw_version(), arguments[1], thaw_status_name(status), thaw_context_message(context));
    const bool right = status == THAW_OK && thaw_optimizer_get(optimizer, "lr") == 0.5;
    thaw_optimizer_destroy(optimizer);
    thaw_context_destroy(context);
    return right ? 0 : 1;
}
END
read -ra flags <<<"$(package --cflags --libs thaw)"
gcc -std=c11 -O2 -shared -fPIC "$source_root/examples/lion.c" -o "$work/lion.so" "${flags[@]}"
g++ -std=c++11 "$work/program.cpp" -o "$work/program" "${flags[@]}"
LD_LIBRARY_PATH=$lib "$work/program" "$work/lion.so:lr=0.5"
LD_LIBRARY_PATH=$lib "$work/program" adam:lr=0.5

if [ "$mpi" = true ]; then
    echo "-- ranks over MPI: linked, and loaded by the command"
    for file in libthaw-mpi.so libthaw-mpi.so.0 pkgconfig/thaw-mpi.pc; do
        [ -e "$lib/$file" ] || fail "$file is not installed"
    done
    cat >"$work/ranks.c" <<'END'
#include <stdio.h>
#include <thaw/mpi.h>

int main(void)
{
    char reason[THAW_REASON_BYTES] = "";
    thaw_mpi_connection connection = { THAW_MPI_HEAD }, old = { .size = sizeof old };
    if (thaw_mpi_connect(10, &old, reason))
        return 1;
    puts(reason);
    if (!thaw_mpi_connect(10, &connection, reason))
        return 2;
    printf("rank %d of %d\n", connection.communicator.rank, connection.communicator.ranks);
    connection.close(connection.communicator.user, 0);
    return 0;
}
END
    read -ra flags <<<"$(package --cflags --libs thaw-mpi)"
    gcc -std=c11 "$work/ranks.c" -o "$work/ranks" "${flags[@]}"
    LD_LIBRARY_PATH=$lib "$work/ranks" >"$work/output" || fail "the program with ranks ends with $?"
    grep -x "rank 0 of 1" "$work/output" || fail "no rank"
    grep "must have .* another version of Thaw" "$work/output" || fail "another version is not refused"
    LD_LIBRARY_PATH=$lib "$root/bin/thaw" train --ranks mpi --model mlp-500 --data idx:x,y 2>"$work/output" || true
    grep "thaw: --data: .: cannot open" "$work/output" ||
        { cat "$work/output"; fail "thaw train does not find libthaw-mpi"; }
fi

# One needs arguments: it tells which.
run_example() {
    local name=$1 program=$2 code=0 wanted=0
    [ "$name" != classify ] || wanted=1
    "$program" >"$work/output" 2>&1 || code=$?
    [ $code -eq $wanted ] && { [ $wanted -eq 0 ] || grep -q '^usage: ' "$work/output"; }
}

echo "-- the examples, shared"
read -ra flags <<<"$(package --cflags --libs thaw-compare thaw)"
examples=()
for file in "$source_root"/examples/*.c; do
    grep -q '^int main' "$file" && examples+=("$(basename "$file" .c)")
done
for name in "${examples[@]}"; do
    gcc -std=c11 -O2 "$source_root/examples/$name.c" -o "$work/$name" "${flags[@]}"
    LD_LIBRARY_PATH=$lib run_example "$name" "$work/$name" || { cat "$work/output"; fail "$name, shared"; }
done

if [ -x "$root/bin/thaw" ]; then
    echo "-- the command"
    LD_LIBRARY_PATH=$lib "$root/bin/thaw" --help >"$work/output" || { cat "$work/output"; fail "thaw --help"; }
    pages=(thaw)
    for name in $(LD_LIBRARY_PATH=$lib "$root/bin/thaw" --help | sed -n '3,/^$/s/^  \([a-z]*\)  .*/\1/p'); do
        pages+=("thaw-$name")
    done
    [ ${#pages[@]} -gt 8 ] || fail "thaw --help lists no commands"
    for name in "${pages[@]}"; do
        [ -s "$root/$mandir/man1/$name.1" ] || fail "$name.1 is not installed"
    done
    grep -q 'complete -F _thaw thaw' "$root/$datadir/bash-completion/completions/thaw.bash" ||
        fail "the completion of bash is not installed"
    grep -q '^#compdef thaw' "$root/$datadir/zsh/site-functions/_thaw" || fail "the completion of zsh is not installed"
fi

echo "-- the examples, static"
rm "$lib"/libthaw*.so*
read -ra flags <<<"$(package --static --cflags --libs thaw-compare)"
for name in "${examples[@]}"; do
    gcc -std=c11 -O2 "$source_root/examples/$name.c" -o "$work/$name-static" "${flags[@]}"
    run_example "$name" "$work/$name-static" || { cat "$work/output"; fail "$name, static"; }
done
g++ -std=c++11 "$work/program.cpp" -o "$work/program-static" "${flags[@]}"
"$work/program-static" adam:lr=0.5

echo "-- thaw.pc and thaw-compare.pc name all that the static libraries need"
# shellcheck disable=SC2054 # commas of -Wl
archives=(-Wl,--whole-archive "$lib"/libthaw.a "$lib"/libthaw-compare.a -Wl,--no-whole-archive)
g++ -std=c++11 "$work/program.cpp" -o "$work/program-whole" "${archives[@]}" "${flags[@]}" 2>"$work/log" ||
    { tail -n 20 "$work/log"; fail "all of the static libraries"; }
