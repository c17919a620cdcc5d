"""Writes sgd.txt, adam.txt, adamw.txt and rmsprop.txt: parameters and optimizer state after 100 steps of PyTorch's
single-tensor optimizers on the CPU. Run with PyTorch 2.13: python optimizers.py [DIRECTORY].

A case is a line "case SETTINGS" and a line for each array: its name and the values. Parameters and gradients come from
the generator of tests/support/support.c (support_fill): parameters with seed 1; the gradient of step t with seed 1000 + t,
times SCALES[i % 6], so that large and tiny ones occur."""

import pathlib
import sys

import numpy
import torch

from support import fill

COUNT, STEPS = 30, 100
SCALES = numpy.array([1, 10, 0.1, 1e-3, 3, 1e-5], dtype=numpy.float32)

CASES = {
    "sgd": (torch.optim.SGD, [
        {},
        {"lr": 0.01, "weight_decay": 0.1},
        {"lr": 0.01, "momentum": 0.9},
        {"lr": 0.01, "momentum": 0.9, "dampening": 0.3},
        {"lr": 0.01, "momentum": 0.5, "dampening": 1},
        {"lr": 0.01, "momentum": 0.9, "nesterov": True},
        {"lr": 0.01, "momentum": 0.9, "weight_decay": 0.05},
        {"lr": 0.003, "momentum": 0.99, "dampening": 0.1, "weight_decay": 0.01},
        {"lr": 0.003, "momentum": 0.8, "nesterov": True, "weight_decay": 0.01},
    ]),
    "adam": (torch.optim.Adam, [
        {},
        {"lr": 0.01},
        {"lr": 0.01, "beta1": 0.5, "beta2": 0.9},
        {"lr": 0.01, "beta1": 0.95, "beta2": 0.9999},
        {"lr": 0.01, "beta1": 0, "beta2": 0.99},
        {"lr": 0.01, "eps": 0.1},
        {"lr": 0.01, "weight_decay": 0.1},
        {"lr": 0.01, "amsgrad": True},
        {"lr": 0.01, "amsgrad": True, "weight_decay": 0.1, "beta2": 0.9, "eps": 1e-4},
    ]),
    "rmsprop": (torch.optim.RMSprop, [
        {},
        {"lr": 0.001, "alpha": 0.9},
        {"lr": 0.001, "eps": 0.1},
        {"lr": 0.001, "weight_decay": 0.1},
        {"lr": 0.001, "momentum": 0.9},
        {"lr": 0.001, "centered": True},
        {"lr": 0.001, "centered": True, "momentum": 0.9},
        {"lr": 0.001, "centered": True, "momentum": 0.5, "weight_decay": 1e-3, "alpha": 0.95, "eps": 1e-4},
    ]),
}
CASES["adamw"] = (torch.optim.AdamW, CASES["adam"][1] + [{"lr": 0.1, "weight_decay": 0.5}, {"weight_decay": 0}])


def arguments(case):
    betas = float(case.get("beta1", 0.9)), float(case.get("beta2", 0.999))
    plain = {name: value for name, value in case.items() if name not in ("beta1", "beta2")}
    return {**plain, "betas": betas} if "beta1" in case or "beta2" in case else plain


def run(kind, case):
    parameter = torch.nn.Parameter(fill(COUNT, 1))
    optimizer = kind([parameter], foreach=False, **arguments(case))
    for step in range(1, STEPS + 1):
        parameter.grad = torch.from_numpy(fill(COUNT, 1000 + step).numpy() * numpy.resize(SCALES, COUNT))
        optimizer.step()
    arrays = {"parameter": parameter.detach()}
    arrays.update((name, value) for name, value in optimizer.state[parameter].items()
                  if name != "step" and value is not None)
    return arrays


def main(directory):
    for name, (kind, cases) in CASES.items():
        with open(directory / (name + ".txt"), "w", encoding="ascii") as golden:
            for case in cases:
                settings = ",".join(f"{key}={float(value)!r}" for key, value in case.items())
                print("case", settings or "-", file=golden)
                for array, values in run(kind, case).items():
                    print(array, *(f"{value:.9g}" for value in values.tolist()), file=golden)


main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
