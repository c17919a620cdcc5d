#!/usr/bin/env python3
"""Thaw beside PyTorch, in one run, taking turns.

speed:     milliseconds a step or an epoch, and peak memory; the ratio is against the fastest of PyTorch's ways.
accuracy:  the transfer experiment in both, a few seeds; the difference of the means.
text-accuracy:
           MiniLM fine-tuned in both, on the same batches (text_accuracy.py).
parity:    outputs, loss and gradients of the backbones at 224 on the same weights (parity.py), and of networks of text
           (text_parity.py).

PyTorch comes from pip into a virtual environment under .cache/, else from Debian's python3-torch. Where the registry's
torch would bring CUDA's libraries, PIP_INDEX_URL=https://download.pytorch.org/whl/cpu gives the CPU build.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import text_batches
from contenders import (HERE, ROOT, TORCH, WAYS, Contender, environment_of, install_torch, race, say, start, thaw_command,
                        torch_command, torch_version, ways_of)
from measurement import print_measurement
from workloads import ADAM, NOTES, WORKLOADS


# ---- speed


def quartiles(times):
    low, _, high = statistics.quantiles(times, n=4, method="inclusive") if len(times) > 1 else times * 3
    return low, high


def measure(name, build, python, options):
    with tempfile.TemporaryDirectory() as folder:
        what = dict(WORKLOADS[name])
        if what.pop("cache_file", False):
            what["cache_file"] = os.path.join(folder, "features")
        if "tokens" in what:
            text_batches.prepare(what, build, python, folder)
        return measure_workload(name, what, build, python, options)


def measure_workload(name, what, build, python, options):
    rounds, steps = options.rounds or what.pop("rounds"), what.pop("steps", None)
    settings = [f"{key}={value}" for key, value in what.items() if key != "rounds"]
    command = f"step {steps}" if steps else "epoch"
    say(name)
    contenders = [start("thaw", thaw_command(build, settings), options.threads, command)]
    for way in ways_of(python, what) if python else []:
        if way in options.ways:
            contenders.append(start(way, torch_command(python, [*settings, f"way={way}"]), options.threads, command))
    contenders = [contender for contender in contenders if contender]
    race(contenders, command, rounds)
    rows = [dict(contender=contender.name, version=contender.version, unit="step" if steps else "epoch",
                 median_ms=statistics.median(contender.times), fastest_ms=min(contender.times),
                 slowest_ms=max(contender.times), quartiles_ms=quartiles(contender.times), runs=len(contender.times),
                 peak_bytes=int(contender.ask("memory"))) for contender in contenders]
    for contender in contenders:
        contender.stop()
    return dict(workload=name, threads=options.threads, note=NOTES.get(name, ""), rows=rows, **compare(rows))


def compare(rows):
    """How many times as fast as the fastest of the peer's ways, and which share of its memory."""
    ours = [row for row in rows if row["contender"] == "thaw"]
    peers = [row for row in rows if row["contender"] != "thaw"]
    if not ours or not peers:
        return {}
    best = min(peers, key=lambda row: row["median_ms"])
    return dict(fastest_peer=best["contender"], speed_ratio=best["median_ms"] / ours[0]["median_ms"],
                memory_ratio=ours[0]["peak_bytes"] / best["peak_bytes"])


def print_measurements(result):
    for row in result["rows"]:
        low, high = row["quartiles_ms"]
        print_measurement("peers", "Thaw against PyTorch",
                          f"{result['workload']}: {'a step' if row['unit'] == 'step' else 'an epoch'}",
                          "Thaw" if row["contender"] == "thaw" else f"PyTorch {row['contender']}", result["threads"],
                          dict(seconds=row["median_ms"] / 1e3, low=low / 1e3, high=high / 1e3, limit_seconds=None),
                          row["version"], repetitions=row["runs"], byte_count=row["peak_bytes"], note=result["note"])


