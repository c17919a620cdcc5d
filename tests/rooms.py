#!/usr/bin/env python3
"""Checks the order of rooms from the #include lines: a file includes from its own room, and from rooms below.

usage: rooms.py SOURCE_ROOT

Nor do files form circles: headers that include each other, or source files of a room that call each other.
Built-in layers and optimizers include public headers, and of the others only those of compute code."""

import os
import re
import sys

# From the bottom up. Rooms on one line stand beside each other and do not know each other.
ORDER = [
    ["core"],
    ["distributed"],
    ["onednn"],
    ["kernels"],
    ["io"],
    ["data"],
    ["params"],
    ["graph", "update"],
    ["src/layers"],
    ["layers", "optimizers"],
    ["models"],
    ["plan", "export"],
    ["program"],
    ["policy"],
    ["features"],
    ["train"],
    ["report"],
    ["compare"],
    ["cli"],
]
# Built-in modules, and the rooms of compute code, which they may include beside public headers.
MODULES = {"layers", "optimizers"}
COMPUTE = {"onednn", "kernels", "src/layers"}
LEVEL = {room: level for level, rooms in enumerate(ORDER) for room in rooms}

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
PUBLIC = re.compile(r"^\s*#\s*include\s+<(thaw/[^>]+)>", re.MULTILINE)


def room_of(path):
    """The room of a file, by its path from the source root; layers/ at the top and src/layers are two rooms."""
    parts = path.split("/")
    if parts[0] != "src":
        return parts[0]
    return "src/layers" if parts[1] == "layers" else parts[1]


def sources(root):
    for top in ("src", "layers", "optimizers"):
        for folder, _, names in os.walk(os.path.join(root, top)):
            for name in sorted(names):
                if name.endswith((".c", ".h", ".c.in")):
                    yield os.path.relpath(os.path.join(folder, name), root)


def read_includes(root):
    """Of each file, the project's files that it includes, as paths from the root, and the public headers."""
    private, public = {}, {}
    for path in sources(root):
        with open(os.path.join(root, path), encoding="utf-8") as file:
            text = file.read()
        beside = os.path.join(os.path.dirname(path), "")
        private[path] = []
        for name in INCLUDE.findall(text):
            found = [at for at in ("src/" + name, beside + name) if os.path.exists(os.path.join(root, at))]
            private[path] += found[:1]  # none: made by the build
        public[path] = PUBLIC.findall(text)
    return private, public


def check_order(private):
    for path, names in private.items():
        room = room_of(path)
        if room not in LEVEL:
            yield f"{path}: the room {room} has no place in the order"
            continue
        for name in names:
            other = room_of(name)
            if other != room and LEVEL.get(other, len(ORDER)) >= LEVEL[room]:
                yield f"{path}: includes {name}, but {other} is not below {room}"


def check_modules(private):
    for path, names in private.items():
        if room_of(path) in MODULES and not path.endswith(".in"):  # a registry only lists its modules
            for name in names:
                if room_of(name) not in COMPUTE:
                    yield f"{path}: includes {name}, but a built-in module sees public headers and compute code alone"


def check_public(root, private, public):
    """core knows thaw/runtime.h, tensors, and what these include; a public header includes public headers alone."""
    known, waiting = set(), ["thaw/runtime.h", "thaw/tensor.h"]
    while waiting:
        name = waiting.pop()
        if name not in known:
            known.add(name)
            with open(os.path.join(root, "include", name), encoding="utf-8") as file:
                waiting += PUBLIC.findall(file.read())
    for path in private:
        if room_of(path) == "core":
            for name in public[path]:
                if name not in known:
                    yield f"{path}: includes <{name}>, of which core knows nothing"
    folder = os.path.join(root, "include", "thaw")
    for name in sorted(os.listdir(folder)):
        if name.endswith(".h"):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                for inner in INCLUDE.findall(file.read()):
                    yield f"include/thaw/{name}: includes {inner}, which is not public"


DEFINED = re.compile(r"^(?!static\b)[a-z][^\n;=]*?\b(\w+)\((?:[^;{]*)\n\{", re.MULTILINE)


def units(root, private):
    """Of each unit, a source file with its header, the units of its room whose header it includes and whose functions
    it names. Types alone make no circle."""
    text, defined, graph = {}, {}, {}
    for path in private:
        with open(os.path.join(root, path), encoding="utf-8") as file:
            text[path] = file.read()
        if path.endswith(".c"):
            defined[unit_of(path)] = set(DEFINED.findall(text[path]))
    for path, names in private.items():
        words = set(re.findall(r"\w+", text[path])) if path.endswith(".c") else set()
        edges = graph.setdefault(unit_of(path), set())
        for other in map(unit_of, names):
            if other != unit_of(path) and room_of(other) == room_of(path) and words & defined.get(other, set()):
                edges.add(other)
    return graph


def headers(private):
    """Of each header, the headers that it includes."""
    return {path: set(names) for path, names in private.items() if path.endswith(".h")}


def unit_of(path):
    return re.sub(r"\.(c|h|c\.in)$", "", path)


def find_circles(graph):
    """Strongly connected components of more than one unit (Tarjan 1972)."""
    index, low, stack, circles = {}, {}, [], []

    def visit(unit):
        index[unit] = low[unit] = len(index)
        stack.append(unit)
        for other in sorted(graph.get(unit, ())):
            if other not in index:
                visit(other)
            if other in stack:
                low[unit] = min(low[unit], low[other])
        if low[unit] == index[unit]:
            circle = stack[stack.index(unit):]
            del stack[stack.index(unit):]
            if len(circle) > 1:
                circles.append(sorted(circle))

    for unit in sorted(graph):
        if unit not in index:
            visit(unit)
    return circles


def main():
    root = sys.argv[1]
    private, public = read_includes(root)
    if not private:
        print(f"{root}: no sources")
        return 1
    faults = list(check_order(private)) + list(check_modules(private)) + list(check_public(root, private, public))
    faults += ["a circle: " + ", ".join(circle) for circle in find_circles(units(root, private)) + find_circles(headers(private))]
    print("\n".join(faults) if faults else f"{len(private)} files keep to the order of rooms")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
