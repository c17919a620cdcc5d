"""Keeps a network away from its kinks. Where an input of a ReLU is nearly zero, or two of a max-pool are nearly equal,
rounding decides which way the gradient takes: every way is right, and one of a million elements that goes another moves the
gradients below it by 1e-3 of their norm. A comparison of gradients is sharp only where there are none, so `clear` moves
the parameters a little: each channel by that shift which takes its values furthest from a kink, and the weights before a
max-pool by a random hundredth until each window has one clear winner.
"""

import torch
from torch import nn
from torch.nn import functional

REACH = 0.02  # a shift is at most this share of the layer's standard deviation
LEAD = 1e-4  # of the winner in a window before the second, in standard deviations of its channel
NUDGE = 0.01
KINKS = {nn.ReLU: (0,), nn.ReLU6: (0, 6)}


def channels_first(x):
    return x.transpose(0, 1).flatten(1)


def per_channel(values, like):
    return values.view(1, -1, *[1] * (like.dim() - 2))


def best_shifts(x, kinks):
    """By which to move each channel: the middle of the widest gap near its kinks comes to lie on them."""
    values, reach = channels_first(x), REACH * x.std()
    ends = reach * torch.tensor([[-1.0, 1.0]], dtype=x.dtype).expand(len(values), 2)
    distances = torch.cat([values - kink for kink in kinks] + [ends], 1).clamp(-reach, reach).sort(1).values
    widths, places = distances.diff(dim=1).max(1)
    return -(distances.gather(1, places[:, None])[:, 0] + widths / 2)


def leads(x, pool):
    """How far the winner is ahead in the closest window of each channel. Windows of zeros pass no gradient on."""
    windows = functional.unfold(x.flatten(0, 1)[:, None], pool.kernel_size, padding=pool.padding, stride=pool.stride)
    first, second = windows.topk(2, dim=1).values.unbind(1)
    lead = torch.where(first > 0, first - second, torch.inf)
    return channels_first(lead.view(*x.shape[:2], -1)).amin(1)


def is_close(x, pool):
    """Of each channel, whether a window of it has no clear winner."""
    return leads(x, pool) < LEAD * channels_first(x).std(1)


class Clearing:
    """Hooks of a forward pass that changes the parameters on its way, from the inputs to the outputs."""

    def __init__(self, model):
        self.generator = torch.Generator().manual_seed(1)
        self.handles = [handle for module in model.modules() for handle in self.hooks(module)]
        self.convolution = self.images = self.normalisation = self.biased = None

    def hooks(self, module):
        if isinstance(module, (nn.Conv2d, nn.Linear, nn.BatchNorm2d)):
            yield module.register_forward_hook(self.passed)
        elif isinstance(module, (nn.ReLU, nn.ReLU6)):
            yield module.register_forward_pre_hook(self.shift)
        elif isinstance(module, nn.MaxPool2d):
            yield module.register_forward_pre_hook(self.separate)

    def passed(self, module, inputs, _):
        if isinstance(module, nn.Conv2d):
            self.convolution, self.images, self.normalisation = module, inputs[0].clone(), None
        elif isinstance(module, nn.BatchNorm2d):
            self.normalisation = module
        if module.bias is not None:
            self.biased = module

    def shift(self, module, inputs):
        x, kinks = inputs[0], KINKS[type(module)]
        return x + per_channel(self.move(best_shifts(x, kinks), slice(None)), x)

    def move(self, shifts, channels):
        """Adds to the biases of the channels what single precision takes, and returns that."""
        bias, before = self.biased.bias, self.biased.bias[channels].clone()
        bias[channels] = (before + shifts).float().to(bias.dtype)
        return bias[channels] - before

    def separate(self, pool, inputs):
        x = inputs[0].clone()
        close = torch.arange(x.shape[1])[is_close(x, pool)]
        while len(close):
            x[:, close] = self.redraw(close)
            close = close[is_close(x[:, close], pool)]
        return x

    def redraw(self, channels):
        """What the last convolution, normalisation and ReLU make with other weights for some channels."""
        weight = self.convolution.weight
        noise = torch.rand(weight[channels].shape, generator=self.generator, dtype=weight.dtype) - 0.5
        weight[channels] = (weight[channels] * (1 + NUDGE * noise)).float().to(weight.dtype)
        bias = self.convolution.bias
        y = functional.conv2d(self.images, weight[channels], None if bias is None else bias[channels],
                              self.convolution.stride, self.convolution.padding)
        if n := self.normalisation:
            y = functional.batch_norm(y, n.running_mean[channels], n.running_var[channels], n.weight[channels],
                                      n.bias[channels], n.training, eps=n.eps)
        return functional.relu(y + per_channel(self.move(best_shifts(y, KINKS[nn.ReLU]), channels), y))


@torch.no_grad()
def clear(model, inputs):
    """Moves the parameters of a double-precision model, in the mode that it is in; they stay single-precision numbers.
    Statistics stay what they were."""
    statistics = {name: tensor.clone() for name, tensor in model.named_buffers()}
    clearing = Clearing(model)
    model(inputs)
    for handle in clearing.handles:
        handle.remove()
    for name, tensor in model.named_buffers():
        tensor.copy_(statistics[name])
