"""Writes arithmetic.txt, concatenate.txt, softmax.txt, binary_cross_entropy.txt and upsample.txt: outputs and gradients of
PyTorch's functions of that kind. Run with PyTorch 2.13: python activations.py [DIRECTORY].

A case is a line "case SETTINGS" and lines of values. Arrays come from the generator of tests/support/support.c
(support_fill): input k with seed 100 + k, the output's gradient with 300. Images are NHWC."""

import pathlib
import sys

import torch

from support import fill, line

BATCH = 3
PAIRS = [((2, 3, 4), (2, 3, 4)), ((2, 3, 4), (4,)), ((2, 1, 4), (2, 3, 1)), ((1,), (3, 5)), ((3, 1), (5,)),
         ((2, 3, 1), (2, 3, 4))]
CONCATENATIONS = [(0, [(2, 3), (1, 3), (4, 3)]), (1, [(2, 3), (2, 1)]), (-1, [(2, 2, 3), (2, 2, 1), (2, 2, 3)]),
                  (1, [(2, 1, 3), (2, 4, 3)])]
SOFTMAXES = [(5,), (1,), (2, 3, 7), (4, 17)]
UPSAMPLES = [("nearest", False, (3, 4), (6, 12)), ("nearest", False, (3, 4), (5, 7)), ("nearest", False, (5, 7), (3, 4)),
             ("bilinear", False, (3, 4), (6, 8)), ("bilinear", True, (3, 4), (6, 8)), ("bilinear", False, (3, 4), (5, 3)),
             ("bilinear", True, (3, 4), (5, 3)), ("bilinear", True, (1, 4), (3, 1)), ("bilinear", False, (1, 4), (3, 1)),
             ("bilinear", False, (2, 2), (6, 6))]


def tensor(shape, seed):
    return fill(shape, seed).requires_grad_()


def padded(shape, rank):
    """A batch of such samples, whose dimensions stand at the end."""
    return (BATCH,) + (1,) * (rank - len(shape)) + shape


def run(lines, title, inputs, function):
    output = function(*inputs)
    output.backward(fill(output.shape, 300))
    lines.append(f"case {title}")
    lines.append(line("output", output))
    for x in inputs:
        lines.append(line("gradient", x.grad))


def arithmetic():
    lines = []
    for left, right in PAIRS:
        rank = max(len(left), len(right))
        for name, function in (("add", torch.add), ("subtract", torch.subtract), ("multiply", torch.multiply)):
            inputs = [tensor(padded(left, rank), 100), tensor(padded(right, rank), 101)]
            run(lines, name, inputs, function)
    return lines


def concatenate():
    lines = []
    for axis, shapes in CONCATENATIONS:
        inputs = [tensor((BATCH,) + shape, 100 + k) for k, shape in enumerate(shapes)]
        run(lines, f"axis {axis}", inputs, lambda *x: torch.cat(x, axis if axis < 0 else axis + 1))
    return lines


def softmax():
    lines = []
    for shape in SOFTMAXES:
        for name in ("softmax", "log_softmax"):
            x = tensor((BATCH,) + shape, 100)
            run(lines, name, [x], lambda x: getattr(torch.nn.functional, name)(4 * x, dim=-1))
            lines[-1] = line("gradient", x.grad / 4)
    return lines


def binary_cross_entropy():
    lines = []
    for reduction in ("mean", "sum"):
        for weighted in (0, 1):
            x = (4 * fill((6, 5), 100)).requires_grad_()
            targets = ((fill((6, 5), 9) + 1) / 2)
            weights = torch.tensor([0.5, 2, 0, 1, 3]) if weighted else None
            loss = torch.nn.functional.binary_cross_entropy_with_logits(x, targets, pos_weight=weights,
                                                                        reduction=reduction)
            loss.backward()
            lines += [f"case {reduction} weighted {weighted}", line("loss", loss), line("gradient", x.grad)]
    return lines


def upsample():
    lines = []
    for mode, align, before, after in UPSAMPLES:
        x = tensor((BATCH, *before, 2), 100)
        options = {} if mode == "nearest" else {"align_corners": align}
        run(lines, f"{mode} {int(align)}", [x],
            lambda x: torch.nn.functional.interpolate(x.permute(0, 3, 1, 2).contiguous(), size=after, mode=mode,
                                                      **options).permute(0, 2, 3, 1).contiguous())
    return lines


def main(directory):
    for make in (arithmetic, concatenate, softmax, binary_cross_entropy, upsample):
        (directory / f"{make.__name__}.txt").write_text("\n".join(make()) + "\n")


main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent))
