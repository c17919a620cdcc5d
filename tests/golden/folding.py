"""Writes folding.txt: the network of tests/train/folding_test.c in PyTorch, in double precision, with each batch
normalisation in evaluation and frozen: its outputs, the loss and the gradients, and the same after steps of SGD. Run with
PyTorch 2.13: python folding.py [DIRECTORY].

Arrays come from the generator of tests/support/support.c (support_fill): tensor i with seed i + 1, images and targets with
100 and 200. Variances are 1 + u / 2, and the weights of a normalisation 1 + u."""

import pathlib
import sys

import torch
from torch import nn

from support import fill, line

BATCH, SIDES, CHANNELS, FILTERS, UNITS, OUTPUTS, STEPS = 5, (6, 5), 3, 4, 5, 3, 6


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(CHANNELS, FILTERS, 3, padding=1), nn.BatchNorm2d(FILTERS)
        self.conv2 = nn.Conv2d(FILTERS, FILTERS, 3, padding=1, groups=FILTERS, bias=False)
        self.norm2 = nn.BatchNorm2d(FILTERS, eps=1e-2)
        self.conv3, self.norm3 = nn.Conv2d(FILTERS, FILTERS, 1), nn.BatchNorm2d(FILTERS, affine=False)
        self.dense1, self.norm4 = nn.Linear(FILTERS, UNITS), nn.BatchNorm1d(UNITS)
        self.dense2 = nn.Linear(UNITS, OUTPUTS)

    def forward(self, x):
        x = torch.relu(self.norm1(self.conv1(x)))
        y = nn.functional.relu6(self.norm2(self.conv2(x)))
        x = torch.relu(self.norm3(self.conv3(y)) + x)
        return self.dense2(self.norm4(self.dense1(x.mean((2, 3)))))


def build(frozen):
    model = Network()
    tensors = [(name, tensor) for name, tensor in model.state_dict().items() if tensor.is_floating_point()]
    for seed, (name, tensor) in enumerate(tensors, 1):
        values = fill(tensor.shape, seed)
        if name.endswith("running_var"):
            values = 1 + values / 2
        elif name.startswith("norm") and name.endswith("weight"):
            values = 1 + values
        tensor.copy_(values)
    for name, module in model.named_children():
        if name.startswith(("norm", *frozen)):
            module.eval().requires_grad_(False)
    return model.double()


def run(title, frozen):
    model = build(frozen)
    x = fill((BATCH, *SIDES, CHANNELS), 100).permute(0, 3, 1, 2).double()
    targets = fill((BATCH, OUTPUTS), 200).double()
    live = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    optimizer = torch.optim.SGD([p for _, p in live], lr=2e-4, momentum=0.9)
    lines = [f"case {title}", line("outputs", model(x))]
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), targets)
        loss.backward()
        if step in (0, STEPS - 1):
            lines += [line("loss", loss)] + [line(name, p.grad) for name, p in live]
        optimizer.step()
    return lines + [line("outputs", model(x))]


def main(directory):
    lines = run("all trainable", ()) + run("two frozen", ("conv1", "conv2")) + run("one frozen", ("conv3",))
    (directory / "folding.txt").write_text("\n".join(lines) + "\n")


main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent))
