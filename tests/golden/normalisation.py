"""Writes batch_norm.txt: outputs, gradients and running statistics of PyTorch's batch normalisation. Run with PyTorch
2.13: python normalisation.py.

A case is a line "case SETTINGS" and lines of values. Arrays come from the generator of tests/support/support.c
(support_fill): the input with seed 100, parameter k with 200 + k, the output's gradient with 300; the running variance is
|numbers| + 0.5. Channels are last."""

import pathlib

import numpy
import torch

SHAPES = [(5, 3), (2, 4, 5, 7), (3, 1, 1, 17), (4, 3, 16)]
MOMENTUM, EPSILON, PASSES = 0.3, 1e-3, 2


def fill(count, seed):
    state, values = seed, numpy.empty(count, dtype=numpy.float32)
    for i in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        values[i] = numpy.float32((state >> 33) * 2.0**-30 - 1.0)
    return torch.tensor(values)


def line(name, values):
    return " ".join([name] + [f"{float(value):.9g}" for value in values.detach().flatten()])


def run(shape, training):
    channels = shape[-1]
    module = torch.nn.BatchNorm1d(channels, eps=EPSILON, momentum=MOMENTUM).train(training)
    with torch.no_grad():
        module.weight.copy_(fill(channels, 200))
        module.bias.copy_(fill(channels, 201))
        module.running_mean.copy_(fill(channels, 202))
        module.running_var.copy_(fill(channels, 203).abs() + 0.5)
    x = fill(int(numpy.prod(shape)), 100).reshape(-1, channels).requires_grad_()
    slope = fill(x.numel(), 300).reshape(x.shape)
    for _ in range(PASSES):
        module.zero_grad()
        x.grad = None
        y = module(x)
        y.backward(slope)
    return [f"case {'x'.join(map(str, shape))} {'training' if training else 'evaluation'}", line("output", y),
            line("input", x.grad), line("weight", module.weight.grad), line("bias", module.bias.grad),
            line("mean", module.running_mean), line("variance", module.running_var)]


lines = [text for shape in SHAPES for training in (True, False) for text in run(shape, training)]
pathlib.Path(__file__).with_name("batch_norm.txt").write_text("\n".join(lines) + "\n")
