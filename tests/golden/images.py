"""Writes small images of every kind into tests/data/images, and into images.txt what torchvision makes of them.

usage: python images.py      (needs torch, torchvision, pillow, numpy; run in tests/golden)

Of torchvision only transforms of Pillow images are used, which need none of its compiled operators.
"""

import pathlib
import zlib

import numpy
import torch

operators = torch.library.Library("torchvision", "DEF")  # stands in for compiled operators that may be missing
for name in "nms", "qnms":
    operators.define(name + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

from PIL import Image  # noqa: E402
from torchvision.transforms import functional  # noqa: E402
from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Normalize, Resize, ToTensor  # noqa: E402

HERE = pathlib.Path(__file__).parent
IMAGES = HERE.parent / "data" / "images"
WIDTH, HEIGHT = 47, 31


def picture(width, height, channels):
    """Smooth shades with an edge and some texture, other in each channel."""
    y, x = numpy.mgrid[0:height, 0:width] / max(width, height)
    planes = []
    for c in range(channels):
        shade = 0.5 + 0.35 * numpy.sin(5 * x + 2 * c) * numpy.cos(4 * y - c) + 0.1 * numpy.sin(60 * x * y + c)
        shade = numpy.where(x + 0.7 * y > 0.8, 1 - shade, shade)
        planes.append(shade)
    return numpy.clip(numpy.stack(planes, axis=2), 0, 1)


def levels(channels, most=255, width=WIDTH, height=HEIGHT):
    return numpy.rint(picture(width, height, channels) * most)


def image(channels):
    return Image.fromarray(levels(channels).astype(numpy.uint8).squeeze())


def chunk(kind, content):
    return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")


def raw_png(path, width, height, depth, colour, rows):
    """What Pillow does not write: 16 bits a channel."""
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([depth, colour, 0, 0, 0])
    content = b"".join(b"\0" + row.tobytes() for row in rows)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(content, 9))
                     + chunk(b"IEND", b""))


# libpng writes interlaced files; Pillow does not. Adam7's passes: first column, first row, steps.
PASSES = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def interlaced_png(path, pixels):
    height, width, _ = pixels.shape
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 1])
    content = b""
    for x, y, across, down in PASSES:
        for row in pixels[y::down, x::across]:
            content += b"\0" + row.tobytes()
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(content, 9))
                     + chunk(b"IEND", b""))


def write_png():
    image(3).save(IMAGES / "rgb.png", optimize=True)
    image(1).save(IMAGES / "grey.png", optimize=True)
    image(4).save(IMAGES / "alpha.png", optimize=True)
    Image.fromarray(levels(2).astype(numpy.uint8), "LA").save(IMAGES / "grey_alpha.png", optimize=True)
    palette = image(3).quantize(12)
    palette.save(IMAGES / "palette.png", optimize=True)
    palette.save(IMAGES / "palette_alpha.png", transparency=3, optimize=True)
    image(1).convert("1").save(IMAGES / "bits.png", optimize=True)
    raw_png(IMAGES / "rgb16.png", WIDTH, HEIGHT, 16, 2, levels(3, 65535).astype(">u2"))
    raw_png(IMAGES / "grey16.png", WIDTH, HEIGHT, 16, 0, levels(1, 65535).astype(">u2"))
    interlaced_png(IMAGES / "interlaced.png", levels(3).astype(numpy.uint8))
    Image.new("RGB", (1, 1), (200, 100, 50)).save(IMAGES / "pixel.png")
    Image.fromarray(levels(3, width=90, height=3).astype(numpy.uint8)).save(IMAGES / "wide.png", optimize=True)
    Image.fromarray(levels(3, width=2, height=70).astype(numpy.uint8)).save(IMAGES / "high.png", optimize=True)


def write_jpeg():
    options = {"quality": 92, "optimize": True}
    image(3).save(IMAGES / "rgb.jpg", **options)
    image(3).save(IMAGES / "progressive.jpg", progressive=True, **options)
    image(1).save(IMAGES / "grey.jpg", **options)
    Image.fromarray(levels(4).astype(numpy.uint8), "CMYK").save(IMAGES / "cmyk.jpg", **options)
    cmyk = (IMAGES / "cmyk.jpg").read_bytes()
    mark = cmyk.index(b"Adobe") + 11  # the marker's last byte tells the colours' transform: 2 is YCCK
    (IMAGES / "ycck.jpg").write_bytes(cmyk[:mark] + b"\2" + cmyk[mark + 1:])
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: to be rotated by a quarter turn
    image(3).save(IMAGES / "rotated.jpg", exif=exif, **options)
    large = Image.fromarray(levels(3, width=160, height=120).astype(numpy.uint8))
    large.save(IMAGES / "large.jpg", quality=85, optimize=True)


def load(path):
    if path.name == "grey16.png":  # which Pillow's convert clips at 255
        return Image.fromarray((numpy.array(Image.open(path)) >> 8).astype(numpy.uint8)).convert("RGB")
    return Image.open(path).convert("RGB")


def line(file, name, values):
    print(name, *(f"{value:.9g}" for value in values), file=file)


def write_evaluation(file):
    size, resize = 8, 10
    transform = Compose([Resize(resize), CenterCrop(size), ToTensor(),
                         Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])
    for path in sorted(IMAGES.iterdir()):
        print("case", path.name, file=file)
        line(file, "sample", transform(load(path)).permute(1, 2, 0).flatten().tolist())


def write_luminance(file):
    transform = Compose([Resize(8), CenterCrop(8), ToTensor()])
    print("case luminance", file=file)
    line(file, "sample", transform(load(IMAGES / "grey.png").convert("L")).flatten().tolist())


CROPS = [(0, 0, 47, 31, 8, 0), (5, 3, 20, 25, 8, 0), (5, 3, 20, 25, 8, 1), (40, 10, 7, 5, 9, 1), (11, 0, 1, 31, 8, 0),
         (3, 30, 30, 1, 5, 1)]


def write_crops(file):
    """left, top, width, height, size, flipped of rgb.png."""
    source = load(IMAGES / "rgb.png")
    for left, top, width, height, size, flipped in CROPS:
        made = functional.resized_crop(source, top, left, height, width, [size, size], InterpolationMode.BILINEAR)
        made = functional.hflip(made) if flipped else made
        print("case crop", left, top, width, height, size, flipped, file=file)
        line(file, "bytes", numpy.asarray(made).flatten().tolist())


SIZES = [(47, 31, 10, 8), (31, 47, 10, 8), (500, 375, 256, 224), (375, 501, 256, 224), (224, 224, 224, 224),
         (1, 1, 256, 224), (1, 300, 37, 32), (333, 334, 257, 224), (640, 427, 256, 224), (427, 640, 255, 224)]


def write_frames(file):
    """Where the evaluation transform cuts: what Resize makes of a size, and CenterCrop's first column and row."""
    for width, height, resize, size in SIZES:
        tall, wide = functional._compute_resized_output_size([height, width], [resize])
        top, left = int(round((tall - size) / 2.0)), int(round((wide - size) / 2.0))
        print("case frame", width, height, resize, size, file=file)
        line(file, "frame", [wide, tall, left, top])


def main():
    IMAGES.mkdir(exist_ok=True)
    write_png()
    write_jpeg()
    with open(HERE / "images.txt", "w") as file:
        write_evaluation(file)
        write_luminance(file)
        write_crops(file)
        write_frames(file)


if __name__ == "__main__":
    main()
