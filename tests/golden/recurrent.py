"""Writes recurrent.txt: outputs and gradients of PyTorch's LSTM and GRU; lstm.safetensors and gru.safetensors: the states
of those that are stacked. Run with PyTorch 2.13 and safetensors: python recurrent.py.

A case is a line "case SETTINGS" and lines of values. "lstm layer" and "gru layer" are one layer of one direction that
begins in given states. Arrays come from the generator of tests/support/support.c (support_fill): the input with seed 100,
the states with 101 and 102, parameter k with 200 + k, the output's gradient with 300. "lstm stack" and "gru stack" have
two layers of two directions, the parameters of the files, and as a loss the sum of squared differences to an array of
seed 400."""

import pathlib

import torch
from safetensors.torch import save_file

from support import fill, line

BATCH, STEPS, FEATURES, UNITS = 3, 5, 4, 6
KINDS = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}


def sequences(seed, features):
    return fill((BATCH, STEPS, features), seed)


def layer(kind):
    module = KINDS[kind](FEATURES, UNITS, batch_first=True)
    with torch.no_grad():
        for k, parameter in enumerate(module.parameters()):
            parameter.copy_(fill(parameter.shape, 200 + k))
    x = sequences(100, FEATURES).requires_grad_()
    names = ["hidden", "cell"] if kind == "lstm" else ["hidden"]
    states = [fill((1, BATCH, UNITS), 101 + i).requires_grad_() for i in range(len(names))]
    output, _ = module(x, tuple(states) if kind == "lstm" else states[0])
    output.backward(sequences(300, UNITS))
    return [f"case {kind} layer", line("output", output), line("input", x.grad),
            *(line(name, state.grad) for name, state in zip(names, states)),
            *(line(name, parameter.grad) for name, parameter in module.named_parameters())]


def stack(kind):
    torch.manual_seed(1)
    module = KINDS[kind](FEATURES, UNITS, 2, batch_first=True, bidirectional=True)
    save_file({"rnn." + name: values for name, values in module.state_dict().items()}, folder / f"{kind}.safetensors")
    output, last = module(sequences(100, FEATURES))
    loss = (output - sequences(400, 2 * UNITS)).square().sum()
    loss.backward()
    hidden = last[0] if kind == "lstm" else last
    return [f"case {kind} stack", line("output", output), line("last", torch.cat([hidden[2], hidden[3]], 1)),
            line("loss", loss), *(line(name, parameter.grad) for name, parameter in module.named_parameters())]


torch.set_num_threads(1)
folder = pathlib.Path(__file__).parent
cases = [text for kind in KINDS for run in (layer, stack) for text in run(kind)]
(folder / "recurrent.txt").write_text("\n".join(cases) + "\n")
