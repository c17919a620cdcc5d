#!/usr/bin/env python3
"""PyTorch's side of unfreezing.py, one run: torch_unfreezing.py FOLDER, with the settings as JSON on standard input.
Prints an object of JSON for each epoch.

Images are decoded once, by as many threads as compute, and stay in memory. A frozen part has no graph and normalises by
its running statistics. `way` says how it runs:
    eager      channels-last
    folded     the same, with the normalisation of all that is frozen, and of all in tests, folded into convolutions
    compile    folded, and compiled again whenever something thaws
    by-hand    folded, and the outputs of the frozen part are kept in tensors from one thaw to the next, which PyTorch
               does not do by itself
With `compared`, prints what the first convolution makes of so many images instead."""

import concurrent.futures
import copy
import json
import pathlib
import sys

import torch
from PIL import Image
from safetensors.torch import load_file
from torch import nn

import backbones

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def decode(path, size, resize):
    """torchvision's transform for tests, of a square image."""
    image = Image.open(path).convert("RGB").resize((resize, resize), Image.Resampling.BILINEAR)
    begin = round((resize - size) / 2)
    cut = image.crop((begin, begin, begin + size, begin + size))
    return torch.frombuffer(bytearray(cut.tobytes()), dtype=torch.uint8).view(size, size, 3).permute(2, 0, 1)


def read_folder(folder, settings):
    """Images, channels-last, and labels."""
    classes = sorted(folder.iterdir())
    paths = [(path, label) for label, name in enumerate(classes) for path in sorted(name.iterdir())]
    with concurrent.futures.ThreadPoolExecutor(settings["threads"]) as pool:
        images = list(pool.map(lambda entry: decode(entry[0], settings["size"], settings["resize"]), paths))
    scale = [torch.tensor(numbers).view(3, 1, 1) for numbers in (MEAN, DEVIATION)]
    images = torch.stack(images).float().div_(255).sub_(scale[0]).div_(scale[1])
    return images.contiguous(memory_format=torch.channels_last), torch.tensor([label for _, label in paths])


def folded(module):
    """A copy for inference."""
    module = copy.deepcopy(module).eval()
    backbones.fold(module)
    return module.to(memory_format=torch.channels_last)


class Run:
    def __init__(self, folder, settings):
        self.settings, self.way, self.trained, self.optimizer = settings, settings["way"], 0, None
        self.training = read_folder(folder / "images" / "train", settings)
        self.test = read_folder(folder / "images" / "val", settings)
        model = backbones.EfficientNetLite0(classes=10)
        model.load_state_dict(load_file(folder / f"start-{settings['seed']}.safetensors"), strict=False)
        model.to(memory_format=torch.channels_last).requires_grad_(False)
        self.blocks = [nn.Sequential(model.conv_stem, model.bn1, model.act), *model.blocks,
                       nn.Sequential(model.conv_head, model.bn2, model.act), backbones.head(model.classifier)]
        self.loss = nn.CrossEntropyLoss()

    def thaw(self, count):
        """The `count` highest blocks train; what thaws now gets optimizer state now."""
        for index in range(len(self.blocks) - count, len(self.blocks) - self.trained):
            rate = self.settings["rate"] * (1 if self.trained == 0 else self.settings["body_rate"])
            group = dict(params=list(self.blocks[index].requires_grad_(True).parameters()), lr=rate)
            if self.optimizer:
                self.optimizer.add_param_group(group)
            else:
                self.optimizer = torch.optim.Adam([group], fused=True)
        self.trained = count
        self.prefix, self.live = nn.Sequential(*self.blocks[:-count]).eval(), nn.Sequential(*self.blocks[-count:])
        self.step_live = self.live
        if self.way != "eager":
            self.prefix = folded(self.prefix)
        if self.way == "compile":
            self.prefix = torch.compile(self.prefix, options={"freezing": True})
            self.step_live = torch.compile(self.live)
        if self.way == "by-hand":
            self.features, self.test_features = (self.frozen(images) for images in (self.training[0], self.test[0]))

    @torch.no_grad()
    def frozen(self, images):
        return torch.cat([self.prefix(part) for part in images.split(self.settings["batch"])])

    def epoch(self):
        """The mean of the losses."""
        images, labels = self.training
        self.live.train()
        total = 0
        for indices in torch.randperm(len(images)).split(self.settings["batch"]):
            if self.way == "by-hand":
                inputs = self.features[indices]
            else:
                with torch.no_grad():
                    inputs = self.prefix(images[indices])
            loss = self.loss(self.step_live(inputs), labels[indices])
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()
            total += loss.item() * len(indices)
        return total / len(images)

    @torch.no_grad()
    def accuracy(self):
        images, labels = self.test
        live = self.live.eval() if self.way == "eager" else folded(self.live)
        right, at = 0, 0
        for part in images.split(self.settings["batch"]):
            inputs = self.test_features[at:at + len(part)] if self.way == "by-hand" else self.prefix(part)
            right += (live(inputs).argmax(1) == labels[at:at + len(part)]).sum().item()
            at += len(part)
        return right / len(images)


def main():
    folder, settings = pathlib.Path(sys.argv[1]), json.load(sys.stdin)
    torch.set_num_threads(settings["threads"])
    torch.manual_seed(settings["seed"])
    run = Run(folder, settings)
    if "compared" in settings:
        outputs = run.blocks[0][0](run.training[0][:settings["compared"]])
        print(json.dumps(outputs.permute(0, 2, 3, 1).flatten().tolist()))
        return
    for epoch, count in enumerate(settings["trained"], 1):
        if count != run.trained:
            run.thaw(count)
        print(json.dumps(dict(epoch=epoch, loss=run.epoch(), test_accuracy=run.accuracy())), flush=True)


main()
