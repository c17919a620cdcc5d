"""Writes embedding.txt: outputs and gradients of PyTorch's embedding. Run with PyTorch 2.13: python embedding.py.

A case is a line "case NAME" and the lines "output" and "weight" (its gradient). Arrays come from the generator of
tests/support/support.c (support_fill): what ids are made of with seed 100, the table with 200, the output's gradient with
300."""

import pathlib

import torch

from support import fill, line

# name: shape of the batch, rows, width, padding
CASES = {"sequence": ((3, 5), 7, 3, None), "padded": ((2, 3, 4), 5, 17, 2), "one row": ((1, 1), 1, 1, None)}


def run(name, shape, rows, width, padding):
    module = torch.nn.Embedding(rows, width, padding_idx=padding)
    with torch.no_grad():
        module.weight.copy_(fill((rows, width), 200))
    y = module(((fill(shape, 100) + 1) * rows / 2).floor().long())
    y.backward(fill(y.shape, 300))
    return [f"case {name}", line("output", y), line("weight", module.weight.grad)]


lines = [text for name, case in CASES.items() for text in run(name, *case)]
(pathlib.Path(__file__).parent / "embedding.txt").write_text("\n".join(lines) + "\n")
