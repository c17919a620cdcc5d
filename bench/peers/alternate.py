#!/usr/bin/env python3
"""Two builds of Thaw in one run, taking turns: the speed of the new one as a multiple of the old one's.

OLD and NEW are Meson's build directories; `ninja -C DIRECTORY bench/peers-worker bench/plan` makes what is run. The
workloads are those of `./run bench peers`, and "plan: NETWORK", which compiles the plans of `./run bench plan`. A round
is a turn of each build, and gives a ratio: the median time of the old one, over that of the new one. Above 1, the new
build is faster. The table shows the median and the quartiles of these ratios, and the ratio of the peaks of memory;
below 1, the new build takes less. Texts need bench/tokenizer-worker of the new build, and the vocabulary of MiniLM in the
Python that runs this (text_batches.py).
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
from contenders import environment_of, say, start, thaw_command
from measurement import print_measurement
from peers import chosen_workloads, positive, quartiles
from workloads import WORKLOADS

PLAN = "plan: "
PLANS = [PLAN + network for network in ("mlp-512", "transfer-cnn", "resnet18", "resnet50", "mobilenet-v2")]
PLAN_ROUNDS = 9
SHORTER = 5  # turns than in peers.py, and more of them: what disturbs one turn of a round disturbs the other


class Compiler:
    """A build that compiles plans, in a new process each turn: the first kernels of a process take longer."""

    def __init__(self, build, network, threads):
        self.command = [build / "bench" / "plan", "--json", "--repetitions", "3", "--only", network]
        self.threads = threads

    def run(self, _):
        done = subprocess.run([*self.command, "--threads", str(self.threads)], check=True, text=True,
                              stdout=subprocess.PIPE, env=environment_of(self.threads))
        return [1e3 * sum(json.loads(line)["seconds"] for line in done.stdout.splitlines())]


def take_turns(contenders, command, rounds):
    """The median time of each contender in each round; who begins changes."""
    medians = [[] for _ in contenders]
    for turn in range(rounds):
        for place in range(len(contenders)):
            number = (turn + place) % len(contenders)
            medians[number].append(statistics.median(contenders[number].run(command)))
    return medians


def measure_plans(name, options):
    builds = [Compiler(build, name.removeprefix(PLAN), options.threads) for build in (options.old, options.new)]
    return take_turns(builds, None, options.rounds or PLAN_ROUNDS), (None, None)


def measure_steps(name, options):
    """None when a build does not run it."""
    what = dict(WORKLOADS[name])
    rounds, steps, in_file = what.pop("rounds"), what.pop("steps", None), what.pop("cache_file", False)
    command, rounds = (f"step {-(-steps // SHORTER)}", SHORTER * rounds) if steps else ("epoch", rounds)
    with tempfile.TemporaryDirectory() as folder:
        if "tokens" in what:
            text_batches.prepare(what, options.new, sys.executable, folder)
        settings = [f"{key}={value}" for key, value in what.items()]
        workers = []
        for label, build in (("old", options.old), ("new", options.new)):
            file = [f"cache_file={folder}/{label}"] if in_file else []
            workers.append(start(label, thaw_command(build, settings + file), options.threads, command))
        found = None
        if all(workers):
            found = take_turns(workers, command, options.rounds or rounds), [int(one.ask("memory")) for one in workers]
        for worker in filter(None, workers):
            worker.stop()
    return found


def print_ratio(name, ratios, times, peaks):
    low, high = quartiles(ratios)
    memory = f"{peaks[1] / peaks[0]:.3f}" if peaks[0] else "-"
    print(f"{name:44} {statistics.median(times[0]):10.3f} {statistics.median(times[1]):10.3f}"
          f" {statistics.median(ratios):7.3f}   {low:.3f} to {high:.3f} {len(ratios):6} {memory:>7}", flush=True)


def print_json(name, ratios, times, peaks, threads):
    ratio_low, ratio_high = quartiles(ratios)
    for label, medians, peak in zip(("old", "new"), times, peaks):
        low, high = (time / 1e3 for time in quartiles(medians))
        print_measurement("alternate", "Two builds in turns", name, label, threads,
                          dict(seconds=statistics.median(medians) / 1e3, low=low, high=high, limit_seconds=None), label,
                          repetitions=len(medians), byte_count=peak, ratio=statistics.median(ratios),
                          ratio_low=ratio_low, ratio_high=ratio_high)


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=pathlib.Path, metavar="OLD", help="a build directory")
    parser.add_argument("new", type=pathlib.Path, metavar="NEW", help="another")
    parser.add_argument("--threads", type=positive, default=os.cpu_count(), help="of each build")
    parser.add_argument("--only", action="append", metavar="PART",
                        help="the workload of this name, else the workloads whose name has this; repeatable")
    parser.add_argument("--rounds", type=positive, help="in place of each workload's own")
    parser.add_argument("--json", action="store_true", help="two objects a workload, in place of a table")
    return parser.parse_args()


def main():
    """Exit code 1 when a build did not run, 2 when there is nothing to run."""
    options, good = parse_options(), True
    names = chosen_workloads(options.only, [*WORKLOADS, *PLANS])
    if not names:
        say("no workload's name has that; there are: " + "; ".join([*WORKLOADS, *PLANS]))
        return 2
    if not options.json:
        print(f"{'workload, threads: ' + str(options.threads):44} {'old ms':>10} {'new ms':>10} {'ratio':>7}"
              f" {'quartiles':>16} {'rounds':>6} {'memory':>7}")
    for name in names:
        try:
            found = (measure_plans if name.startswith(PLAN) else measure_steps)(name, options)
        except text_batches.Missing as what:
            say(f"  {name} is left out: {what}")
            continue
        if not found:
            good = False
            continue
        times, peaks = found
        ratios = [old / new for old, new in zip(*times)]
        if options.json:
            print_json(name, ratios, times, peaks, options.threads)
        else:
            print_ratio(name, ratios, times, peaks)
    return 0 if good else 1


try:
    sys.exit(main())
except (RuntimeError, OSError, subprocess.CalledProcessError) as reason:
    say(str(reason))
    sys.exit(1)
except KeyboardInterrupt:
    sys.exit(130)
