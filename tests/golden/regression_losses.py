"""Writes regression_losses.txt: losses and gradients of PyTorch's MSELoss, L1Loss and HuberLoss. Run with PyTorch 2.13:
python regression_losses.py [DIRECTORY].

A case is a line "case LOSS REDUCTION DELTA" and the lines "loss" and "gradient". Predictions come from the generator of
tests/support/support.c (support_fill) with seed 100, times 4; targets with seed 9, times 2. Prediction 3 equals its
target, and prediction 4 is exactly 0.5 above it."""

import pathlib
import sys

import torch

from support import fill, line

SHAPE = (5, 4)
LOSSES = [("mse", 0, torch.nn.MSELoss), ("mae", 0, torch.nn.L1Loss)]
LOSSES += [("huber", delta, lambda reduction, delta=delta: torch.nn.HuberLoss(reduction=reduction, delta=delta))
           for delta in (0.5, 1, 3)]


def main(directory):
    lines = []
    for name, delta, kind in LOSSES:
        for reduction in ("mean", "sum"):
            prediction, target = fill(SHAPE, 100) * 4, fill(SHAPE, 9) * 2
            prediction.view(-1)[3] = target.view(-1)[3]
            target.view(-1)[4] = 0.25
            prediction.view(-1)[4] = 0.75
            prediction.requires_grad_()
            loss = kind(reduction=reduction)(prediction, target)
            loss.backward()
            lines.append(f"case {name} {reduction} {delta}")
            lines.append(line("loss", [loss.detach()]))
            lines.append(line("gradient", prediction.grad.flatten()))
    (directory / "regression_losses.txt").write_text("\n".join(lines) + "\n")


main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent))
