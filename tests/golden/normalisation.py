"""Writes batch_norm.safetensors: the state of a layer; batch_norm.txt: outputs, gradients and running statistics of
PyTorch's batch normalisation; running_statistics.txt: losses and running statistics of 20 steps of a small network. Run
with PyTorch 2.13 and safetensors: python normalisation.py.

A case is a line "case SETTINGS" and lines of values. Arrays come from the generator of tests/support/support.c
(support_fill): the input with seed 100, parameter k with 200 + k, the output's gradient with 300; the running
variance is |numbers| + 0.5. Channels are last."""

import pathlib

import numpy
import torch
from safetensors.torch import save_file

SHAPES = [(5, 3), (2, 4, 5, 7), (3, 1, 1, 17), (4, 3, 16)]
MOMENTUM, EPSILON, PASSES = 0.3, 1e-3, 2


def fill(count, seed):
    state, values = seed, numpy.empty(count, dtype=numpy.float32)
    for i in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        values[i] = numpy.float32((state >> 33) * 2.0**-30 - 1.0)
    return torch.tensor(values)


def line(name, values):
    return " ".join([name] + [f"{float(value):.9g}" for value in values.detach().flatten()])


def run(shape, training):
    channels = shape[-1]
    module = torch.nn.BatchNorm1d(channels, eps=EPSILON, momentum=MOMENTUM).train(training)
    with torch.no_grad():
        module.weight.copy_(fill(channels, 200))
        module.bias.copy_(fill(channels, 201))
        module.running_mean.copy_(fill(channels, 202))
        module.running_var.copy_(fill(channels, 203).abs() + 0.5)
    x = fill(int(numpy.prod(shape)), 100).reshape(-1, channels).requires_grad_()
    slope = fill(x.numel(), 300).reshape(x.shape)
    for _ in range(PASSES):
        module.zero_grad()
        x.grad = None
        y = module(x)
        y.backward(slope)
    return [f"case {'x'.join(map(str, shape))} {'training' if training else 'evaluation'}", line("output", y),
            line("input", x.grad), line("weight", module.weight.grad), line("bias", module.bias.grad),
            line("mean", module.running_mean), line("variance", module.running_var)]


STEPS, BATCH, BATCHES, CLASSES = 20, 16, 10, 5
RUNS = {  # name: (modules without gradient, those of them that are in eval mode); numbers are places in the network
    "all trainable": ((), ()),
    "first frozen": ((0, 1), (1,)),
    "first frozen but tracked": ((0, 1), ()),
    "second frozen": ((4,), (4,)),
}


def network():
    nn = torch.nn
    model = nn.Sequential(nn.Conv2d(1, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(),
                          nn.Conv2d(4, 6, 3, bias=False), nn.BatchNorm2d(6), nn.ReLU(),
                          nn.MaxPool2d(2), nn.Flatten(), nn.Linear(24, CLASSES))
    with torch.no_grad():
        for seed, parameter in enumerate(model.parameters(), 1):
            parameter.copy_(fill(parameter.numel(), seed).view_as(parameter) * 0.4)
    return model


def train(frozen, still, dtype):
    model = network().to(dtype)
    for place in frozen:
        model[place].requires_grad_(False)
    for place in still:
        model[place].eval()
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=1e-2)
    losses = []
    for step in range(STEPS):
        images = fill(BATCH * 64, 100 + step % BATCHES).view(BATCH, 1, 8, 8)
        labels = ((fill(BATCH, 200 + step % BATCHES) + 1) * CLASSES / 2).long()
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(images.to(dtype)), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss)
    return torch.stack(losses), model


def training_lines(name):
    losses, model = train(*RUNS[name], torch.float32)
    exact, _ = train(*RUNS[name], torch.float64)
    drift = ((losses - exact) / exact).abs().max()
    print(f"{name}: {losses[0]:.4f} to {losses[-1]:.4f}; float64 differs by {drift:.1e}")
    statistics = [torch.cat([model[place].running_mean, model[place].running_var]) for place in (1, 4)]
    return [f"case {name}", line("losses", losses), line("first", statistics[0]), line("second", statistics[1])]


def saved_state():
    module = torch.nn.BatchNorm1d(3)
    module(fill(15, 100).reshape(5, 3))
    return {"norm." + name: values for name, values in module.state_dict().items()}


torch.set_num_threads(1)
folder = pathlib.Path(__file__).parent
save_file(saved_state(), folder / "batch_norm.safetensors")
cases = [text for shape in SHAPES for training in (True, False) for text in run(shape, training)]
(folder / "batch_norm.txt").write_text("\n".join(cases) + "\n")
runs = [text for name in RUNS for text in training_lines(name)]
(folder / "running_statistics.txt").write_text("\n".join(runs) + "\n")