def print_speed(result):
    print(f"\n{result['workload']}, {result['threads']} threads"
          + (f"  ({result['note']})" if result["note"] else ""))
    for row in result["rows"]:
        print(f"  {row['contender']:14} {row['median_ms']:9.2f} ms a {row['unit']:5}"
              f"  ({row['fastest_ms']:.2f} to {row['slowest_ms']:.2f}, {row['runs']} runs)"
              f"  {row['peak_bytes'] / 1e6:8.1f} MB  {row['version']}")
    if "speed_ratio" in result:
        print(f"  {result['speed_ratio']:.2f} times as fast as PyTorch ({result['fastest_peer']}), with"
              f" {result['memory_ratio']:.2f} of its memory", flush=True)


def chosen_workloads(only, known=WORKLOADS):
    """Those of the names, and of the parts of names that are not one."""
    parts = only or [""]
    return [name for name in known if any(part == name or part not in known and part in name for part in parts)]


def run_speed(build, python, options):
    """Exit code 1 when Thaw did not run, 2 when there is nothing to run."""
    names, good = chosen_workloads(options.only), True
    if not names:
        say("no workload's name has that; there are: " + "; ".join(WORKLOADS))
        return 2
    for name in names:
        try:
            result = measure(name, build, python, options)
        except text_batches.Missing as what:
            say(f"  {name} is left out: {what}")
            continue
        good = good and any(row["contender"] == "thaw" for row in result["rows"])
        print_measurements(result) if options.json else print_speed(result)
    return 0 if good else 1


# ---- accuracy


def thaw_accuracy(thaw, seed, threads):
    """The transfer experiment through the command: test accuracy after the last epoch of each run."""
    common = ["--model", "transfer-cnn", "--epochs", "3", "--batch", "128", "--optimizer", ADAM, "--seed", str(seed),
              "--threads", str(threads), "--json"]
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "source.safetensors")

        def train(verb, data, *extra):
            done = subprocess.run([thaw, verb, *common, "--data", data, *extra], check=True, text=True,
                                  stdout=subprocess.PIPE, env=environment_of(threads))
            lines = [json.loads(line) for line in done.stdout.splitlines()]
            return [line["test_accuracy"] for line in lines if "epoch" in line][-1]

        results = {"pre-training": train("train", "fashion-mnist:classes=0-4", "--save", source)}
        for amount, options in (("", ""), (", 20 a class", ";per-class=20;repeat=10")):
            for way, freeze in (("frozen", ["--freeze", "conv*"]), ("all", [])):
                results[way + amount] = train("finetune", "fashion-mnist:classes=5-9" + options, "--load", source,
                                              "--reset", "dense*", *freeze)
    return results


def run_accuracy(build, python, options):
    thaw = build / "src" / "cli" / "thaw"
    torch = Contender("PyTorch", torch_command(python, ["way=channels-last"]), options.threads) if python else None
    runs = []
    for seed in range(1, options.seeds + 1):
        say(f"seed {seed}")
        runs.append((thaw_accuracy(thaw, seed, options.threads),
                     json.loads(torch.ask(f"transfer {seed}")) if torch else {}))
    if torch:
        torch.stop()
    results = []
    for name in runs[0][0]:
        ours = [100 * pair[0][name] for pair in runs]
        theirs = [100 * pair[1][name] for pair in runs if pair[1]]
        results.append(dict(run=name, thaw=ours, pytorch=theirs,
                            difference=statistics.mean(ours) - statistics.mean(theirs) if theirs else None))
    print_accuracies(results, thaw_version(thaw), options) if options.json else print_accuracy(results)


def thaw_version(thaw):
    return subprocess.run([thaw, "--version"], check=True, text=True, stdout=subprocess.PIPE).stdout.split()[-1]


def print_accuracies(results, version, options):
    for row in results:
        for key, what, number in (("thaw", "Thaw", version), ("pytorch", "PyTorch", TORCH.partition("==")[2])):
            shares = [value / 100 for value in row[key]]
            if shares:
                print_measurement("accuracy", "Test accuracy of Thaw and PyTorch, percent", row["run"], what, options.threads,
                                  dict(value=statistics.mean(shares), low=min(shares), high=max(shares), unit="share"),
                                  number, repetitions=len(shares))


