"""Writes losses.txt: losses and gradients of PyTorch's cross_entropy for each combination of its options. Run with
PyTorch 2.13: python losses.py [DIRECTORY].

A case is a line "case SETTINGS" and the lines "loss" and "gradient". Logits come from the generator of
tests/support/support.c (support_fill) with seed 100, times 4."""

import itertools
import pathlib
import sys

import torch

from support import fill, line

LABELS = [3, 0, 4, 1, 1, 2]
CLASSES = 5
WEIGHTS = [0.5, 2, 0.25, 1, 3]


def main(directory):
    lines = []
    options = itertools.product(["mean", "sum"], [0, 0.1, 1], [None, 1], [None, WEIGHTS])
    for reduction, smoothing, ignored, weights in options:
        logits = (fill((len(LABELS), CLASSES), 100) * 4).requires_grad_()
        loss = torch.nn.functional.cross_entropy(
            logits, torch.tensor(LABELS), weight=None if weights is None else torch.tensor(weights),
            ignore_index=-100 if ignored is None else ignored, reduction=reduction, label_smoothing=smoothing)
        loss.backward()
        lines.append(f"case {reduction} smoothing {smoothing} ignore {int(ignored is not None)} "
                     f"weights {int(weights is not None)}")
        lines.append(line("loss", [loss.detach()]))
        lines.append(line("gradient", logits.grad.flatten()))
    (directory / "losses.txt").write_text("\n".join(lines) + "\n")


main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent))
