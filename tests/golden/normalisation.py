"""Writes batch_norm.safetensors: the state of a layer; batch_norm.txt: outputs, gradients and running statistics of
PyTorch's batch normalisation; running_statistics.txt: losses and running statistics of 20 steps of a small network. Run
with PyTorch 2.13 and safetensors: python normalisation.py.

A case is a line "case SETTINGS" and lines of values. Arrays come from the generator of tests/support/support.c
(support_fill): the input with seed 100, parameter k with 200 + k, the output's gradient with 300; the running
variance is |numbers| + 0.5. Channels are last."""

import pathlib

import torch
from safetensors.torch import save_file

from support import fill, line

SHAPES = [(5, 3), (2, 4, 5, 7), (3, 1, 1, 17), (4, 3, 16)]
MOMENTUM, EPSILON, PASSES = 0.3, 1e-3, 2


def run(shape, training):
    channels = shape[-1]
    module = torch.nn.BatchNorm1d(channels, eps=EPSILON, momentum=MOMENTUM).train(training)
    with torch.no_grad():
        module.weight.copy_(fill(channels, 200))
        module.bias.copy_(fill(channels, 201))
        module.running_mean.copy_(fill(channels, 202))
        module.running_var.copy_(fill(channels, 203).abs() + 0.5)
    x = fill(shape, 100).reshape(-1, channels).requires_grad_()
    slope = fill(x.shape, 300)
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
            parameter.copy_(fill(parameter.shape, seed) * 0.4)
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
        images = fill((BATCH, 1, 8, 8), 100 + step % BATCHES)
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
    module(fill((5, 3), 100))
    return {"norm." + name: values for name, values in module.state_dict().items()}


torch.set_num_threads(1)
folder = pathlib.Path(__file__).parent
save_file(saved_state(), folder / "batch_norm.safetensors")
cases = [text for shape in SHAPES for training in (True, False) for text in run(shape, training)]
(folder / "batch_norm.txt").write_text("\n".join(cases) + "\n")
runs = [text for name in RUNS for text in training_lines(name)]
(folder / "running_statistics.txt").write_text("\n".join(runs) + "\n")