def print_accuracy(results):
    print(f"{'test accuracy, %':22} {'Thaw':>24} {'PyTorch':>24}   difference of the means")
    for row in results:
        columns = [" ".join(f"{value:.2f}" for value in row[key]) for key in ("thaw", "pytorch")]
        difference = f"{row['difference']:+.2f}" if row["difference"] is not None else ""
        print(f"{row['run']:22} {columns[0]:>24} {columns[1]:>24}   {difference}")


# ---- parity

TEXTS = ("bert-base", "minilm-l6", "distilbert", "gpt2", "embeddings")


def run_parity(build, python, options):
    """Exit code 1 when something differs, 2 when there is nothing to compare with."""
    if not python:
        return 2
    wanted = options.only or []
    codes = [run_script(build, python, options, "parity.py", "parity-worker", [n for n in wanted if n not in TEXTS]),
             run_script(build, python, options, "text_parity.py", "text-parity-worker",
                        [n for n in wanted if n in TEXTS])]
    if codes[1] == 2 and not wanted:
        say("without transformers, networks of text are not compared")
        codes[1] = 0
    return max(codes)


def run_text_accuracy(build, python, options):
    """Exit code 2 when there is nothing to compare with."""
    more = ["--seeds", str(options.seeds), "--threads", str(options.threads)]
    for name in ("train", "test", "epochs"):
        if getattr(options, name):
            more += [f"--{name}", str(getattr(options, name))]
    return run_script(build, python, options, "text_accuracy.py", "text-accuracy-worker", options.only or [],
                      more) if python else 2


def run_script(build, python, options, script, worker, names, more=()):
    if options.only and not names:
        return 0
    command = [python, str(HERE / script), "--worker", str(build / "bench" / worker),
               "--version", thaw_version(build / "src" / "cli" / "thaw"), *["--json"] * options.json, *more]
    for name in names:
        command += ["--only", name]
    return subprocess.run(command, env=environment_of(options.threads)).returncode


def positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


def some_ways(text):
    if unknown := set(text.split(",")) - set(WAYS):
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))} is not one of {', '.join(WAYS)}")
    return text.split(",")


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=["speed", "accuracy", "text-accuracy", "parity"], nargs="?", default="speed")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", help="Thaw's build directory")
    parser.add_argument("--python", help="an interpreter that has torch, in place of installing one")
    parser.add_argument("--threads", type=positive, default=os.cpu_count(), help="of each contender")
    parser.add_argument("--only", action="append", metavar="PART",
                        help="the workload or network of this name, else the workloads whose name has this; repeatable")
    parser.add_argument("--ways", default=WAYS, type=some_ways, help=f"of PyTorch: {','.join(WAYS)}")
    parser.add_argument("--rounds", type=positive, help="in place of each workload's own")
    parser.add_argument("--seeds", type=positive, default=3, help="of the accuracy experiment")
    parser.add_argument("--train", type=positive, help="descriptions that text-accuracy trains on")
    parser.add_argument("--test", type=positive, help="descriptions that text-accuracy tests on")
    parser.add_argument("--epochs", type=positive, help="of text-accuracy")
    parser.add_argument("--json", action="store_true", help="one object a line, in place of tables")
    return parser.parse_args()


def main():
    options = parse_options()
    if options.python and not torch_version(options.python):
        say(f"{options.python} does not import torch")
        return 2
    python = options.python or install_torch()
    if not python:
        say("no PyTorch could be installed" + (": Thaw runs alone" if options.mode in ("speed", "accuracy") else ""))
    run = {"speed": run_speed, "accuracy": run_accuracy, "text-accuracy": run_text_accuracy,
           "parity": run_parity}[options.mode]
    try:
        return run(options.build, python, options)
    except (RuntimeError, OSError, subprocess.CalledProcessError) as reason:
        say(str(reason))
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
