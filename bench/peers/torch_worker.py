"""PyTorch's contender: trains one workload on command. Settings, commands and answers are those of worker.c, and
    way=eager|channels-last|folded|compile    how PyTorch runs it. folded: channels-last, with the batch normalisation
                                              of the frozen part folded into its convolutions; compile: of a backbone,
                                              folded and channels-last, too, and the frozen part with its weights as
                                              constants (Inductor's freezing)
    rank=R ranks=N store=FILE commands=FILE
                                              one of N processes that meet at `store`, with DistributedDataParallel
                                              over gloo; commands are in the file FILE.R, and rank 0 answers
    tokens=FILE                               batches of text_batches.py
    transfer SEED                      the accuracy protocol  ->  one JSON object
"""

import contextlib
import gzip
import json
import os
import sys
import time

import torch
from torch import nn

import backbones
import text_networks
from torch_networks import NETWORKS, Lstm, adapt, freeze, make_optimizer, transfer_cnn

DATA = "/usr/share/datasets/fashion-mnist"


def process_bytes(field):
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/self/status has no {field}")


def forget_peak():
    """Sets the peak to what is in use now (see proc(5), clear_refs)."""
    with open("/proc/self/clear_refs", "w") as clear:
        clear.write("5")


# ---- data


def read_idx(path, header):
    with gzip.open(path) as file:
        return torch.frombuffer(bytearray(file.read()[header:]), dtype=torch.uint8)


def fashion_mnist(part, first=0, last=9, per_class=None, repeat=1):
    """Images as floats [N, 1, 28, 28] and labels, of the classes first..last renumbered from 0."""
    images = read_idx(os.path.join(DATA, f"{part}-images-idx3-ubyte.gz"), 16).view(-1, 1, 28, 28)
    labels = read_idx(os.path.join(DATA, f"{part}-labels-idx1-ubyte.gz"), 8).long()
    chosen = ((labels >= first) & (labels <= last)).nonzero().flatten()
    if per_class:
        groups = [chosen[labels[chosen] == label][:per_class] for label in range(first, last + 1)]
        chosen = torch.cat(groups).repeat(repeat)
    return images[chosen].float().div_(255), labels[chosen] - first


# ---- training


def rounding(precision):
    """Where PyTorch computes in bfloat16 by itself."""
    return torch.autocast("cpu", torch.bfloat16) if precision == "bf16" else contextlib.nullcontext()


class Trainer:
    def __init__(self, model, optimizer, way, precision="f32", frozen_precision="f32", spread=False):
        self.model, self.optimizer = model, optimizer
        split = getattr(model, "frozen", False)
        rounds_prefix = "bf16" in (precision, frozen_precision)
        self.channels_last = way in ("channels-last", "folded") or way == "compile" and isinstance(
            model, backbones.Backbone)
        if self.channels_last:
            model.to(memory_format=torch.channels_last)
        if split and isinstance(model, Lstm) and rounds_prefix:
            model.lstm.bfloat16()
        elif split and isinstance(model, backbones.Backbone) and way in ("folded", "compile"):
            backbones.fold(model.prefix)
        model.train()
        loss = nn.CrossEntropyLoss()
        live, prefix = (model.live, model.prefix) if split else (model, None)
        if spread:
            live = nn.Sequential(*(part for _, part in model.parts()[model.frozen:])) if split else model
            live = nn.parallel.DistributedDataParallel(live, broadcast_buffers=False, gradient_as_bucket_view=True)

        def tail(inputs, targets):
            with rounding(precision):
                return loss(live(inputs), targets)

        if way == "compile":
            tail = torch.compile(tail)
            prefix = torch.compile(prefix, options={"freezing": True}) if split else None

        def forward(inputs, targets):
            if split:
                with torch.no_grad(), rounding("bf16" if rounds_prefix else "f32"):
                    inputs = prefix(inputs)
                if rounds_prefix and precision != "bf16":
                    inputs = inputs.float()
            return tail(inputs, targets)

        self.forward = forward

    def arrange(self, inputs):
        return inputs.contiguous(memory_format=torch.channels_last) if self.channels_last else inputs

    def step(self, inputs, targets):
        self.optimizer.zero_grad(set_to_none=True)
        self.forward(inputs, targets).backward()
        self.optimizer.step()

    def epoch(self, images, labels, batch):
        self.model.train()
        order = torch.randperm(len(images))
        for begin in range(0, len(images), batch):
            indices = order[begin:begin + batch]
            self.step(images.index_select(0, indices), labels.index_select(0, indices))

    @torch.no_grad()
    def accuracy(self, images, labels):
        self.model.eval()
        right = 0
        for begin in range(0, len(images), 1000):
            outputs = self.model(images[begin:begin + 1000])
            right += (outputs.argmax(1) == labels[begin:begin + 1000]).sum().item()
        return right / len(images)


