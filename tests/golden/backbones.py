"""Backbones beside torchvision's and timm's, in double precision: writes backbones/NAME.txt beside this file. Run with
PyTorch 2.13, torchvision 0.28 and timm 1.0: python backbones.py [NAME...]. tests/models/parity_test.c reads them.

Weights of that size are not kept: formula.py makes them, and the images. The label of sample n is (3 n + 1) mod 10. A
gradient is kept as its norm and its product with u of the name "probe", a statistic likewise.

Behind linear bottlenecks the formula's normalisation makes channels that hardly vary, and where it trains gradients
are small differences of large numbers. There scales are twice the formula's and shifts u / 2, moved until no activation
is near a kink: bench/peers/kinks.py says why, and the shifts are kept.
"""

import pathlib
import sys

sys.path.append(sys.path.pop(0))  # statistics.py beside this file hides Python's, which torchvision needs

import torch  # noqa: E402
from torch import nn  # noqa: E402

from formula import fill, images, uniform  # noqa: E402

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench" / "peers"))
import backbones  # noqa: E402
import kinks  # noqa: E402

# torchvision's compiled operators, which no classifier needs, may be missing; its Python wants to know them.
library = torch.library.Library("torchvision", "FRAGMENT")
for operator in ("nms", "qnms"):
    if not hasattr(torch.ops.torchvision, operator):
        library.define(operator + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

import timm  # noqa: E402
from torchvision import models  # noqa: E402

CLASSES = 10
NETWORKS = {  # image size, batch
    "resnet18": (64, 8, lambda: models.resnet18(num_classes=CLASSES)),
    "resnet34": (64, 8, lambda: models.resnet34(num_classes=CLASSES)),
    "resnet50": (64, 8, lambda: models.resnet50(num_classes=CLASSES)),
    "vgg16-bn": (32, 4, lambda: models.vgg16_bn(num_classes=CLASSES, dropout=0)),
    "mobilenet-v2": (64, 8, lambda: models.mobilenet_v2(num_classes=CLASSES, dropout=0)),
    "efficientnet-lite0": (96, 8, lambda: timm.create_model("efficientnet_lite0", num_classes=CLASSES)),
    "vit-tiny": (32, 4, lambda: timm.create_model("vit_tiny_patch16_224", img_size=32, num_classes=CLASSES)),
    "vit-small": (48, 4, lambda: timm.create_model("vit_small_patch16_224", img_size=48, num_classes=CLASSES)),
    "dinov2-small": (28, 4, lambda: timm.create_model("vit_small_patch14_dinov2", img_size=28, num_classes=CLASSES)),
    "convnext-tiny": (64, 4, lambda: timm.create_model("convnext_tiny", num_classes=CLASSES)),
}

LINEAR_BOTTLENECKS = ("mobilenet-v2", "efficientnet-lite0")


def write(file, name, *numbers):
    file.write(" ".join([name, *(f"{float(number):.9g}" for number in numbers)]) + "\n")


def write_tensors(file, name, tensors):
    write(file, name, len(tensors))
    for name, tensor in tensors:
        flat = tensor.flatten()
        write(file, name, flat.norm(), flat @ uniform("probe", len(flat)))


def step(file, model, inputs, labels):
    model.zero_grad()
    loss = nn.functional.cross_entropy(model(inputs), labels)
    loss.backward()
    write(file, "loss", loss)
    write_tensors(file, "gradients", [(n, p.grad) for n, p in model.named_parameters() if p.requires_grad])


@torch.no_grad()
def move_normalisation(file, model, network, inputs):
    plain = backbones.NETWORKS[network](classes=CLASSES).double().train()  # same names, plain modules
    plain.load_state_dict(model.state_dict())
    for name, module in plain.named_modules():
        if isinstance(module, nn.BatchNorm2d):
            module.weight.mul_(2)
            module.bias.copy_(uniform(name + ".bias", module.num_features) / 2)
    kinks.clear(plain, inputs)
    model.load_state_dict(plain.state_dict())
    shifts = [(f"{n}.bias", m.bias) for n, m in plain.named_modules() if isinstance(m, nn.BatchNorm2d)]
    write(file, "shifts", len(shifts))
    for name, shift in shifts:
        write(file, name, *shift)


def run(file, model, network, size, batch):
    inputs, labels = images(batch, size).double(), torch.tensor([(3 * n + 1) % CLASSES for n in range(batch)])
    fill(model, network)
    file.write("case outputs\n")
    with torch.no_grad():
        write(file, "logits", *model.eval()(inputs).flatten())
    file.write("case all trainable\n")
    if network in LINEAR_BOTTLENECKS:
        move_normalisation(file, model, network, inputs)
    step(file, model.train(), inputs, labels)
    if not any(isinstance(module, nn.BatchNorm2d) for module in model.modules()):
        return
    write_tensors(file, "statistics", [(n, t) for n, t in model.state_dict().items() if "running_" in n])
    file.write("case normalisation frozen\n")
    fill(model, network)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval().requires_grad_(False)
    step(file, model, inputs, labels)


def main():
    folder = pathlib.Path(__file__).with_suffix("")
    folder.mkdir(exist_ok=True)
    for network in sys.argv[1:] or NETWORKS:
        size, batch, make = NETWORKS[network]
        with open(folder / f"{network}.txt", "w") as file:
            run(file, make().double(), network, size, batch)


main()
