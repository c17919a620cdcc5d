"""Writes conv1d.txt and conv_transpose2d.txt: outputs and gradients of PyTorch's 1-D and transposed convolutions. Run with
PyTorch 2.13: python convolutions.py.

A case is a line "case NAME" and the lines "output", "input", "weight" and "bias" (gradients), channels last. Arrays come
from the generator of tests/support/support.c (support_fill): the input with seed 100, weight and bias with 200 and 201,
the output's gradient with 300."""

import pathlib

import torch

from support import fill, line

# name: batch, sizes, channels, what the module takes besides
SEQUENCES = {
    "plain": (2, (9,), 3, dict(out_channels=5, kernel_size=3)),
    "one": (1, (1,), 1, dict(out_channels=1, kernel_size=1)),
    "dilated": (1, (20,), 7, dict(out_channels=6, kernel_size=3, padding=4, dilation=4)),
    "grouped": (2, (11,), 6, dict(out_channels=9, kernel_size=5, groups=3, bias=False)),
    "depthwise": (2, (12,), 10, dict(out_channels=10, kernel_size=3, padding=1, groups=10)),
    "same": (1, (8,), 4, dict(out_channels=3, kernel_size=4, padding="same")),
}
TRANSPOSED = {
    "plain": (2, (5, 4), 3, dict(out_channels=5, kernel_size=3)),
    "one": (1, (1, 1), 1, dict(out_channels=1, kernel_size=1)),
    "doubling": (1, (4, 3), 6, dict(out_channels=4, kernel_size=2, stride=2)),
    "padded": (1, (5, 3), 7, dict(out_channels=3, kernel_size=(3, 4), stride=(2, 3), padding=(1, 2),
                                  output_padding=(1, 2))),
    "dilated": (1, (4, 5), 2, dict(out_channels=3, kernel_size=(3, 2), padding=(1, 0), dilation=(2, 3))),
    "extended": (2, (3, 4), 3, dict(out_channels=4, kernel_size=(3, 2), padding=(2, 1), output_padding=(2, 1),
                                    dilation=(3, 2))),
    "stretched": (2, (3, 2), 3, dict(out_channels=4, kernel_size=(3, 2), padding=(1, 0), output_padding=(4, 2),
                                     dilation=(5, 3))),
    "stretched wide": (1, (2, 3), 2, dict(out_channels=3, kernel_size=2, stride=(1, 2), output_padding=(0, 6),
                                          dilation=(1, 7))),
    "grouped": (2, (3, 4), 6, dict(out_channels=4, kernel_size=3, stride=(2, 1), groups=2, bias=False)),
    "depthwise": (1, (3, 3), 5, dict(out_channels=5, kernel_size=4, stride=2, padding=1, groups=5)),
}


def run(name, kind, batch, sizes, channels, options):
    module = kind(channels, **options)
    with torch.no_grad():
        for seed, parameter in enumerate(module.parameters(), 200):
            parameter.copy_(fill(parameter.shape, seed))
    x = fill((batch, *sizes, channels), 100).requires_grad_()
    y = module(x.movedim(-1, 1)).movedim(1, -1)
    y.backward(fill(y.shape, 300))
    gradients = [line(parameter, values.grad) for parameter, values in module.named_parameters()]
    return [f"case {name}", line("output", y), line("input", x.grad), *gradients]


def write(file, kind, cases):
    lines = [text for name, case in cases.items() for text in run(name, kind, *case)]
    (pathlib.Path(__file__).parent / file).write_text("\n".join(lines) + "\n")


torch.set_num_threads(1)
write("conv1d.txt", torch.nn.Conv1d, SEQUENCES)
write("conv_transpose2d.txt", torch.nn.ConvTranspose2d, TRANSPOSED)
