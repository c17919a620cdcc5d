"""Writes thawing.txt: the losses of 50 steps of the network of training.py in PyTorch, whose layers are frozen and thawed on
the way, and have learning rates of their own. tests/train/thawing_test.c does the same.

    python3 tests/golden/thawing.py    # needs torch (written with 2.13.0)
"""

import pathlib

import torch
from torch import nn

from training import BATCHES, STEPS, batch, build

LAYERS = {"conv1": "0.", "conv2": "2.", "dense": "6."}
OPTIMIZERS = {  # name: (kind, learning rate, what else)
    "sgd": (torch.optim.SGD, 0.05, dict(momentum=0.9, weight_decay=1e-3)),
    "adam": (torch.optim.Adam, 2e-2, dict(weight_decay=1e-3)),
    "adamw": (torch.optim.AdamW, 2e-2, {}),
    "rmsprop": (torch.optim.RMSprop, 1e-2, dict(momentum=0.5)),
}
GRADUAL = {0: ("dense",), 10: ("dense", "conv2"), 25: ("dense", "conv2", "conv1")}
SCHEDULES = {  # name: (what trains from a step on, factors of the layers' learning rates, decay of them all with each step)
    "gradual": (GRADUAL, {}, 1),
    "discriminative": ({0: LAYERS}, {"conv1": 0.1, "conv2": 0.3}, 1),
    "late": ({0: LAYERS, 15: ("dense",), 30: LAYERS}, {}, 1),
    "all of it": (GRADUAL | {40: ("conv1",)}, {"conv1": 0.25, "conv2": 0.5}, 0.98),
}


def parameters_of(model, layer):
    return [values for name, values in model.named_parameters() if name.startswith(LAYERS[layer])]


def losses(optimizer_name, schedule, dtype=torch.float32):
    trains, factors, decay = SCHEDULES[schedule]
    kind, rate, options = OPTIMIZERS[optimizer_name]
    model = build().to(dtype)
    optimizer = kind([dict(params=parameters_of(model, layer), lr=rate * factors.get(layer, 1)) for layer in LAYERS],
                     **options)
    rates = [group["lr"] for group in optimizer.param_groups]
    result = []
    for step in range(STEPS):
        if step in trains:
            for layer in LAYERS:
                for parameter in parameters_of(model, layer):
                    parameter.requires_grad_(layer in trains[step])
        for group, own in zip(optimizer.param_groups, rates):
            group["lr"] = own * decay**step
        images, labels = batch(step % BATCHES)
        optimizer.zero_grad(set_to_none=True)
        loss = nn.functional.cross_entropy(model(images.to(dtype)), labels)
        loss.backward()
        optimizer.step()
        result.append(loss.item())
    return result


def main():
    torch.set_num_threads(1)
    lines = []
    for schedule in SCHEDULES:
        for optimizer in OPTIMIZERS:
            found, exact = losses(optimizer, schedule), losses(optimizer, schedule, torch.float64)
            drift = max(abs(a - b) / b for a, b in zip(found, exact))
            name = f"{schedule} {optimizer}"
            print(f"{name:24} {found[0]:.4f} to {found[-1]:.4f}; float64 differs by {drift:.1e}")
            lines.append(f"{name}: " + " ".join(f"{loss:.8g}" for loss in found) + "\n")
    pathlib.Path(__file__).with_name("thawing.txt").write_text("".join(lines))


main()
