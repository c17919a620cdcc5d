#!/usr/bin/env python3
"""Writes Debian's package index as text with labels: on each line a section, a tab, and the description of a package.

The index is what `apt-cache dumpavail` prints, so that `apt-get update` must have run. Each package comes once, by
name; of its description the first line. Sections lack their area: "non-free/games" is "games".
"""

import argparse
import subprocess
import sys


def read_packages():
    """Section and description by name."""
    packages = {}
    try:
        index = subprocess.run(["apt-cache", "dumpavail"], check=True, stdout=subprocess.PIPE).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"text-data: cannot read Debian's package index: {error}")
    for entry in index.decode("utf-8", "replace").split("\n\n"):
        fields = dict(line.split(": ", 1) for line in entry.split("\n") if ": " in line and line[0] != " ")
        name, section = fields.get("Package"), fields.get("Section", "").split("/")[-1]
        description = " ".join(fields.get("Description", fields.get("Description-en", "")).split())
        if name and section and description:
            packages.setdefault(name, (section, description))
    return packages


def main():
    parser = argparse.ArgumentParser(prog="./run bench text-data", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", help="where to write, such as debian.tsv")
    path = parser.parse_args().file
    packages = read_packages()
    if not packages:
        sys.exit("text-data: Debian's package index is empty; run apt-get update")
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{section}\t{description}\n" for _, (section, description) in sorted(packages.items()))
    sections = {section for section, _ in packages.values()}
    print(f"{path}: {len(packages)} packages in {len(sections)} sections")


if __name__ == "__main__":
    main()
