"""Writes arrays of NumPy in all types and orders: types.npz, packed.npz, version2.npy, version3.npy.

Element (n, i, j) of a [3, 2, 2] array is its place in C's order k, as k for unsigned integers, k - 5 for integers,
(k - 5) / 2 for floats, and whether k is odd for b1.
"""
import sys
from pathlib import Path

import numpy as np

folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)


def values(kind):
    k = np.arange(12).reshape(3, 2, 2)
    return {"u": k, "i": k - 5, "f": (k - 5) / 2, "b": k % 2}[kind]


arrays = {"y": np.array([2, 0, 1], dtype="i8")}
for name in ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"]:
    for order in "<>":
        for layout in "CF":
            array = np.array(values(name[0]), dtype=order + name, order=layout)
            arrays[f"{name}_{'little' if order == '<' else 'big'}_{layout}"] = array
np.savez(folder / "types.npz", **arrays)
np.savez_compressed(folder / "packed.npz", x=values("f").astype("f4"), y=np.array([2, 0, 1], dtype="u1"))
for version in (2, 3):
    with open(folder / f"version{version}.npy", "wb") as file:
        np.lib.format.write_array(file, values("f").astype("f8"), version=(version, 0))
