"""Writes layers.txt: outputs and input gradients of PyTorch's pooling and convolution in the corner cases of padding,
ceil mode and padding="same". Run with PyTorch 2.13: python layers.py [DIRECTORY].

A case is a line "case SETTINGS" and the lines "shape" (height, width of the output), "output" and "gradient", in NHWC
order. Arrays come from the generator of tests/support/support.c (support_fill): the input with seed 100, weight and
bias with 200 and 201, the output's gradient with 300."""

import pathlib
import sys

import torch

from support import fill, line

functional = torch.nn.functional
CHANNELS, FILTERS = 3, 2

# height, width, kernel, stride, padding, dilation, ceil mode
WINDOWS = [
    (5, 5, (2, 2), (2, 2), (0, 0), (1, 1), 1),
    (5, 6, (3, 3), (2, 2), (1, 1), (1, 1), 0),
    (5, 6, (3, 3), (2, 2), (1, 1), (1, 1), 1),
    (6, 6, (3, 2), (2, 3), (1, 1), (1, 1), 1),
    (4, 4, (2, 2), (3, 3), (1, 1), (1, 1), 1),
    (7, 4, (4, 3), (3, 2), (2, 1), (1, 1), 1),
    (8, 7, (3, 2), (2, 2), (1, 0), (2, 3), 1),
    (3, 3, (3, 3), (3, 3), (1, 1), (1, 1), 1),
]
# height, width, kernel, dilation
SAME = [(5, 6, (2, 4), (1, 1)), (6, 5, (3, 2), (1, 3)), (4, 4, (1, 1), (1, 1)), (3, 7, (4, 5), (2, 1))]


def run(lines, title, height, width, function):
    image = fill((1, height, width, CHANNELS), 100).permute(0, 3, 1, 2)
    image = image.contiguous().requires_grad_()
    output = function(image)
    last = output.permute(0, 2, 3, 1)
    gradient = fill(last.shape, 300).permute(0, 3, 1, 2)
    output.backward(gradient.contiguous())
    lines.append(f"case {title}")
    lines.append(line("shape", last.shape[1:3]))
    lines.append(line("output", last.detach().flatten()))
    lines.append(line("gradient", image.grad.permute(0, 2, 3, 1).flatten()))


def main(directory):
    lines = []
    for height, width, kernel, stride, padding, dilation, ceil in WINDOWS:
        run(lines, "max", height, width,
            lambda x: functional.max_pool2d(x, kernel, stride, padding, dilation, bool(ceil)))
        for inside in (0, 1) if dilation == (1, 1) else ():
            run(lines, f"average {inside}", height, width,
                lambda x: functional.avg_pool2d(x, kernel, stride, padding, bool(ceil), not inside))
    for height, width, kernel, dilation in SAME:
        weight = fill((FILTERS, CHANNELS, *kernel), 200)
        run(lines, "same", height, width,
            lambda x: functional.conv2d(x, weight, fill(FILTERS, 201), padding="same", dilation=dilation))
    (directory / "layers.txt").write_text("\n".join(lines) + "\n")


main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent))
