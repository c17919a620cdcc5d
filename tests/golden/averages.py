"""Writes averages.txt: the averaged weights after 50 steps of the network of training.py in PyTorch, with layers that are
frozen and thawed on the way, and the loss of these weights over all batches. tests/train/average_golden_test.c does the
same.

    python3 tests/golden/averages.py    # needs torch (written with 2.13.0)
"""

import pathlib

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from support import line
from training import BATCHES, STEPS, batch, build

LAYERS = {"conv1": "0.", "conv2": "2.", "dense": "6."}
SCHEDULES = {  # name: what trains from a step on
    "all": {0: tuple(LAYERS)},
    "late": {0: tuple(LAYERS), 15: ("dense",), 30: tuple(LAYERS)},
    "gradual": {0: ("dense",), 10: ("dense", "conv2"), 25: tuple(LAYERS), 40: ("conv1",)},
}


def train(schedule, decay):
    model = build()
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for step in range(STEPS):
        if step in schedule:
            for name, parameter in model.named_parameters():
                parameter.requires_grad_(name.startswith(tuple(LAYERS[layer] for layer in schedule[step])))
        images, labels = batch(step % BATCHES)
        optimizer.zero_grad(set_to_none=True)
        nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()
        average.update_parameters(model)
    batches = [batch(index) for index in range(BATCHES)]
    images, labels = (torch.cat(part) for part in zip(*batches))
    with torch.no_grad():
        return average.module, nn.functional.cross_entropy(average(images), labels)


def main():
    torch.set_num_threads(1)
    lines = []
    for name, schedule in SCHEDULES.items():
        for decay in (0.9, 0.3):
            model, loss = train(schedule, decay)
            lines.append(f"case {name} {decay}")
            lines += [line(parameter, values) for parameter, values in model.named_parameters()]
            lines.append(line("loss", loss))
    pathlib.Path(__file__).with_name("averages.txt").write_text("\n".join(lines) + "\n")


main()
