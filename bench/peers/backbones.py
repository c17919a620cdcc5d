"""Backbones in plain torch.nn, with torchvision's and timm's names, for machines that have neither library. A backbone is
a chain of parts, of which the first may be frozen; those run in inference mode, without a graph."""

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


class Backbone(nn.Module):
    frozen = 0  # so many parts, which `prefix` runs

    def parts(self):
        """Names and modules, in order."""
        raise NotImplementedError

    def freeze(self, first):
        """Freezes all parts before the one of that name."""
        parts = self.parts()
        self.frozen = [name for name, _ in parts].index(first)
        for _, part in parts[:self.frozen]:
            part.requires_grad_(False)
        self.prefix = nn.Sequential(*(part for _, part in parts[:self.frozen]))
        self.train()

    def train(self, mode=True):
        super().train(mode)
        for _, part in self.parts()[:self.frozen]:
            part.eval()
        return self

    def live(self, x):
        for _, part in self.parts()[self.frozen:]:
            x = part(x)
        return x

    def forward(self, x):
        if self.frozen:
            with torch.no_grad():
                x = self.prefix(x)
        return self.live(x)


def fold(module):
    """Folds each batch normalisation into the convolution before it, for good."""
    before = None
    for name, child in list(module.named_children()):
        if isinstance(child, nn.BatchNorm2d) and before:
            setattr(module, before[0], fuse_conv_bn_eval(before[1], child))
            setattr(module, name, nn.Identity())
        else:
            fold(child)
        before = (name, child) if isinstance(child, nn.Conv2d) else None


def head(*layers):
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), *layers)


# ---- ResNet


class Residual(nn.Module):
    def __init__(self, channels, width, stride, bottleneck):
        super().__init__()
        filters = 4 * width if bottleneck else width
        shapes = [(width, 1, 1), (width, 3, stride), (filters, 1, 1)] if bottleneck else [(width, 3, stride),
                                                                                          (width, 3, 1)]
        self.count, inputs = len(shapes), channels
        for number, (outputs, kernel, step) in enumerate(shapes, 1):
            setattr(self, f"conv{number}", nn.Conv2d(inputs, outputs, kernel, step, kernel // 2, bias=False))
            setattr(self, f"bn{number}", nn.BatchNorm2d(outputs))
            inputs = outputs
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if stride != 1 or channels != filters:
            self.downsample = nn.Sequential(nn.Conv2d(channels, filters, 1, stride, bias=False),
                                            nn.BatchNorm2d(filters))

    def forward(self, x):
        y = x
        for number in range(1, self.count + 1):
            y = getattr(self, f"bn{number}")(getattr(self, f"conv{number}")(y))
            if number < self.count:
                y = self.relu(y)
        y += self.downsample(x) if self.downsample else x
        return self.relu(y)


class ResNet(Backbone):
    def __init__(self, blocks, bottleneck=False, classes=1000):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64)
        self.relu, self.maxpool = nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)
        channels = 64
        for stage, count in enumerate(blocks):
            width, stack = 64 << stage, []
            for block in range(count):
                stack.append(Residual(channels, width, 2 if stage and not block else 1, bottleneck))
                channels = 4 * width if bottleneck else width
            setattr(self, f"layer{stage + 1}", nn.Sequential(*stack))
        self.fc = nn.Linear(channels, classes)

    def parts(self):
        return [("conv1", self.conv1), ("bn1", self.bn1), ("relu", self.relu), ("maxpool", self.maxpool),
                *((f"layer{n}", getattr(self, f"layer{n}")) for n in (1, 2, 3, 4)), ("fc", head(self.fc))]


# ---- VGG


class Vgg16(Backbone):
    def __init__(self, normalised, dropout=0.5, classes=1000):
        super().__init__()
        layers, channels = [], 3
        for filters in (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0):
            if not filters:
                layers.append(nn.MaxPool2d(2))
                continue
            layers.append(nn.Conv2d(channels, filters, 3, padding=1))
            layers += [nn.BatchNorm2d(filters)] * normalised + [nn.ReLU(inplace=True)]
            channels = filters
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096), nn.ReLU(inplace=True), nn.Dropout(dropout), nn.Linear(4096, 4096),
            nn.ReLU(inplace=True), nn.Dropout(dropout), nn.Linear(4096, classes))

    def parts(self):
        return [("features", self.features),
                ("classifier", nn.Sequential(nn.AdaptiveAvgPool2d(7), nn.Flatten(), self.classifier))]


