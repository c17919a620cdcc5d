"""Writes training.txt: the losses of 50 steps of a small network in PyTorch. tests/train/parity_test.c trains the same
network on the same numbers, which both make from one formula.

    python3 tests/golden/training.py    # needs torch (written with 2.13.0)
"""

import pathlib

import torch
from torch import nn

from support import fill

STEPS, BATCH, BATCHES, CLASSES = 50, 16, 10, 5

RUNS = {  # name: (optimizer, what is frozen)
    "sgd": (lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=1e-3), ()),
    "adam": (lambda p: torch.optim.Adam(p, lr=2e-2), ()),
    "rmsprop": (lambda p: torch.optim.RMSprop(p, lr=1e-2), ()),
}
RUNS |= {name + " frozen": (make, ("0.", "2.")) for name, (make, _) in RUNS.items()}
RUNS |= {"adam first": (RUNS["adam"][0], ("0.",))}


def build():
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 6, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                          nn.Linear(24, CLASSES))
    with torch.no_grad():
        for seed, parameter in enumerate(model.parameters(), 1):
            parameter.copy_(fill(parameter.numel(), seed).view_as(parameter) * 0.4)
    return model


def batch(index):
    images = fill(BATCH * 64, 100 + index).view(BATCH, 1, 8, 8)
    labels = ((fill(BATCH, 200 + index) + 1) * CLASSES / 2).long()
    return images, labels


def losses(make_optimizer, frozen, dtype=torch.float32):
    model = build().to(dtype)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(not name.startswith(tuple(frozen) or ("none",)))
    optimizer = make_optimizer([p for p in model.parameters() if p.requires_grad])
    result = []
    for step in range(STEPS):
        images, labels = batch(step % BATCHES)
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(images.to(dtype)), labels)
        loss.backward()
        optimizer.step()
        result.append(loss.item())
    return result


def main():
    torch.set_num_threads(1)
    lines = []
    for name, (make_optimizer, frozen) in RUNS.items():
        found = losses(make_optimizer, frozen)
        exact = losses(make_optimizer, frozen, torch.float64)
        drift = max(abs(a - b) / b for a, b in zip(found, exact))
        print(f"{name:16} {found[0]:.4f} to {found[-1]:.4f}; float64 differs by {drift:.1e}")
        lines.append(f"{name}: " + " ".join(f"{loss:.8g}" for loss in found) + "\n")
    pathlib.Path(__file__).with_name("training.txt").write_text("".join(lines))


if __name__ == "__main__":
    main()
