"""Folders as transformers and timm save them, in Thaw and back: probabilities of random images and of texts
with random weights.

usage: hub_parity.py THAW

THAW is the command. Networks are small; needs torch, transformers and timm. For each folder, `thaw predict` must print the
package's probabilities. Then Thaw trains a step, and the package with Thaw's file must compute what Thaw predicts."""

import json
import os
import struct
import subprocess
import sys
import tempfile
import zlib

import torch

# torchvision's compiled operators, which no network here needs, may be missing; its Python wants to know them.
library = torch.library.Library("torchvision", "FRAGMENT")
for operator in ("nms", "qnms"):
    if not hasattr(torch.ops.torchvision, operator):
        library.define(operator + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

TOLERANCE = 1e-4
CLASSES = 3


def write_png(path, image):
    """An image of bytes [height, width, 3]."""
    height, width, _ = image.shape
    rows = b"".join(b"\0" + bytes(row.flatten().tolist()) for row in image)

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)))
        file.write(chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def make_images(folder, size):
    """A folder of each class with two images; returns the images by path."""
    images = {}
    for label in range(CLASSES):
        os.makedirs(f"{folder}/LABEL_{label}")
        for number in range(2):
            path = f"{folder}/LABEL_{label}/{number}.png"
            images[path] = torch.randint(0, 256, (size, size, 3), dtype=torch.uint8)
            write_png(path, images[path])
    return images


def shake(model):
    """Values that make every tensor count: initial ones are zeros and ones here and there."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, parameter in model.state_dict().items():
            if parameter.is_floating_point() and not name.endswith("running_var"):
                parameter.add_(0.05 * torch.randn(parameter.shape, generator=generator))


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(" ".join(command) + "\n" + done.stderr)
    return done.stdout


def predict(thaw, options, images):
    """Probabilities by path."""
    lines = run(thaw, "predict", *options, "--json", "--top", str(CLASSES), "--threads", "2", *images).splitlines()
    found = {}
    for line in map(json.loads, lines):
        if line["event"] == "prediction":
            found[line["path"]] = {entry["class"]: entry["probability"] for entry in line["classes"]}
    return found


def expect(logits, images, levels):
    """The package's probabilities."""
    mean, deviation = (torch.tensor(level) for level in levels)
    batch = torch.stack([(image / 255 - mean) / deviation for image in images.values()]).permute(0, 3, 1, 2)
    with torch.no_grad():
        return dict(zip(images, logits(batch).softmax(-1)))


def difference(found, expected):
    return max(
        abs(found[path][index] - float(value))
        for path, values in expected.items()
        for index, value in enumerate(values)
    )


def check(thaw, name, package, size, levels):
    """`package` makes the model, saves it, and says what its logits are."""
    with tempfile.TemporaryDirectory() as folder:
        network, photos, saved = f"{folder}/network", f"{folder}/photos", f"{folder}/saved"
        images = make_images(photos, size)
        model = package.make()
        shake(model)
        model.eval()
        package.save(model, network)
        before = difference(index(predict(thaw, ["--model", network], images)), expect(package.logits(model), images, levels))
        run(thaw, "finetune", "--model", network, "--data", f"folder:{photos}", "--batch", "6", "--epochs", "2",
            "--optimizer", "sgd:lr=0.01", "--save", f"{saved}.safetensors")
        os.rename(f"{network}/model.safetensors", f"{network}/old")
        os.link(f"{saved}.safetensors", f"{network}/model.safetensors")
        again = package.load(network)
        again.eval()
        after = difference(index(predict(thaw, ["--load", f"{saved}.safetensors"], images)),
                           expect(package.logits(again), images, levels))
        moved = difference(index(predict(thaw, ["--load", f"{saved}.safetensors"], images)),
                           expect(package.logits(model), images, levels))
        print(f"{name:32} loaded {before:.1e}  saved {after:.1e}  (trained by {moved:.1e})", flush=True)
        return before <= TOLERANCE and after <= TOLERANCE


def index(predictions):
    """Classes by number: a head's own classes have none but LABEL_0."""
    return {
        path: {int(str(name).rsplit("_", 1)[-1]): value for name, value in classes.items()}
        for path, classes in predictions.items()
    }


class Transformers:
    def __init__(self, config, kind, levels, **options):
        self.config, self.kind, self.levels, self.options = config, kind, levels, options

    def make(self):
        return self.kind(self.config(num_labels=CLASSES, **self.options))

    def save(self, model, folder):
        model.save_pretrained(folder)
        size = self.options["image_size"]
        with open(f"{folder}/preprocessor_config.json", "w", encoding="utf-8") as file:
            json.dump({"size": {"height": size, "width": size}, "image_mean": self.levels[0],
                       "image_std": self.levels[1]}, file)

    def load(self, folder):
        model, report = self.kind.from_pretrained(folder, output_loading_info=True)
        missing = [name for name in report["missing_keys"] if not name.endswith("mask_token")]
        if missing or report["unexpected_keys"]:
            sys.exit(f"{folder}: {report}")
        return model

    def logits(self, model):
        return lambda images: model(pixel_values=images).logits


class Timm:
    def __init__(self, name, size):
        self.name, self.size = name, size

    def create(self):
        import timm

        sizes = {"img_size": self.size} if self.name.startswith(("vit", "deit")) else {}
        return timm.create_model(self.name, num_classes=CLASSES, **sizes)

    def make(self):
        return self.create()

    def save(self, model, folder):
        import timm

        timm.models.save_for_hf(model, folder, safe_serialization=True)
        path = f"{folder}/config.json"
        with open(path, encoding="utf-8") as file:
            config = json.load(file)
        config["pretrained_cfg"].update(input_size=[3, self.size, self.size], crop_pct=1.0, mean=LEVELS[0], std=LEVELS[1])
        with open(path, "w", encoding="utf-8") as file:
            json.dump(config, file)

    def load(self, folder):
        from safetensors.torch import load_file

        model = self.create()
        report = model.load_state_dict(load_file(f"{folder}/model.safetensors"), strict=False)
        if report.unexpected_keys or [name for name in report.missing_keys if "num_batches_tracked" not in name]:
            sys.exit(f"{folder}: {report}")
        return model

    def logits(self, model):
        return model


# ---- texts

WORDS = [f"{first}{second}" for first in "bdfgklmnprst" for second in ("a", "e", "i", "o", "u")]


class Texts:
    """A network of texts with a tokenizer of whole words."""

    def __init__(self, config, kind, **options):
        self.config, self.kind, self.options = config, kind, options

    def make(self):
        return self.kind(self.config(num_labels=CLASSES, vocab_size=5 + len(WORDS), **self.options))

    def save(self, model, folder):
        model.save_pretrained(folder)
        with open(f"{folder}/vocab.txt", "w", encoding="utf-8") as file:
            file.write("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]) + "\n")

    def load(self, folder):
        model, report = self.kind.from_pretrained(folder, output_loading_info=True)
        if report["missing_keys"] or report["unexpected_keys"]:
            sys.exit(f"{folder}: {report}")
        return model.eval()


def make_texts():
    generator = torch.Generator().manual_seed(2)
    lengths = torch.randint(1, 12, (10,), generator=generator).tolist()
    return [" ".join(WORDS[i] for i in torch.randint(0, len(WORDS), (length,), generator=generator))
            for length in lengths]


def expect_texts(model, texts):
    with torch.no_grad():
        return {text: model(input_ids=torch.tensor([[2, *(5 + WORDS.index(word) for word in text.split()), 3]]))
                .logits.softmax(-1)[0] for text in texts}


def predict_texts(thaw, saved, texts):
    options = [part for text in texts for part in ("--text", text)]
    lines = map(json.loads, run(thaw, "predict", "--load", saved, "--json", "--top", str(CLASSES), "--threads", "2",
                                *options).splitlines())
    return index({line["text"]: {entry.get("name", entry["class"]): entry["probability"] for entry in line["classes"]}
                  for line in lines if line["event"] == "prediction"})


def check_texts(thaw, name, package):
    with tempfile.TemporaryDirectory() as folder:
        network, texts = f"{folder}/network", make_texts()
        model = package.make()
        shake(model)
        package.save(model.eval(), network)
        with open(f"{folder}/data.tsv", "w", encoding="utf-8") as file:
            file.writelines(f"LABEL_{number % CLASSES}\t{text}\n" for number, text in enumerate(texts))
        differences = []
        for rate, saved in ((0, "same.safetensors"), (0.1, "trained.safetensors")):
            run(thaw, "finetune", "--model", network, "--data", f"text:{folder}/data.tsv;label=1;text=2;length=16",
                "--batch", "5", "--epochs", "2", "--optimizer", f"sgd:lr={rate}", "--save", f"{folder}/{saved}")
            found = predict_texts(thaw, f"{folder}/{saved}", texts)
            if rate:
                os.replace(f"{folder}/{saved}", f"{network}/model.safetensors")
                differences.append(difference(found, expect_texts(package.load(network), texts)))
            differences.append(difference(found, expect_texts(model, texts)))
        before, after, moved = differences
        print(f"{name:32} loaded {before:.1e}  saved {after:.1e}  (trained by {moved:.1e})", flush=True)
        return before <= TOLERANCE and after <= TOLERANCE


LEVELS = ([0.5, 0.4, 0.3], [0.25, 0.5, 0.5])


def main():
    from transformers import (BertConfig, BertForSequenceClassification, Dinov2Config, Dinov2ForImageClassification,
                              DistilBertConfig, DistilBertForSequenceClassification, ViTConfig,
                              ViTForImageClassification)

    thaw = sys.argv[1]
    tiny = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4}
    networks = [
        ("vit", Transformers(ViTConfig, ViTForImageClassification, LEVELS, intermediate_size=48, image_size=32,
                             patch_size=8, **tiny), 32),
        ("dinov2", Transformers(Dinov2Config, Dinov2ForImageClassification, LEVELS, mlp_ratio=2, image_size=42,
                                patch_size=14, **tiny), 42),
    ]
    timms = [("vit_tiny_patch16_224", 64), ("vit_small_patch32_224", 64), ("deit_small_patch16_224", 64),
             ("vit_small_patch14_dinov2", 56), ("convnext_tiny", 64), ("resnet18", 64), ("resnet50", 64),
             ("efficientnet_lite0", 64), ("mobilenetv2_100", 64)]
    networks += [(name, Timm(name, size), size) for name, size in timms]
    texts = [
        ("bert", Texts(BertConfig, BertForSequenceClassification, intermediate_size=48, max_position_embeddings=20,
                       **tiny)),
        ("distilbert", Texts(DistilBertConfig, DistilBertForSequenceClassification, dim=32, n_layers=3, n_heads=4,
                             hidden_dim=48, max_position_embeddings=20)),
    ]
    wanted = sys.argv[2:]
    good = [check(thaw, name, package, size, LEVELS) for name, package, size in networks if not wanted or name in wanted]
    good += [check_texts(thaw, name, package) for name, package in texts if not wanted or name in wanted]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
