"""Writes sequences.txt: the losses of 50 steps of small networks of sequences in PyTorch. tests/train/sequences_test.c
trains the same networks on the same numbers, which both make from one formula.

    python3 tests/golden/sequences.py    # needs torch (written with 2.13.0)
"""

import pathlib

import torch
from torch import nn

from support import fill

STEPS, BATCHES, ROWS, WIDTH, LENGTH, PADDING = 50, 10, 13, 6, 6, 2

RUNS = {  # name: (optimizer, norm to clip to)
    "sgd": (lambda p: torch.optim.SGD(p, lr=0.05), None),
    "clipped": (lambda p: torch.optim.SGD(p, lr=0.1), 0.3),
    "momentum": (lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.9, weight_decay=1e-3), None),
    "adam": (lambda p: torch.optim.Adam(p, lr=1e-2), None),
}


class Mixed(nn.Module):
    """Everything a sequence may meet."""

    outputs = (LENGTH - 2, 4)

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(ROWS, WIDTH, padding_idx=PADDING)
        self.norm = nn.LayerNorm(WIDTH)
        self.mix = nn.Linear(WIDTH, 5)
        self.conv = nn.Conv1d(5, 4, 3)
        self.groups = nn.GroupNorm(2, 4)

    def forward(self, ids):
        x = torch.tanh(self.mix(self.norm(self.table(ids))))
        return self.groups(self.conv(x.transpose(1, 2))).transpose(1, 2)


class Tied(nn.Module):
    """The table is the last layer's weight, too."""

    outputs = (LENGTH, ROWS)

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(ROWS, WIDTH)
        self.mix = nn.Linear(WIDTH, WIDTH)

    def forward(self, ids):
        return nn.functional.linear(torch.tanh(self.mix(self.table(ids))), self.table.weight)


def batch(step, outputs):
    """Of several sizes: 4, 5 and 6 samples."""
    index, count = step % BATCHES, 4 + step % 3
    ids = ((fill(count * LENGTH, 100 + index) + 1) * ROWS / 2).floor().long().view(count, LENGTH)
    return ids, fill(count * outputs[0] * outputs[1], 200 + index).view(count, *outputs)


def losses(kind, make_optimizer, norm, dtype=torch.float32):
    model = kind()
    with torch.no_grad():
        for seed, parameter in enumerate(model.parameters(), 1):
            parameter.copy_(fill(parameter.numel(), seed).view_as(parameter) * 0.4)
    model = model.to(dtype)
    optimizer = make_optimizer(model.parameters())
    result = []
    for step in range(STEPS):
        ids, targets = batch(step, kind.outputs)
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(ids), targets.to(dtype))
        loss.backward()
        if norm:
            nn.utils.clip_grad_norm_(model.parameters(), norm)
        optimizer.step()
        result.append(loss.item())
    return result


def main():
    torch.set_num_threads(1)
    lines = []
    for kind in (Mixed, Tied):
        for name, (make_optimizer, norm) in RUNS.items():
            found = losses(kind, make_optimizer, norm)
            exact = losses(kind, make_optimizer, norm, torch.float64)
            drift = max(abs(a - b) / b for a, b in zip(found, exact))
            title = f"{kind.__name__.lower()} {name}"
            print(f"{title:16} {found[0]:.4f} to {found[-1]:.4f}; float64 differs by {drift:.1e}")
            lines.append(f"{title}: " + " ".join(f"{loss:.8g}" for loss in found) + "\n")
    pathlib.Path(__file__).with_name("sequences.txt").write_text("".join(lines))


main()
