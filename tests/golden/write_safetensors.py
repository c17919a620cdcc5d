#!/usr/bin/env python3
"""Writes plain.safetensors and types.safetensors with the format's own library, and reads them back.

tests/io/safetensors_test.c reads both and writes plain.safetensors again, byte by byte the same: so what Thaw writes is
what the library writes and reads. Needs numpy, torch, and safetensors (made with 0.8.0).
"""
from pathlib import Path

import numpy
import torch
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from safetensors.torch import save_file as save_torch_file

here = Path(__file__).parent


def values(start, *shape):
    """start + i / 8: exact in a float, and computed again by the test."""
    count = int(numpy.prod(shape, dtype=numpy.int64))
    return (start + numpy.arange(count, dtype=numpy.float32) / 8).reshape(shape)


plain = {
    "conv1.weight": values(-3, 2, 1, 3, 3),
    "conv1.bias": values(1, 2),
    "dense.weight": values(100, 3, 5),
    "dense.bias": values(0, 3),
    "scalar": values(7),
    "empty": values(0, 0, 4),
    'quote " backslash \\ gr\u00f6\u00dfe \u96ea': values(-1, 1),
}
save_file(plain, here / "plain.safetensors", metadata={"format": "pt"})
loaded = load_file(here / "plain.safetensors")
assert sorted(loaded) == sorted(plain)
assert all(numpy.array_equal(loaded[name], plain[name]) for name in plain)

types = {
    str(dtype).removeprefix("torch."): torch.tensor([[0, 1, 1]]).to(dtype)
    for dtype in (torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.float16,
                  torch.bfloat16, torch.float32, torch.float64, torch.complex64, torch.float8_e4m3fn,
                  torch.float8_e5m2)
}
save_torch_file(types, here / "types.safetensors")
with safe_open(here / "types.safetensors", "pt") as file:
    assert sorted(file.keys()) == sorted(types)
