"""Writes combinations.txt: small networks in PyTorch whose weights are computed from several tensors, by PyTorch's own
means where it has them. Run with PyTorch 2.13: python combinations.py [DIRECTORY].

A case is a line "case NAME" and for each tensor the lines "NAME gradient", of the first step, and "NAME trained", after 10
steps of SGD (lr 0.1, momentum 0.9, weight decay 0.05; the masked case without decay, which in PyTorch would move what is
masked). Arrays come from the generator of tests/support/support.c (support_fill): samples with seed 1, targets with 2,
tensors with 10, 11 and so on, in the order of each case."""

import pathlib
import sys

import torch
from torch import nn
from torch.nn.utils import parametrizations, prune

from support import fill, line

functional = nn.functional
BATCH, INPUTS, OUTPUTS, RANK, SCALE = 5, 13, 7, 3, 1.5
SIDE, CHANNELS, FILTERS = 4, 3, 5


def tensors(*shapes):
    return [nn.Parameter(fill(shape, 10 + i)) for i, shape in enumerate(shapes)]


def run(lines, title, names, parameters, predict, samples, targets, decay=0.05):
    optimizer = torch.optim.SGD(parameters, lr=0.1, momentum=0.9, weight_decay=decay)
    lines.append(f"case {title}")
    for step in range(10):
        optimizer.zero_grad()
        functional.mse_loss(predict(samples), targets).backward()
        if step == 0:
            lines += [line(f"{name}-gradient", p.grad) for name, p in zip(names, parameters)]
        optimizer.step()
    lines += [line(f"{name}-trained", p) for name, p in zip(names, parameters)]


def dense_cases(lines):
    x, t = fill((BATCH, INPUTS), 1), fill((BATCH, OUTPUTS), 2)
    whole = (OUTPUTS, INPUTS)

    base, up, down = tensors(whole, (OUTPUTS, RANK), (RANK, INPUTS))
    base.requires_grad_(False)  # as peft computes it: base layer + B(A(x)) * scaling
    run(lines, "lora", ["up", "down"], [up, down],
        lambda x: functional.linear(x, base) + functional.linear(functional.linear(x, down), up) * SCALE, x, t)

    layer = nn.Linear(INPUTS, OUTPUTS, bias=False)
    magnitude, direction = tensors((OUTPUTS, 1), whole)
    parametrizations.weight_norm(layer)
    with torch.no_grad():
        layer.parametrizations.weight.original0.copy_(magnitude)
        layer.parametrizations.weight.original1.copy_(direction)
    run(lines, "weight_norm", ["magnitude", "direction"],
        [layer.parametrizations.weight.original0, layer.parametrizations.weight.original1], layer, x, t)

    layer = nn.Linear(INPUTS, OUTPUTS, bias=False)
    with torch.no_grad():
        layer.weight.copy_(tensors(whole)[0])
    mask = (torch.arange(OUTPUTS * INPUTS) % 3 != 1).reshape(whole).float()
    prune.custom_from_mask(layer, "weight", mask)
    run(lines, "mask", ["weight"], [layer.weight_orig], layer, x, t, decay=0)

    one, row, column = tensors(whole, (INPUTS,), (OUTPUTS, 1))
    run(lines, "broadcast", ["one", "row", "column"], [one, row, column],
        lambda x: functional.linear(x, one * row - column), x, t)

    top, wide = tensors((2, INPUTS), (OUTPUTS - 2, INPUTS + 4))
    run(lines, "concatenate", ["top", "wide"], [top, wide],
        lambda x: functional.linear(x, torch.cat([top, wide[:, 4:]])), x, t, decay=0)

    square = (INPUTS, INPUTS)
    shared, factor = tensors(square, (1,))
    t = fill((BATCH, INPUTS), 2)
    run(lines, "tied", ["shared", "factor"], [shared, factor],
        lambda x: functional.linear(torch.tanh(functional.linear(x, shared)), shared * factor), x, t)


def convolution_case(lines):
    x, t = fill((BATCH, SIDE, SIDE, CHANNELS), 1), fill((BATCH, SIDE, SIDE, FILTERS), 2)
    base, up, down = tensors((FILTERS, CHANNELS, 3, 3), (FILTERS, RANK), (RANK, CHANNELS * 9))

    def predict(x):  # as peft computes it: two convolutions beside the base's
        x = x.permute(0, 3, 1, 2)
        inner = functional.conv2d(x, down.reshape(RANK, CHANNELS, 3, 3), padding=1)
        change = functional.conv2d(inner, up.reshape(FILTERS, RANK, 1, 1)) * SCALE
        return (functional.conv2d(x, base, padding=1) + change).permute(0, 2, 3, 1)

    base.requires_grad_(False)
    run(lines, "lora-convolution", ["up", "down"], [up, down], predict, x, t)


def main(directory):
    torch.set_num_threads(1)
    lines = []
    dense_cases(lines)
    convolution_case(lines)
    (directory / "combinations.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
