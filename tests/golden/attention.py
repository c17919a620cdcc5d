"""Writes attention.txt: outputs and gradients of PyTorch's scaled_dot_product_attention, in double precision. Run with
PyTorch 2.13: python attention.py.

A case is a line "case NAME" and the line "output", then one of the gradient of each input. Arrays come from the
generator of tests/support/support.c (support_fill): input k with seed 100 + k, the output's gradient with 300. Where
samples have lengths, PyTorch gets a mask, and rows behind them are set to zero, which it leaves open."""

import pathlib

import torch

from support import fill, line

# name: batch, heads, queries, keys, width and value width of a head, options
CASES = {
    "packed": (2, 2, 5, 5, 4, 4, dict(packed=True)),
    "packed causal": (1, 3, 9, 9, 2, 2, dict(packed=True, causal=True)),
    "packed lengths": (3, 2, 6, 6, 3, 3, dict(packed=True, lengths=(1, 4, 1))),
    "apart": (2, 2, 3, 7, 5, 2, dict()),
    "apart causal": (1, 2, 6, 4, 3, 3, dict(causal=True, scale=0.7)),
    "bias": (2, 2, 4, 6, 3, 1, dict(bias_heads=2)),
    "shared bias": (2, 2, 4, 3, 3, 2, dict(bias_heads=1)),
}


def heads(x, count):
    return x.unflatten(-1, (count, -1)).transpose(1, 2)


def run(name, batch, count, queries, keys, width, value_width, options):
    shapes = [(batch, queries, count * width), (batch, keys, count * width), (batch, keys, count * value_width)]
    if options.get("packed"):
        inputs = [fill((batch, queries, 3 * count * width), 100).double().requires_grad_()]
        query, key, value = inputs[0].chunk(3, -1)
    else:
        inputs = [fill(shape, 100 + i).double().requires_grad_() for i, shape in enumerate(shapes)]
        query, key, value = inputs
    mask = None
    if "bias_heads" in options:
        inputs.append(fill((batch, options["bias_heads"], queries, keys), 103).double().requires_grad_())
        mask = inputs[-1]
    lengths = torch.tensor(options.get("lengths", (keys,) * batch))
    counted = torch.arange(keys) < lengths[:, None]
    if "lengths" in options:
        mask = counted[:, None, None, :]
    output = torch.nn.functional.scaled_dot_product_attention(
        heads(query, count), heads(key, count), heads(value, count), attn_mask=mask,
        is_causal=options.get("causal", False), scale=options.get("scale"))
    output = output.transpose(1, 2).flatten(2)
    if "lengths" in options:
        output = output * counted[:, :, None]
    output.backward(fill(output.shape, 300).double())
    return [f"case {name}", line("output", output), *[line(f"input{i}", x.grad) for i, x in enumerate(inputs)]]


torch.set_num_threads(1)
lines = [text for name, case in CASES.items() for text in run(name, *case)]
(pathlib.Path(__file__).parent / "attention.txt").write_text("\n".join(lines) + "\n")
