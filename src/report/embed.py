"""Writes a C file with the contents of other files as strings: embed.py OUTPUT HEADER INPUT... The string of page.html
is called thaw_report_page_html; HEADER, as it is included, declares it."""
import pathlib
import sys

output, header, *inputs = sys.argv[1:]
with open(output, "w") as made:
    made.write(f'#include "{header}"\n')
    for name in map(pathlib.Path, inputs):
        made.write(f"\nconst char thaw_report_{name.name.replace('.', '_')}[] = {{")
        # One constant a character: string literals have a longest length that compilers must take. The constant has the
        # sign that the machine's char has.
        for place, byte in enumerate(name.read_bytes() + b"\0"):
            made.write(("\n    " if place % 20 == 0 else " ") + (f"{byte}," if byte < 128 else f"'\\{byte:o}',"))
        made.write("\n};\n")
