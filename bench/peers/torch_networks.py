"""PyTorch's networks, what is frozen of them, and their optimizers."""

import fnmatch

import torch
from torch import nn

import backbones
import text_networks
import vision_transformers


def transfer_cnn(classes):
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25),
        nn.Flatten(), nn.Linear(4608, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, classes))


def mlp(*sizes):
    layers = [nn.Flatten()]
    for inputs, outputs in zip(sizes, sizes[1:]):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def cnn_8_16():
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(784, 10))


class Lstm(nn.Module):
    """Two layers over 50 steps, and a classifier of the last one. Frozen, it is in inference, and may be bfloat16."""

    frozen = False

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(64, 256, 2, batch_first=True)
        self.head = nn.Linear(256, 10)

    def freeze(self):
        self.frozen = True
        self.lstm.requires_grad_(False).eval()

    def train(self, mode=True):
        super().train(mode)
        self.lstm.train(mode and not self.frozen)
        return self

    def prefix(self, sequences):
        return self.lstm(sequences.to(self.lstm.weight_ih_l0.dtype))[0][:, -1]

    def live(self, features):
        return self.head(features)

    def forward(self, sequences):
        return self.live(self.prefix(sequences))


NETWORKS = {
    **backbones.NETWORKS,
    **text_networks.NETWORKS,
    "vit-small": vision_transformers.NETWORKS["vit-small"],
    "dinov2-small": lambda: vision_transformers.NETWORKS["dinov2-small"](size=518),
    "lstm": Lstm,
    "transfer-cnn": lambda: transfer_cnn(5),
    "mlp-512": lambda: mlp(784, 512, 512, 10),
    "mlp-500": lambda: mlp(784, 500, 10),
    "cnn-8-16": cnn_8_16,
}


class LowRank(nn.Module):
    """A frozen linear layer beside its adapters, as peft's."""

    def __init__(self, base, rank):
        super().__init__()
        self.base, self.down, self.up = base, nn.Linear(base.in_features, rank, False), nn.Linear(
            rank, base.out_features, False)
        nn.init.zeros_(self.up.weight)

    def forward(self, x):
        return self.base(x) + self.up(self.down(x))


def adapt(model, pattern, rank):
    """Adapters on the weights of that pattern train, and the head."""
    model.requires_grad_(False)
    model.parts()[-1][1].requires_grad_(True)
    for name, layer in list(model.named_modules()):
        if isinstance(layer, nn.Linear) and fnmatch.fnmatch(name + ".weight", pattern):
            parent, _, child = name.rpartition(".")
            setattr(model.get_submodule(parent), child, LowRank(layer, rank))


def freeze(model, what):
    if isinstance(model, backbones.Backbone):
        if what != "nothing":
            model.freeze(model.parts()[-1][0] if what == "body" else what.removeprefix("before:"))
        return
    if isinstance(model, Lstm):
        if what == "body":
            model.freeze()
        return
    layers = [layer for layer in model.children() if isinstance(layer, (nn.Conv2d, nn.Linear))]
    frozen = {
        "nothing": [],
        "convolutions": [layer for layer in layers if isinstance(layer, nn.Conv2d)],
        "body": layers[:-1],
    }
    for layer in frozen[what]:
        layer.requires_grad_(False)


def make_optimizer(description, model):
    name, _, settings = description.partition(":")
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}[name]
    numbers = {key: float(value) for key, value in (setting.split("=") for setting in settings.split(","))}
    parameters = [p for p in model.parameters() if p.requires_grad]
    try:
        return kind(parameters, **numbers, fused=True)
    except (RuntimeError, TypeError):  # before 2.4 only on accelerators
        return kind(parameters, **numbers)
