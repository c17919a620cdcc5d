"""Writes branches.txt: the loss and all gradients of the networks of tests/train/branched_network.c in PyTorch. Run
with PyTorch 2.13: python branches.py [DIRECTORY].

Arrays come from the generator of tests/support/support.c (support_fill): parameter i with seed i + 1, the constant with
50, inputs and targets with 100 and 200."""

import pathlib
import sys

import torch

from support import fill, line

BATCH, STEPS, FEATURES, UNITS, OUTPUTS = 7, 4, 6, 5, 3


def equal(p, x, k):
    a = torch.tanh(torch.nn.functional.linear(x, p["a.weight"], p["a.bias"]))
    b = torch.relu(torch.nn.functional.linear(x, p["b.weight"], p["b.bias"]))
    return torch.cat([b * a, a * k + (k - b), b], 1)


def broadcast(p, x, k):
    a = torch.tanh(torch.nn.functional.linear(x, p["a.weight"], p["a.bias"]))
    b = torch.sigmoid(torch.nn.functional.linear(x, p["b.weight"], p["b.bias"]))
    gate = k[0] + b
    return torch.cat([(k - b * a) * k[0] - gate, a, gate], -1)


# name: function, what a sample's shape begins with, units of b, features of c
NETWORKS = {"equal": (equal, (), UNITS, 3 * UNITS), "broadcast": (broadcast, (STEPS,), 1, 2 * UNITS + 1)}


def run(name, function, before, units, features):
    shapes = {"a.weight": (UNITS, FEATURES), "a.bias": (UNITS,), "b.weight": (units, FEATURES), "b.bias": (units,),
              "c.weight": (OUTPUTS, features), "c.bias": (OUTPUTS,)}
    p = {name: fill(shape, i + 1).requires_grad_() for i, (name, shape) in enumerate(shapes.items())}
    x, targets = fill((BATCH, *before, FEATURES), 100), fill((BATCH, *before, OUTPUTS), 200)
    together = function(p, x, fill((UNITS,), 50))
    loss = torch.nn.functional.mse_loss(torch.nn.functional.linear(together, p["c.weight"], p["c.bias"]), targets)
    loss.backward()
    return [f"case {name}", line("loss", loss)] + [line(name, tensor.grad) for name, tensor in p.items()]


def main(directory):
    lines = [text for name, network in NETWORKS.items() for text in run(name, *network)]
    (directory / "branches.txt").write_text("\n".join(lines) + "\n")


main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent))
