"""Writes position_grid.txt: positions of a grid of another size, resampled as timm's resample_abs_pos_embed does, with
PyTorch's bicubic interpolation and antialiasing. Run with PyTorch 2.13: python position_grid.py.

A case is a line "case FROM to HEIGHT x WIDTH" and a line "values". The stored table, of one token and FROM * FROM
positions of 3 numbers, comes from the generator of tests/support/support.c (support_fill) with seed 100."""

import pathlib

import torch

from support import fill, line

WIDTH = 3
lines = []
for side, height, width in ((4, 7, 7), (7, 4, 4), (3, 3, 5), (9, 2, 4), (5, 1, 1), (1, 3, 3), (14, 16, 16)):
    stored = fill((1 + side * side, WIDTH), 100)
    grid = stored[1:].reshape(1, side, side, WIDTH).permute(0, 3, 1, 2)
    grid = torch.nn.functional.interpolate(grid, size=(height, width), mode="bicubic", antialias=True)
    values = torch.cat((stored[:1], grid.permute(0, 2, 3, 1).reshape(-1, WIDTH)))
    lines += [f"case {side} to {height} x {width}", line("values", values)]
(pathlib.Path(__file__).parent / "position_grid.txt").write_text("\n".join(lines) + "\n")
