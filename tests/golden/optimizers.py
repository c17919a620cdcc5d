"""Writes sgd.txt, adam.txt and so on, a file for each optimizer: parameters and optimizer state after 100 steps of
PyTorch's single-tensor optimizers on the CPU, or of the papers' algorithms (published.py) where PyTorch has none. Run with
PyTorch 2.13: python optimizers.py [DIRECTORY].

A case is a line "case SETTINGS" and a line for each array: its name and the values. Parameters and gradients come from
the generator of tests/support/support.c (support_fill): parameters with seed 1; the gradient of step t with seed 1000 + t,
times SCALES[i % 6], so that large and tiny ones occur."""

import inspect
import pathlib
import sys

import numpy
import torch

import published
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
CASES.update({
    "adadelta": (torch.optim.Adadelta, [
        {}, {"lr": 0.1}, {"rho": 0.5}, {"eps": 1e-3}, {"weight_decay": 0.1}, {"lr": 2, "rho": 0.99}, {"rho": 0.1},
        {"lr": 0.5, "rho": 0.8, "eps": 1e-3, "weight_decay": 0.01},
    ]),
    "adagrad": (torch.optim.Adagrad, [
        {}, {"lr": 0.1}, {"lr_decay": 0.1}, {"weight_decay": 0.1}, {"initial_accumulator_value": 0.5}, {"eps": 1e-2},
        {"lr": 0.1, "lr_decay": 0.01, "weight_decay": 0.01}, {"lr": 0.1, "initial_accumulator_value": 1e-4, "eps": 0.1},
    ]),
    "adamax": (torch.optim.Adamax, [
        {}, {"lr": 0.01}, {"beta1": 0.5, "beta2": 0.9}, {"beta1": 0.95, "beta2": 0.9999}, {"beta1": 0, "beta2": 0.99},
        {"eps": 0.1}, {"weight_decay": 0.1}, {"lr": 0.01, "weight_decay": 0.1, "beta2": 0.9, "eps": 1e-4},
    ]),
    "nadam": (torch.optim.NAdam, [
        {}, {"lr": 0.01}, {"beta1": 0.5, "beta2": 0.9}, {"beta1": 0.95, "beta2": 0.9999}, {"eps": 0.1},
        {"momentum_decay": 0.1}, {"momentum_decay": 0}, {"beta1": 0.99, "momentum_decay": 2}, {"weight_decay": 0.1},
        {"lr": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True},
    ]),
    "radam": (torch.optim.RAdam, [
        {}, {"lr": 0.01}, {"beta1": 0.5, "beta2": 0.9}, {"beta1": 0.95, "beta2": 0.9999}, {"beta2": 0.3},
        {"beta2": 0.7}, {"eps": 0.1}, {"weight_decay": 0.1},
        {"lr": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True},
    ]),
    "rprop": (torch.optim.Rprop, [
        {}, {"lr": 0.1}, {"lr": 1e-4}, {"eta_minus": 0.3}, {"eta_plus": 1.5}, {"step_size_max": 0.02},
        {"step_size_min": 0.005}, {"lr": 1e-3, "eta_minus": 0.7, "eta_plus": 1.1, "step_size_min": 1e-5},
    ]),
    "adan": (published.Adan, [
        {}, {"lr": 0.01}, {"beta1": 0.5, "beta2": 0.7, "beta3": 0.9}, {"beta3": 0.999}, {"beta2": 0}, {"eps": 0.1},
        {"weight_decay": 0.1}, {"weight_decay": 0.1, "no_prox": True}, {"lr": 0.01, "weight_decay": 1, "no_prox": True},
    ]),
    "ademamix": (published.AdEMAMix, [
        {}, {"lr": 0.01}, {"beta1": 0.5, "beta2": 0.9, "beta3": 0.99}, {"beta3": 0.999, "alpha": 8}, {"alpha": 0},
        {"eps": 0.1}, {"weight_decay": 0.1}, {"beta3": 0.999, "beta3_warmup": 60}, {"alpha_warmup": 200},
        {"lr": 0.01, "alpha": 5, "beta3_warmup": 150, "alpha_warmup": 50, "weight_decay": 0.05},
    ]),
    "adopt": (published.ADOPT, [
        {}, {"lr": 0.01}, {"beta1": 0.5, "beta2": 0.9}, {"beta1": 0, "beta2": 0.5}, {"eps": 0.1}, {"weight_decay": 0.1},
        {"weight_decay": 0.1, "decouple": True}, {"lr": 0.01, "beta2": 0.99, "weight_decay": 0.5, "decouple": True},
    ]),
    "lamb": (published.LAMB, [
        {}, {"lr": 0.01}, {"beta1": 0.5, "beta2": 0.9}, {"beta1": 0.95, "beta2": 0.9999}, {"beta1": 0, "beta2": 0.99},
        {"eps": 0.1}, {"weight_decay": 0}, {"lr": 0.01, "weight_decay": 0.5, "eps": 1e-4},
    ]),
    "lars": (published.LARS, [
        {}, {"lr": 1}, {"lr": 0.1, "momentum": 0}, {"lr": 0.1, "momentum": 0.5}, {"trust_coefficient": 0.1},
        {"weight_decay": 0.1}, {"lr": 0.1, "weight_decay": 1}, {"lr": 0.1, "trust_coefficient": 0.02, "momentum": 0.99},
    ]),
    "lion": (published.Lion, [
        {}, {"lr": 0.01}, {"beta1": 0.5, "beta2": 0.9}, {"beta1": 0.95, "beta2": 0.98}, {"beta1": 0, "beta2": 0.5},
        {"beta1": 1}, {"weight_decay": 0.1}, {"lr": 0.01, "weight_decay": 0.5},
    ]),
})
CASES["adamw"] = (torch.optim.AdamW, CASES["adam"][1] + [{"lr": 0.1, "weight_decay": 0.5}, {"weight_decay": 0}])


TUPLES = {"betas": ("beta1", "beta2", "beta3"), "etas": ("eta_minus", "eta_plus"),
          "step_sizes": ("step_size_min", "step_size_max")}


def arguments(kind, case):
    """The case as PyTorch's constructors take it: some numbers are part of a tuple there, with defaults of their own."""
    given, parameters = dict(case), inspect.signature(kind).parameters
    for name, parts in TUPLES.items():
        if name in parameters:
            given[name] = tuple(float(given.pop(part, default)) for part, default in zip(parts, parameters[name].default))
    return given


def run(kind, case):
    parameter = torch.nn.Parameter(fill(COUNT, 1))
    optimizer = kind([parameter], foreach=False, **arguments(kind, case))
    for step in range(1, STEPS + 1):
        parameter.grad = torch.from_numpy(fill(COUNT, 1000 + step).numpy() * numpy.resize(SCALES, COUNT))
        optimizer.step()
    arrays = {"parameter": parameter.detach()}
    arrays.update((name, value) for name, value in optimizer.state[parameter].items()
                  if name not in ("step", "mu_product") and value is not None)
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
