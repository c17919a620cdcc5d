"""Writes slice.txt, prepend_tokens.txt, positions.txt and layer_scale.txt: outputs and gradients of PyTorch for layers
of transformers. Run with PyTorch 2.13: python transformer_layers.py.

A case is a line "case NAME" and the lines "output", "input" and "weight" (gradients). Arrays come from the generator of
tests/support/support.c (support_fill): the input with seed 100, the parameter with 200, the output's gradient with
300."""

import pathlib

import torch
from support import fill, line

BATCH = 3


def run(file, cases):
    lines = []
    for name, shape, parameter, function in cases:
        x = fill((BATCH, *shape), 100).requires_grad_()
        p = fill(parameter, 200).requires_grad_() if parameter else None
        y = function(x, p)
        y.backward(fill(y.shape, 300))
        lines += [f"case {name}", line("output", y), line("input", x.grad)]
        lines += [line("weight", p.grad)] if parameter else []
    (pathlib.Path(__file__).parent / file).write_text("\n".join(lines) + "\n")


torch.set_num_threads(1)
run("slice.txt", [
    ("first token", (5, 4), None, lambda x, p: x[:, 0]),
    ("middle", (5, 4), None, lambda x, p: x[:, 2:4]),
    ("channels", (3, 2, 6), None, lambda x, p: x[..., -4:]),
])
run("prepend_tokens.txt", [
    ("class token", (4, 5), (1, 1, 5), lambda x, p: torch.cat((p.expand(len(x), -1, -1), x), 1)),
    ("registers", (2, 3), (4, 3), lambda x, p: torch.cat((p[None].expand(len(x), -1, -1), x), 1)),
])
run("positions.txt", [
    ("all", (4, 5), (1, 4, 5), lambda x, p: x + p),
    ("shorter", (2, 3), (5, 3), lambda x, p: x + p[:2]),
])
run("layer_scale.txt", [
    ("sequence", (4, 5), (5,), lambda x, p: x * p),
    ("image", (2, 3, 18), (18,), lambda x, p: x * p),
])
