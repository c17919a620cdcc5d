"""Writes slice.txt, prepend_tokens.txt, positions.txt, layer_scale.txt, rms_norm.txt, l2_normalise.txt, rotary.txt and
sequence_mean.txt: outputs and gradients of PyTorch for layers of transformers. Run with PyTorch 2.13:
python transformer_layers.py.

A case is a line "case NAME" and the lines "output", "input" and "weight" (gradients). Arrays come from the generator of
tests/support/support.c (support_fill): the input with seed 100, the parameter with 200, the output's gradient with
300."""

import pathlib

import torch
from support import fill, line

BATCH = 3


def run(file, cases):
    lines = []
    for name, shape, parameter, function in cases:
        x = fill((BATCH, *shape), 100).requires_grad_()
        p = fill(parameter, 200).requires_grad_() if parameter else None
        y = function(x, p)
        y.backward(fill(y.shape, 300))
        lines += [f"case {name}", line("output", y), line("input", x.grad)]
        lines += [line("weight", p.grad)] if parameter else []
    (pathlib.Path(__file__).parent / file).write_text("\n".join(lines) + "\n")


def rotate(x, heads, size, rotated, base, interleaved):
    """The first `rotated` features of each of the first heads: of complex numbers, or by halves as in LLaMA."""
    steps, angles = x.shape[1], base ** -(torch.arange(0, rotated, 2).double() / rotated)
    angles = torch.arange(steps).double()[:, None] * angles
    front, rest = x[..., :heads * size].unflatten(-1, (heads, size)), x[..., heads * size:]
    turned, kept = front[..., :rotated], front[..., rotated:]
    if interleaved:
        pairs = torch.view_as_complex(turned.unflatten(-1, (-1, 2)).contiguous())
        turned = torch.view_as_real(pairs * torch.polar(torch.ones_like(angles), angles)[:, None]).flatten(-2)
    else:
        first, second = turned.chunk(2, -1)
        twice = torch.cat((angles, angles), -1)[:, None]
        turned = turned * twice.cos() + torch.cat((-second, first), -1) * twice.sin()
    return torch.cat((torch.cat((turned, kept), -1).flatten(-2), rest), -1)


def mean_of(x, lengths):
    mask = (torch.arange(x.shape[1]) < torch.tensor(lengths)[:, None]).to(x.dtype)[..., None]
    return (x * mask).sum(1) / mask.sum(1)


torch.set_num_threads(1)
run("slice.txt", [
    ("first token", (5, 4), None, lambda x, p: x[:, 0]),
    ("middle", (5, 4), None, lambda x, p: x[:, 2:4]),
    ("channels", (3, 2, 6), None, lambda x, p: x[..., -4:]),
])
run("prepend_tokens.txt", [
    ("class token", (4, 5), (1, 1, 5), lambda x, p: torch.cat((p.expand(len(x), -1, -1), x), 1)),
    ("registers", (2, 3), (4, 3), lambda x, p: torch.cat((p[None].expand(len(x), -1, -1), x), 1)),
])
run("positions.txt", [
    ("all", (4, 5), (1, 4, 5), lambda x, p: x + p),
    ("shorter", (2, 3), (5, 3), lambda x, p: x + p[:2]),
])
run("layer_scale.txt", [
    ("sequence", (4, 5), (5,), lambda x, p: x * p),
    ("image", (2, 3, 18), (18,), lambda x, p: x * p),
])
run("rms_norm.txt", [
    ("vector", (5,), (5,), lambda x, p: torch.nn.functional.rms_norm(x, (5,), p)),
    ("sequence", (3, 17), (17,), lambda x, p: torch.nn.functional.rms_norm(x, (17,), p, 1e-2)),
    ("plain", (2, 3, 6), None, lambda x, p: torch.nn.functional.rms_norm(x, (6,))),
])
run("l2_normalise.txt", [
    ("vector", (5,), None, lambda x, p: torch.nn.functional.normalize(x, dim=-1)),
    ("sequence", (3, 17), None, lambda x, p: torch.nn.functional.normalize(x, dim=-1)),
])
run("rotary.txt", [
    ("halves", (4, 12), None, lambda x, p: rotate(x.double(), 2, 6, 6, 10000, False)),
    ("interleaved", (4, 12), None, lambda x, p: rotate(x.double(), 2, 6, 6, 10000, True)),
    ("packed", (5, 24), None, lambda x, p: rotate(x.double(), 4, 4, 4, 500, False)),
    ("a part", (3, 8), None, lambda x, p: rotate(x.double(), 1, 8, 4, 10000, True)),
])
run("sequence_mean.txt", [
    ("all", (4, 5), None, lambda x, p: x.mean(1)),
    ("lengths", (4, 5), None, lambda x, p: mean_of(x, [2, 4, 1])),
])