class Workload:
    """What the settings describe, ready to run."""

    def __init__(self, settings):
        network = settings["network"].partition(":")[0]
        model = NETWORKS[network](**dict(classes=int(settings["classes"])) if "classes" in settings else {})
        freeze(model, settings["freeze"])
        if "lora" in settings:
            adapt(model, settings["lora"], int(settings["lora_rank"]))
        optimizer = make_optimizer(settings["optimizer"], model)
        self.trainer = Trainer(model, optimizer, settings["way"], settings["precision"], settings["frozen_precision"],
                               "store" in settings)
        self.batch = int(settings["batch"])
        samples = int(settings["samples"])
        if "tokens" in settings:
            self.batches = text_networks.read_batches(settings["tokens"])
        elif samples and settings["source"] == "fashion-mnist":
            images, labels = fashion_mnist("train", int(settings["first"]), int(settings["last"]))
            assert len(images) >= samples, f"the data set has only {len(images)} samples"
            self.inputs, self.targets = self.trainer.arrange(images[:samples]), labels[:samples]
        else:
            backbone = isinstance(model, backbones.Backbone)
            side = 518 if network == "dinov2-small" else 224
            sample = (3, side, side) if backbone else (50, 64) if network == "lstm" else (1, 28, 28)
            self.inputs = self.trainer.arrange(torch.rand(samples or self.batch, *sample))
            self.targets = torch.randint(0, 5, (samples or self.batch,))
            self.batches = [(self.inputs, self.targets)]

    def steps(self, count):
        times = []
        for _ in range(count):
            begin = time.perf_counter()
            for batch in self.batches:
                self.trainer.step(*batch)
            times.append((time.perf_counter() - begin) * 1e3 / len(self.batches))
        return times

    def epoch(self):
        begin = time.perf_counter()
        self.trainer.epoch(self.inputs, self.targets, self.batch)
        return [(time.perf_counter() - begin) * 1e3]


def run_transfer(seed, way):
    """The protocol of `./run bench accuracy`: test accuracy after the last epoch of each run."""
    torch.manual_seed(seed)
    results = {}

    def train(model, data, test, epochs=3):
        trainer = Trainer(model, make_optimizer("adam:lr=1e-3", model), way)
        images = trainer.arrange(data[0])
        for _ in range(epochs):
            trainer.epoch(images, data[1], 128)
        return trainer.accuracy(trainer.arrange(test[0]), test[1])

    source = transfer_cnn(5)
    results["pre-training"] = train(source, fashion_mnist("train", 0, 4), fashion_mnist("t10k", 0, 4))
    weights = {name: value.clone() for name, value in source.state_dict().items()}
    test = fashion_mnist("t10k", 5, 9)
    for amount, data in (("", fashion_mnist("train", 5, 9)), (", 20 a class", fashion_mnist("train", 5, 9, 20, 10))):
        for way_to_transfer in ("frozen", "all"):
            model = transfer_cnn(5)
            state = model.state_dict()  # a new head, on the convolutions of the source
            state.update({name: value for name, value in weights.items() if name.startswith(("0.", "2."))})
            model.load_state_dict(state)
            if way_to_transfer == "frozen":
                freeze(model, "convolutions")
            results[way_to_transfer + amount] = train(model, data, test)
    return results


def answer(values):
    print(" ".join(f"{value:.4f}" for value in values), flush=True)


def join_ranks(settings):
    """From now on commands come from this rank's file, and only rank 0 answers."""
    rank = int(settings["rank"])
    torch.distributed.init_process_group("gloo", init_method=f"file://{settings['store']}", rank=rank,
                                         world_size=int(settings["ranks"]))
    sys.stdin = open(f"{settings['commands']}.{rank}")
    if rank > 0:
        sys.stdout = open(os.devnull, "w")


def main():
    settings = dict(network="mlp-512", optimizer="adam:lr=1e-3", freeze="nothing", threads="2", batch="128",
                    samples="0", source="fashion-mnist", first="0", last="9", precision="f32", frozen_precision="f32",
                    way="eager")
    settings.update(argument.split("=", 1) for argument in sys.argv[1:])
    torch.set_num_threads(int(settings["threads"]))
    torch.manual_seed(1)
    if "store" in settings:
        join_ranks(settings)
    forget_peak()
    start = process_bytes("VmRSS")
    workload = Workload(settings)
    print(f"ready PyTorch {torch.__version__}", flush=True)
    for line in sys.stdin:
        command, *arguments = line.split()
        if command == "step":
            answer(workload.steps(int(arguments[0])))
        elif command == "epoch":
            answer(workload.epoch())
        elif command == "memory":
            print(process_bytes("VmHWM") - start, flush=True)
        elif command == "transfer":
            print(json.dumps(run_transfer(int(arguments[0]), settings["way"])), flush=True)
        else:
            break


main()
