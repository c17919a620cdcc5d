"""Writes muon.txt and so on, a file for each optimizer that sees matrices: parameters and optimizer state after 20 steps
of the reference. Run with PyTorch 2.13 and schedulefree 1.4.1: python matrix_optimizers.py
[DIRECTORY [NAME...]].

A case is a line "case SETTINGS" and, for parameter i of SHAPES, lines "i ARRAY VALUES". Values come from the generator of
tests/support/support.c (support_fill): parameter i with seed 100 + i, its gradient in step t with seed 1000 t + i. The
learning rate falls by a schedule; some parameters thaw late, and some are frozen for a while (see trains). Of an array,
the first MOST values. Where eigenvectors matter, gradients are separated (preconditioners.py), and parameters whose
eigenvectors mean nothing are left out."""

import functools
import pathlib
import sys

import numpy
import schedulefree
import torch

import preconditioners
import published
from support import fill

STEPS, MOST = 20, 24
SHAPES = [(8, 8), (5, 12), (12, 5), (6, 3, 2, 2), (1, 7), (7, 1), (16,), (40, 33)]


def trains(index, step):
    return not (index % 3 == 0 and step < 4) and not (index % 2 == 1 and 6 <= step < 10)


def rate_factor(step):
    return 1 - step / 40


class Exact(torch.optim.Muon):
    """Muon whose iteration does not round to bfloat16."""

    def step(self):
        rounding, torch.Tensor.bfloat16 = torch.Tensor.bfloat16, torch.Tensor.double
        super().step()
        torch.Tensor.bfloat16 = rounding


def muon(parameter, lr=1e-3, **given):
    adamw = {name[len("adamw_"):]: given.pop(name) for name in list(given) if name.startswith("adamw_")}
    if len(parameter.shape) < 2:
        betas = (adamw.pop("beta1", 0.9), adamw.pop("beta2", 0.999))
        return torch.optim.AdamW([parameter], betas=betas, foreach=False, **adamw)
    coefficients = (given.pop("ns_a", 3.4445), given.pop("ns_b", -4.775), given.pop("ns_c", 2.0315))
    adjust = "match_rms_adamw" if given.pop("match_rms_adamw", 0) else "original"
    given["nesterov"] = bool(given.get("nesterov", 1))
    given["ns_steps"] = int(given.get("ns_steps", 5))
    return Exact([parameter], lr=lr, ns_coefficients=coefficients, adjust_lr_fn=adjust, **given)


def adafactor(parameter, **given):
    given["eps"] = (given.pop("eps1", None), given.pop("eps2", 1e-3))
    return torch.optim.Adafactor([parameter], foreach=False, **given)


def schedule_free(kind, parameter, **given):
    if "beta1" in given or "beta2" in given:
        given["betas"] = (given.pop("beta1", 0.9), given.pop("beta2", 0.999))
    optimizer = kind([parameter], foreach=False, **given)
    optimizer.train()
    return optimizer


def shampoo(parameter, **given):
    if len(parameter.shape) < 2:
        given = {name[len("adamw_"):]: value for name, value in given.items() if name.startswith("adamw_")}
        return torch.optim.AdamW([parameter], foreach=False, **given)
    given = {name: value for name, value in given.items() if not name.startswith("adamw_")}
    optimizer = preconditioners.Shampoo(parameter, **given)
    sides = optimizer.sides(optimizer.options["max_preconditioner_dim"])
    return optimizer if full_rank(parameter, sides) or optimizer.options["epsilon"] >= 1e-3 else None


def soap(parameter, **given):
    if len(parameter.shape) < 2:
        parameter.data = parameter.data.reshape(1, -1)
    optimizer = preconditioners.Soap(parameter, **given)
    return optimizer if full_rank(parameter, optimizer.sides(optimizer.options["max_precond_dim"])) else None


def full_rank(parameter, sides):
    """Of the outer products of one gradient."""
    return all(parameter.shape[side] == min(parameter.shape) for side in sides)


