"""Writes named_inputs.txt: the losses of 30 steps of a network of two inputs in PyTorch, token ids and numbers.
tests/train/named_inputs_test.c trains the same network on the same numbers, which both make from one formula.

    python3 tests/golden/named_inputs.py    # needs torch (written with 2.13.0)
"""

import pathlib

import torch
from torch import nn

from support import fill

STEPS, BATCHES, ROWS, WIDTH, LENGTH, NUMBERS, UNITS, CLASSES = 30, 10, 13, 6, 5, 3, 4, 3


class Both(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(ROWS, WIDTH)
        self.reader = nn.LSTM(WIDTH, UNITS, batch_first=True)
        self.mix = nn.Linear(UNITS + NUMBERS, 5)
        self.last = nn.Linear(5, CLASSES)

    def forward(self, ids, numbers):
        state = self.reader(self.table(ids))[1][0][0]
        return self.last(torch.tanh(self.mix(torch.cat([state, numbers], 1))))


def whole_numbers(count, seed, below):
    return ((fill(count, seed) + 1) * below / 2).floor().long()


def batch(step):
    """Of several sizes: 4, 5 and 6 samples."""
    index, count = step % BATCHES, 4 + step % 3
    ids = whole_numbers(count * LENGTH, 100 + index, ROWS).view(count, LENGTH)
    return ids, fill(count * NUMBERS, 200 + index).view(count, NUMBERS), whole_numbers(count, 300 + index, CLASSES)


def main():
    torch.set_num_threads(1)
    model = Both()
    with torch.no_grad():
        for seed, parameter in enumerate(model.parameters(), 1):
            parameter.copy_(fill(parameter.numel(), seed).view_as(parameter) * 0.4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    losses = []
    for step in range(STEPS):
        ids, numbers, labels = batch(step)
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(ids, numbers), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    text = "both: " + " ".join(f"{loss:.8g}" for loss in losses) + "\n"
    pathlib.Path(__file__).with_name("named_inputs.txt").write_text(text)


main()
