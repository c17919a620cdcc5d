"""What newcomer.sh needs, in a folder: newcomer.py FOLDER

photos/CLASS/N.png and photo.png from Fashion-MNIST; iris.csv and digits as x.npy, y.npy and digits.npz, from
scikit-learn where it is there, and else made up; new.csv, which is iris.csv without its species; houses.csv with
missing values; kinds.csv, labels.csv and prices.csv, which list the photos; broken.safetensors."""
import gzip
import pathlib
import random
import struct
import sys
import zipfile
import zlib

FASHION = pathlib.Path("/usr/share/datasets/fashion-mnist")
CLASSES = ("t-shirt", "trouser", "pullover", "dress", "coat")
PHOTOS = 24


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(pixels, side):
    rows = b"".join(b"\0" + pixels[y * side:(y + 1) * side] for y in range(side))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def photos(folder):
    images = gzip.open(FASHION / "train-images-idx3-ubyte.gz").read()[16:]
    labels = gzip.open(FASHION / "train-labels-idx1-ubyte.gz").read()[8:]
    counts = [0] * len(CLASSES)
    for i, label in enumerate(labels):
        if label >= len(CLASSES) or counts[label] == PHOTOS:
            continue
        counts[label] += 1
        path = folder / "photos" / CLASSES[label] / f"{counts[label]}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(images[784 * i:784 * (i + 1)], 28))
    (folder / "photo.png").write_bytes((folder / "photos" / "coat" / "1.png").read_bytes())


def listed(folder):
    """The same photos in tables: their kind, two labels, and a number."""
    kinds, labels, prices = ["file,kind"], ["file,has sleeves,is long"], ["file,price"]
    for number, kind in enumerate(CLASSES):
        for i in range(1, PHOTOS + 1):
            name = f"{kind}/{i}.png"
            kinds.append(f"{name},{kind}")
            labels.append(f"{name},{int(kind != 'trouser')},{int(kind in ('trouser', 'dress', 'coat'))}")
            prices.append(f"{name},{100000 + 25000.5 * number}")
    for name, lines in (("kinds", kinds), ("labels", labels), ("prices", prices)):
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")


def npy(kind, shape, data):
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': ({', '.join(map(str, shape))},), }}"
    header += " " * (63 - (10 + len(header)) % 64) + "\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header.encode() + data


def tables():
    """Rows of iris, its species, and rows of digits with their labels."""
    try:
        from sklearn.datasets import load_digits, load_iris
    except ImportError:
        draw = random.Random(1)
        kinds = ("setosa", "versicolor", "virginica")
        iris = [([draw.gauss(5 + 2 * k, 0.5) for _ in range(4)], kinds[k]) for k in range(3) for _ in range(50)]
        digits = [([draw.gauss(8 * (k == i % 10), 1) for i in range(64)], k) for k in range(10) for _ in range(30)]
        return iris, digits
    iris, digits = load_iris(), load_digits()
    return ([(list(map(float, row)), iris.target_names[label]) for row, label in zip(iris.data, iris.target)],
            [(list(map(float, row)), int(label)) for row, label in zip(digits.data, digits.target)])


def houses(folder):
    draw = random.Random(2)
    lines = ["area,rooms,town,price"]
    for i in range(300):
        area, town = draw.uniform(30, 200), draw.choice("ABC")
        rooms = "" if i % 17 == 0 else int(area // 30) + 1
        lines.append(f"{area:.1f},{rooms},{town},{1000 * area + 50000 * 'ABC'.index(town) + draw.gauss(0, 3000):.0f}")
    (folder / "houses.csv").write_text("\n".join(lines) + "\n")


def main():
    folder = pathlib.Path(sys.argv[1])
    photos(folder)
    listed(folder)
    houses(folder)
    iris, digits = tables()
    lines = ["sepal length,sepal width,petal length,petal width,species"]
    lines += [",".join(f"{value:.2f}" for value in row) + f",{kind}" for row, kind in iris]
    (folder / "iris.csv").write_text("\n".join(lines) + "\n")
    (folder / "new.csv").write_text("\n".join(line.rsplit(",", 1)[0] for line in lines) + "\n")
    values = [value for row, _ in digits for value in row]
    x = npy("<f8", (len(digits), 64), struct.pack(f"<{len(values)}d", *values))
    y = npy("<i8", (len(digits),), struct.pack(f"<{len(digits)}q", *(label for _, label in digits)))
    (folder / "x.npy").write_bytes(x)
    (folder / "y.npy").write_bytes(y)
    with zipfile.ZipFile(folder / "digits.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", x)
        archive.writestr("y.npy", y)
    (folder / "broken.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{\"a\":1")


main()