CASES = {
    "shampoo": (shampoo, [
        {}, {"lr": 0.1, "weight_decay": 0.3}, {"lr": 0.1, "weight_decay": 0.3, "use_decoupled_weight_decay": 0},
        {"lr": 0.1, "beta1": 0.5, "beta2": 0.9}, {"lr": 0.1, "beta1": 0, "beta2": 0.9, "use_bias_correction": 0},
        {"lr": 0.1, "epsilon": 0.01}, {"lr": 0.05, "momentum": 0.8},
        {"lr": 0.05, "momentum": 0.8, "use_nesterov": 1, "weight_decay": 0.1},
        {"lr": 0.1, "precondition_frequency": 3, "max_preconditioner_dim": 8}, {"lr": 0.1, "max_preconditioner_dim": 36},
        {"adamw_lr": 0.01, "adamw_weight_decay": 0.3, "max_preconditioner_dim": 0},
    ]),
    "soap": (soap, [
        {}, {"lr": 0.05}, {"lr": 0.05, "max_precond_dim": 8, "precondition_frequency": 3},
        {"lr": 0.05, "max_precond_dim": 36, "precondition_frequency": 4}, {"lr": 0.05, "max_precond_dim": 0},
        {"lr": 0.05, "weight_decay": 0.3, "precondition_frequency": 1}, {"lr": 0.05, "beta1": 0.8, "beta2": 0.99},
        {"lr": 0.05, "max_precond_dim": 5, "shampoo_beta": 0.97}, {"lr": 0.05, "eps": 0.1},
        {"lr": 0.05, "max_precond_dim": 8, "normalize_grads": 1}, {"lr": 0.05, "max_precond_dim": 8, "correct_bias": 0},
    ]),
    "schedule-free-adamw": (functools.partial(schedule_free, schedulefree.AdamWScheduleFree), [
        {}, {"lr": 0.05}, {"lr": 0.05, "beta1": 0.5, "beta2": 0.9}, {"lr": 0.05, "weight_decay": 0.3},
        {"lr": 0.05, "warmup_steps": 7}, {"lr": 0.05, "r": 1.5, "weight_lr_power": 1}, {"lr": 0.05, "eps": 0.1},
    ]),
    "schedule-free-sgd": (functools.partial(schedule_free, schedulefree.SGDScheduleFree), [
        {}, {"lr": 0.05}, {"lr": 0.05, "momentum": 0.5}, {"lr": 0.05, "weight_decay": 0.3},
        {"lr": 0.05, "warmup_steps": 7}, {"lr": 0.05, "r": 1.5, "weight_lr_power": 1},
    ]),
    "adafactor": (adafactor, [
        {}, {"lr": 0.1}, {"lr": 0.1, "beta2_decay": -0.3}, {"lr": 0.1, "eps1": 0.3}, {"eps2": 2}, {"lr": 0.1, "d": 3},
        {"lr": 0.1, "weight_decay": 0.3},
    ]),
    "muon": (muon, [
        {}, {"lr": 0.02}, {"lr": 0.02, "weight_decay": 0.5}, {"lr": 0.02, "momentum": 0.5}, {"lr": 0.02, "nesterov": 0},
        {"lr": 0.02, "ns_a": 2, "ns_b": -1.5, "ns_c": 0.5, "ns_steps": 10}, {"lr": 0.02, "match_rms_adamw": 1},
        {"lr": 0.02, "eps": 100}, {"lr": 0.02, "adamw_lr": 0.01, "adamw_beta1": 0.8, "adamw_weight_decay": 0.3},
    ]),
}
# Those whose parameters depend on each other: a call with all of them.
TOGETHER = {
    "prodigy": (published.Prodigy, [
        {}, {"d0": 1e-3}, {"d0": 1e-3, "beta1": 0.5, "beta2": 0.9}, {"d0": 1e-3, "beta1": 0, "beta3": 0.8},
        {"d0": 1e-3, "weight_decay": 0.3}, {"d0": 1e-3, "weight_decay": 0.3, "decouple": 0, "eps": 1e-3},
        {"d0": 1e-3, "use_bias_correction": 1}, {"d0": 1e-3, "safeguard_warmup": 1, "use_bias_correction": 1},
        {"d0": 1e-3, "growth_rate": 1.02}, {"d0": 1e-3, "d_coef": 3, "lr": 0.5},
    ]),
}
def simple(kind, parameter, **given):
    if "beta1" in given:
        given["betas"] = (given.pop("beta1"), given.pop("beta2"))
    return kind([parameter], foreach=False, **given)


