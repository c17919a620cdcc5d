"""Writes into pixels.txt what torchvision's transforms of Pillow images make of a picture, at given parameters.

usage: python pixels.py      (needs torch, torchvision, pillow, numpy; run in tests/golden)
"""

import pathlib

import numpy
import torch

operators = torch.library.Library("torchvision", "DEF")  # stands in for compiled operators that may be missing
for name in "nms", "qnms":
    operators.define(name + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

from PIL import Image  # noqa: E402
from torchvision.transforms import InterpolationMode  # noqa: E402
from torchvision.transforms import autoaugment  # noqa: E402
from torchvision.transforms import functional  # noqa: E402

HERE = pathlib.Path(__file__).parent
SIZE = 9  # and a larger picture for what needs many pixels
LARGER = 19


def picture(size):
    """Shades, an edge, all kinds of hues, and some flat grey."""
    random = numpy.random.RandomState(5)
    y, x = numpy.mgrid[0:size, 0:size] / size
    planes = [0.5 + 0.45 * numpy.sin(7 * x + 2 * c) * numpy.cos(5 * y - c) for c in range(3)]
    levels = numpy.rint(255 * numpy.stack(planes, axis=2)).astype(int)
    levels[size // 2:] += random.randint(-60, 60, levels[size // 2:].shape)
    levels[0, :4] = [[0, 0, 0], [255, 255, 255], [90, 90, 90], [255, 0, 0]]
    return numpy.clip(levels, 20, 240 if size == SIZE else 255).astype(numpy.uint8)


def line(file, name, values):
    print(name, *values, file=file)


CASES = (
    [("brightness", v, functional.adjust_brightness) for v in (0.0, 0.3, 0.73, 1.0, 1.27, 1.9)]
    + [("contrast", v, functional.adjust_contrast) for v in (0.0, 0.41, 1.0, 1.27, 1.9)]
    + [("saturation", v, functional.adjust_saturation) for v in (0.0, 0.36, 1.0, 1.27, 1.9)]
    + [("sharpness", v, functional.adjust_sharpness) for v in (0.0, 0.1, 0.73, 1.0, 1.27, 1.9)]
    + [("hue", v, functional.adjust_hue) for v in (-0.5, -0.1, -0.001, 0.0, 0.05, 0.33, 0.5)]
    + [("posterize", v, functional.posterize) for v in (1, 4, 7, 8)]
    + [("solarize", v, functional.solarize) for v in (0.0, 178.5, 255.0)]
    + [("stretch", 0, lambda image, _: functional.autocontrast(image))]
    + [("equalize", 0, lambda image, _: functional.equalize(image))]
    + [("rotate", v, functional.rotate) for v in (0.0, 9.0, -9.0, 15.25, 45.0, 90.0, 135.5, 180.0, -90.0, 400.0)]
)

TONES = ("stretch", "equalize", "solarize")

OPERATIONS = ["Identity", "ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "Brightness", "Color", "Contrast",
              "Sharpness", "Posterize", "Solarize", "AutoContrast", "Equalize"]


def write_operations(file, image, magnitudes_of):
    """RandAugment's operations at a magnitude, with either sign."""
    for magnitude in magnitudes_of:
        space = autoaugment.RandAugment()._augmentation_space(31, (image.height, image.width))
        assert list(space) == OPERATIONS
        for name, (magnitudes, signed) in space.items():
            value = float(magnitudes[magnitude].item()) if magnitudes.ndim > 0 else 0.0
            for negative in (0, 1) if signed else (0,):
                made = autoaugment._apply_op(image, name, -value if negative else value, InterpolationMode.NEAREST, None)
                print("case operation", OPERATIONS.index(name), magnitude, negative, file=file)
                line(file, "bytes", numpy.asarray(made).flatten().tolist())


def main():
    with open(HERE / "pixels.txt", "w") as file:
        for size in SIZE, LARGER:
            image = Image.fromarray(picture(size))
            print("case picture", size, file=file)
            line(file, "bytes", numpy.asarray(image).flatten().tolist())
            for name, value, function in CASES if size == SIZE else [case for case in CASES if case[0] in TONES]:
                print("case", name, value, file=file)
                line(file, "bytes", numpy.asarray(function(image, value)).flatten().tolist())
            write_operations(file, image, (0, 9, 17, 30) if size == SIZE else (9,))


if __name__ == "__main__":
    main()
