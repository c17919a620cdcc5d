"""Backbones beside torchvision's and timm's, in double precision: writes backbones/NAME.txt beside this file. Run with
PyTorch 2.13, torchvision 0.28 and timm 1.0; tests/models/parity_test.c reads what it writes.

Weights of that size are not kept: both worlds make them from their names. With hash(name, i) of 32 bits, which
tests/support/formula.c has as well, u(name, i) = hash(name, i) / 2^31 - 1 is uniform in [-1, 1), and element i of a
tensor, counted in PyTorch's order, is
    u * sqrt(6 / fan_in)    in weights of convolutions and dense layers
    (1 + u / 4) / 2         in scales of batch normalisation; half of it where a residual branch ends
    2.5 + u / 2             in its shifts where |u| < 3/4, else -2 or 8; 1/2 where a residual branch ends
    u / 8                   in running means and other biases
    1 + u / 2               in running variances
    u                       in the images, which are called "input"
rounded to single precision. The label of sample n is (3 n + 1) mod 10. A gradient is kept as its norm and its product
with u of the name "probe", a statistic likewise.

The shifts let activations be live, dead or (ReLU6) clipped a channel at a time. Where elements are near a kink, rounding
decides on which side they fall, and the gradients of such deep networks differ by 1e-2 between PyTorch's own single and
double precision.
"""

import pathlib

import numpy
import torch
from torch import nn

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
}
BRANCH_ENDS = {
    "resnet18": (".bn2", ".downsample.1"), "resnet34": (".bn2", ".downsample.1"), "resnet50": (".bn3", ".downsample.1"),
}


def uniform(name, count):
    """FNV-1a of the name, added to multiples of the golden ratio, mixed by Wellons' lowbias32."""
    key = numpy.uint32(2166136261)
    with numpy.errstate(over="ignore"):
        for byte in name.encode():
            key = (key ^ numpy.uint32(byte)) * numpy.uint32(16777619)
        x = numpy.arange(count, dtype=numpy.uint32) * numpy.uint32(0x9E3779B9) + key
        x = (x ^ (x >> numpy.uint32(16))) * numpy.uint32(0x7FEB352D)
        x = (x ^ (x >> numpy.uint32(15))) * numpy.uint32(0x846CA68B)
        x ^= x >> numpy.uint32(16)
    return x * 2.0**-31 - 1


def values(name, tensor, normalises, ends):
    u = uniform(name, tensor.numel())
    if tensor.dim() > 1:
        u *= numpy.sqrt(6 / tensor[0].numel())
    elif name.endswith(".weight"):
        u = (1 + u / 4) * (0.25 if ends else 0.5)
    elif name.endswith(".running_var"):
        u = 1 + u / 2
    elif name.endswith(".bias") and ends:
        u[:] = 0.5
    elif name.endswith(".bias") and normalises:
        u = numpy.where(u < -0.75, -2, numpy.where(u < 0.75, 2.5 + u / 2, 8))
    else:
        u /= 8
    return torch.from_numpy(u.astype(numpy.float32).astype(numpy.float64)).view(tensor.shape)


def fill(model, network):
    state = model.state_dict()
    for name, tensor in state.items():
        layer = name.rpartition(".")[0]
        if not name.endswith("num_batches_tracked"):
            tensor.copy_(values(name, tensor, layer + ".running_mean" in state,
                                layer.endswith(BRANCH_ENDS.get(network, "?"))))


def write(file, name, *numbers):
    file.write(" ".join([name, *(f"{float(number):.9g}" for number in numbers)]) + "\n")


def write_tensors(file, name, tensors):
    write(file, name, len(tensors))
    for name, tensor in tensors:
        flat = tensor.flatten().numpy()
        write(file, name, numpy.linalg.norm(flat), flat @ uniform("probe", len(flat)))


def step(file, model, images, labels):
    model.zero_grad()
    loss = nn.functional.cross_entropy(model(images), labels)
    loss.backward()
    write(file, "loss", loss.item())
    write_tensors(file, "gradients", [(n, p.grad) for n, p in model.named_parameters() if p.requires_grad])


def run(file, model, network, size, batch):
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    images = torch.from_numpy(uniform("input", batch * 3 * size * size).astype(numpy.float32).astype(numpy.float64))
    images, labels = images.view(batch, 3, size, size), torch.tensor([(3 * n + 1) % CLASSES for n in range(batch)])
    fill(model, network)
    file.write("case outputs\n")
    with torch.no_grad():
        write(file, "logits", *model.eval()(images).flatten())
    file.write("case all trainable\n")
    step(file, model.train(), images, labels)
    write_tensors(file, "statistics", [(n, t) for n, t in model.state_dict().items() if "running_" in n])
    file.write("case normalisation frozen\n")
    fill(model, network)
    for module in norms:
        module.eval().requires_grad_(False)
    step(file, model, images, labels)


def main():
    folder = pathlib.Path(__file__).with_suffix("")
    folder.mkdir(exist_ok=True)
    for network, (size, batch, make) in NETWORKS.items():
        with open(folder / f"{network}.txt", "w") as file:
            run(file, make().double(), network, size, batch)


main()