INNER = {
    "adafactor": adafactor, "adamw": functools.partial(simple, torch.optim.AdamW),
    "lamb": functools.partial(simple, published.LAMB), "muon": muon, "sgd": functools.partial(simple, torch.optim.SGD),
}
# A wrapper's settings, what it wraps, and the settings of that.
WRAPPED = {
    "cautious": (published.Cautious, [
        ({}, "adamw", {}), ({}, "adamw", {"lr": 0.05, "weight_decay": 0}), ({"eps": 0.6}, "adamw", {"lr": 0.05}),
        ({}, "sgd", {"lr": 0.05, "momentum": 0.9}), ({}, "lamb", {"lr": 0.05}), ({}, "muon", {"lr": 0.02}),
    ]),
    "lookahead": (published.Lookahead, [
        ({}, "adamw", {}), ({"k": 3}, "adamw", {"lr": 0.05}), ({"k": 1, "alpha": 0.8}, "adamw", {"lr": 0.05}),
        ({"alpha": 0.1}, "sgd", {"lr": 0.05, "momentum": 0.9}), ({"k": 2}, "lamb", {"lr": 0.05}),
        ({"k": 2}, "adafactor", {"lr": 0.1}), ({"k": 4}, "muon", {"lr": 0.02}),
    ]),
}
IGNORED = ("step", "g")
NAMES = {"variance": "col_var"}


def run(make, case, index):
    shape = SHAPES[index]
    matrix = shape if len(shape) < 2 else (shape[0], int(numpy.prod(shape[1:])))
    parameter = torch.nn.Parameter(fill(int(numpy.prod(shape)), 100 + index).reshape(matrix))
    optimizer = make(parameter, **case)
    if not optimizer:
        return {}
    rate = optimizer.param_groups[0]["lr"]
    for step in range(1, STEPS + 1):
        if not trains(index, step):
            continue
        optimizer.param_groups[0]["lr"] = rate * rate_factor(step)
        gradient = preconditioners.separated if make in (shampoo, soap) else fill
        parameter.grad = gradient(torch.Size(matrix), 1000 * step + index).reshape(parameter.shape)
        optimizer.step()
    arrays = arrays_of(optimizer, parameter)
    if hasattr(optimizer, "eval"):
        optimizer.eval()
        arrays["view"] = parameter.detach()
    return arrays


def arrays_of(optimizer, parameter):
    arrays = {"parameter": parameter.detach().clone()}
    arrays.update((NAMES.get(name, name), value) for name, value in optimizer.state[parameter].items()
                  if isinstance(value, torch.Tensor) and name not in IGNORED)
    return arrays


def run_together(make, case):
    given = dict(case)
    if "beta1" in given or "beta2" in given:
        given["betas"] = (given.pop("beta1", 0.9), given.pop("beta2", 0.999))
    parameters = [torch.nn.Parameter(fill(int(numpy.prod(shape)), 100 + i)) for i, shape in enumerate(SHAPES)]
    optimizer = make(parameters, **given)
    rate = optimizer.param_groups[0]["lr"]
    for step in range(1, STEPS + 1):
        optimizer.param_groups[0]["lr"] = rate * rate_factor(step)
        for i, parameter in enumerate(parameters):
            parameter.grad = fill(parameter.numel(), 1000 * step + i) if trains(i, step) else None
        optimizer.step()
    found = [arrays_of(optimizer, parameter) for parameter in parameters]
    if "d0" not in case:  # steps so small that the numerator, whose terms cancel, is made of the parameters' last bits
        for arrays in found:
            del arrays["d_numerator"]
    return found


def settings_of(case):
    return ",".join(f"{key}={float(value)!r}" for key, value in case.items())


def run_case(name, make, case):
    """The case's settings, and the arrays of each parameter."""
    if name in TOGETHER:
        return settings_of(case), run_together(make, case)
    if name not in WRAPPED:
        return settings_of(case), [run(make, case, index) for index in range(len(SHAPES))]
    own, inner, given = case
    both = lambda parameter: make(INNER[inner](parameter, **given), **own)
    return (f"{settings_of(own)}/{inner}:{settings_of(given)}", [run(both, {}, index) for index in range(len(SHAPES))])


def main(directory, names):
    for name, (make, cases) in (CASES | TOGETHER | WRAPPED).items():
        if names and name not in names:
            continue
        with open(directory / (name + ".txt"), "w", encoding="ascii") as golden:
            for case in cases:
                settings, found = run_case(name, make, case)
                print("case", settings or "-", file=golden)
                for index, arrays in enumerate(found):
                    for array, values in arrays.items():
                        print(index, array, *(f"{value:.8g}" for value in values.flatten()[:MOST].tolist()), file=golden)


main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent, sys.argv[2:])