# ---- inverted residuals


def unit(channels, filters, kernel, stride=1, groups=1):
    return [nn.Conv2d(channels, filters, kernel, stride, kernel // 2, groups=groups, bias=False),
            nn.BatchNorm2d(filters), nn.ReLU6(inplace=True)]


class MobileBlock(nn.Module):
    """torchvision nests a convolution with its normalisation and its activation; the projection has none."""

    def __init__(self, channels, expansion, filters, stride):
        super().__init__()
        width = channels * expansion
        layers = [nn.Sequential(*unit(channels, width, 1))] if expansion > 1 else []
        layers += [nn.Sequential(*unit(width, width, 3, stride, width)), *unit(width, filters, 1)[:2]]
        self.conv, self.adds = nn.Sequential(*layers), stride == 1 and channels == filters

    def forward(self, x):
        return x + self.conv(x) if self.adds else self.conv(x)


class MobileNetV2(Backbone):
    STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))

    def __init__(self, dropout=0.2, classes=1000):
        super().__init__()
        layers, channels = [nn.Sequential(*unit(3, 32, 3, 2))], 32
        for expansion, filters, count, stride in self.STAGES:
            for block in range(count):
                layers.append(MobileBlock(channels, expansion, filters, 1 if block else stride))
                channels = filters
        self.features = nn.Sequential(*layers, nn.Sequential(*unit(channels, 1280, 1)))
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(1280, classes))

    def parts(self):
        return [("features", self.features), ("classifier", head(self.classifier))]


class LiteBlock(nn.Module):
    def __init__(self, channels, kernel, expansion, filters, stride):
        super().__init__()
        width = channels * expansion
        self.expands, self.adds = expansion > 1, stride == 1 and channels == filters
        if self.expands:
            self.conv_pw, self.bn1, _ = unit(channels, width, 1)
            self.conv_dw, self.bn2, _ = unit(width, width, kernel, stride, width)
            self.conv_pwl, self.bn3, _ = unit(width, filters, 1)
        else:
            self.conv_dw, self.bn1, _ = unit(width, width, kernel, stride, width)
            self.conv_pw, self.bn2, _ = unit(width, filters, 1)
        self.act = nn.ReLU6(inplace=True)

    def forward(self, x):
        if self.expands:
            y = self.act(self.bn1(self.conv_pw(x)))
            y = self.act(self.bn2(self.conv_dw(y)))
            y = self.bn3(self.conv_pwl(y))
        else:
            y = self.bn2(self.conv_pw(self.act(self.bn1(self.conv_dw(x)))))
        return x + y if self.adds else y


class EfficientNetLite0(Backbone):
    STAGES = ((3, 1, 16, 1, 1), (3, 6, 24, 2, 2), (5, 6, 40, 2, 2), (3, 6, 80, 3, 2), (5, 6, 112, 3, 1),
              (5, 6, 192, 4, 2), (3, 6, 320, 1, 1))

    def __init__(self, classes=1000):
        super().__init__()
        self.conv_stem, self.bn1, self.act = unit(3, 32, 3, 2)
        stages, channels = [], 32
        for kernel, expansion, filters, count, stride in self.STAGES:
            stack = []
            for block in range(count):
                stack.append(LiteBlock(channels, kernel, expansion, filters, 1 if block else stride))
                channels = filters
            stages.append(nn.Sequential(*stack))
        self.blocks = nn.Sequential(*stages)
        self.conv_head, self.bn2, _ = unit(channels, 1280, 1)
        self.classifier = nn.Linear(1280, classes)

    def parts(self):
        return [("conv_stem", self.conv_stem), ("bn1", self.bn1), ("act", self.act), ("blocks", self.blocks),
                ("conv_head", self.conv_head), ("bn2", self.bn2), ("act2", self.act),
                ("classifier", head(self.classifier))]


NETWORKS = {
    "resnet18": lambda **options: ResNet((2, 2, 2, 2), **options),
    "resnet34": lambda **options: ResNet((3, 4, 6, 3), **options),
    "resnet50": lambda **options: ResNet((3, 4, 6, 3), bottleneck=True, **options),
    "vgg16": lambda **options: Vgg16(False, **options),
    "vgg16-bn": lambda **options: Vgg16(True, **options),
    "mobilenet-v2": MobileNetV2,
    "efficientnet-lite0": EfficientNetLite0,
}
