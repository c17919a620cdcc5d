"""Writes layer_norm.txt and group_norm.txt: outputs and gradients of PyTorch's layer and group normalisation. Run with PyTorch
2.13: python sample_normalisation.py.

A case is a line "case NAME" and the lines "output", "input", "weight" and "bias" (gradients), channels last. Arrays come
from the generator of tests/support/support.c (support_fill): the input with seed 100, weight and bias with 200 and 201,
the output's gradient with 300."""

import pathlib

import torch

from support import fill, line

EPSILON = 1e-3
# name: shape of the batch, how many of the last dimensions, weight and bias or not
LAYER = {
    "vector": ((3, 5), 1, {}),
    "sequence": ((2, 3, 17), 1, {}),
    "all": ((2, 3, 2, 5), 3, {}),
    "last two": ((2, 3, 2, 5), 2, {}),
    "no bias": ((4, 33), 1, dict(bias=False)),
    "plain": ((1, 2, 7), 1, dict(elementwise_affine=False)),
}
# name: shape of the batch, groups, affine
GROUP = {
    "vector": ((3, 6), 2, True),
    "one group": ((2, 3, 2, 5), 1, True),
    "each channel": ((2, 4, 3, 7), 7, True),
    "image": ((1, 5, 4, 18), 3, True),
    "plain": ((2, 3, 6), 2, False),
}


def run(name, module, shape, call):
    with torch.no_grad():
        for seed, parameter in enumerate(module.parameters(), 200):
            parameter.copy_(fill(parameter.shape, seed))
    x = fill(shape, 100).requires_grad_()
    y = call(module, x)
    y.backward(fill(y.shape, 300))
    gradients = [line(parameter, values.grad) for parameter, values in module.named_parameters()]
    return [f"case {name}", line("output", y), line("input", x.grad), *gradients]


def write(file, lines):
    (pathlib.Path(__file__).parent / file).write_text("\n".join(lines) + "\n")


torch.set_num_threads(1)
write("layer_norm.txt", [text for name, (shape, last, options) in LAYER.items()
                         for text in run(name, torch.nn.LayerNorm(shape[-last:], eps=EPSILON, **options), shape,
                                         lambda module, x: module(x))])
write("group_norm.txt", [text for name, (shape, groups, affine) in GROUP.items()
                         for text in run(name, torch.nn.GroupNorm(groups, shape[-1], eps=EPSILON, affine=affine), shape,
                                         lambda module, x: module(x.movedim(-1, 1)).movedim(1, -1))])
