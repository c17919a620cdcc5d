"""What the scripts here share: the generator of tests/support/support.c, and the lines that tests/support/golden.c
reads."""

import math

import torch


def fill(shape, seed):
    """support_fill: numbers in [-1, 1), in the order of memory."""
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    state, values = seed, []
    for _ in range(math.prod(shape)):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        values.append((state >> 33) * 2.0**-30 - 1.0)
    return torch.tensor(values, dtype=torch.float64).float().reshape(shape)


def line(name, values):
    return " ".join([name] + [f"{float(value):.9g}" for value in torch.as_tensor(values).detach().flatten()])
