#!/usr/bin/env python3
"""Two ranks of one thread each, Thaw's over MPI and PyTorch's DistributedDataParallel over gloo, and one process of two
threads of each, taking turns. With them goes what Thaw's ranks could reach at best: two processes of one thread with half
of the batch each, which exchange nothing.

A rank has half of each batch. DistributedDataParallel broadcasts no buffers and keeps gradients in its buckets, and wraps
only what trains. PyTorch runs in the fastest of its ways without a compiler: channels-last for convolutions, with the
normalisation of a frozen part folded. Ratios are PyTorch's time divided by Thaw's: that of two ranks should be at least
that of one process. On two cores this shows what ranks cost, not how they scale.
"""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

from contenders import (ROOT, Contender, environment_of, install_torch, race, say, start, thaw_command, torch_command,
                        torch_version)
from measurement import print_measurement
from peers import chosen_workloads, positive, quartiles
from workloads import ADAM, MOMENTUM

RANKS = 2
RESNET = dict(network="resnet18", optimizer=MOMENTUM, batch=16, rounds=7)
WORKLOADS = {
    "resnet18, all trainable": dict(RESNET, way="channels-last", steps=2),
    "resnet18, fc only": dict(RESNET, freeze="body", way="folded", steps=4),
    "mlp-512, all trainable": dict(network="mlp-512", optimizer=ADAM, batch=128, way="eager", rounds=9, steps=100),
}
CONTENDERS = ("Thaw, 2 ranks", "PyTorch, 2 ranks", "Thaw, 2 threads", "PyTorch, 2 threads")
APART = "Thaw, unconnected"


class Spread(Contender):
    """Ranks that train on command, each of which reads from a file of its own."""

    def __init__(self, name, commands, folder):
        self.name, self.times, self.log, self.files = name, [], tempfile.TemporaryFile("w+"), []
        self.others = [subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=self.log, stdout=subprocess.DEVNULL,
                                        env=rank_environment()) for command in commands[1:]]
        self.process = subprocess.Popen(commands[0], stdin=subprocess.DEVNULL, stderr=self.log, stdout=subprocess.PIPE,
                                        text=True, env=rank_environment())
        # Without waiting for a rank, which may have died: reading and writing.
        self.files = [os.fdopen(os.open(f"{folder}/commands.{rank}", os.O_RDWR), "w") for rank in range(RANKS)]
        self.version = self.answer().removeprefix("ready ")

    def ask(self, command):
        for file in self.files:
            file.write(command + "\n")
            file.flush()
        return self.answer()

    def stop(self):
        for file in self.files:
            file.close()
        for process in [self.process, *self.others]:
            process.wait()


class Apart:
    """Processes of one thread side by side. A step takes as long as that of the slowest."""

    def __init__(self, name, command):
        self.name, self.times = name, []
        self.processes = [Contender(name, command, 1) for _ in range(RANKS)]
        self.version = self.processes[0].version

    def run(self, command):
        for contender in self.processes:
            contender.send(command)
        answers = [contender.answer().split() for contender in self.processes]
        return [max(map(float, step)) for step in zip(*answers)]

    def stop(self):
        for contender in self.processes:
            contender.stop()


def start_apart(name, command, warm_up):
    contender = Apart(name, command)
    contender.run(warm_up)
    return contender


def rank_environment():
    """One thread a rank, and mpirun's leave to run as root and in containers, unless the environment says otherwise."""
    return {"OMPI_MCA_btl_vader_single_copy_mechanism": "none", **environment_of(1), "OMPI_ALLOW_RUN_AS_ROOT": "1",
            "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


def start_spread(name, commands, folder, warm_up):
    """`commands` are made of the folder, in which the ranks find their commands."""
    os.mkdir(folder)
    for rank in range(RANKS):
        os.mkfifo(f"{folder}/commands.{rank}")
    contender = Spread(name, commands, folder)
    contender.run(warm_up)
    return contender


def start_all(what, build, python, folder):
    way, command = what.pop("way"), f"step {what['steps']}"
    alone = [f"{key}={value}" for key, value in what.items() if key not in ("rounds", "steps")]
    half = [f"{key}={value}" for key, value in dict(what, batch=what["batch"] // RANKS).items()
            if key not in ("rounds", "steps")]
    share = half + ["threads=1"]
    mpirun = ["mpirun", "-n", str(RANKS), "--bind-to", "none",
              *thaw_command(build, [*share, f"mpi_library={build}/libthaw-mpi.so.0", f"commands={folder}/thaw/commands"])]
    contenders = [start_spread(CONTENDERS[0], [mpirun], f"{folder}/thaw", command)]
    if python:
        ranks = [torch_command(python, [*share, f"way={way}", f"rank={rank}", f"ranks={RANKS}",
                                        f"store={folder}/store", f"commands={folder}/torch/commands"])
                 for rank in range(RANKS)]
        contenders.append(start_spread(CONTENDERS[1], ranks, f"{folder}/torch", command))
    contenders.append(start_apart(APART, thaw_command(build, half), command))
    contenders.append(start(CONTENDERS[2], thaw_command(build, alone), RANKS, command))
    if python:
        contenders.append(start(CONTENDERS[3], torch_command(python, [*alone, f"way={way}"]), RANKS, command))
    return [contender for contender in contenders if contender]


def measure(name, options, python):
    what = dict(WORKLOADS[name])
    command, rounds = f"step {what['steps']}", options.rounds or what["rounds"]
    say(name)
    with tempfile.TemporaryDirectory() as folder:
        contenders = start_all(what, options.build, python, folder)
        race(contenders, command, rounds)
        for contender in contenders:
            contender.stop()
    return contenders


def print_table(name, contenders):
    medians = {contender.name: statistics.median(contender.times) for contender in contenders}
    print(f"\n{name}")
    for contender in contenders:
        low, high = quartiles(contender.times)
        print(f"  {contender.name:20} {medians[contender.name]:9.2f} ms a step  ({low:.2f} to {high:.2f},"
              f" {len(contender.times)} steps)  {contender.version}")
    print(f"  {CONTENDERS[0]}: {medians[CONTENDERS[0]] / medians[APART]:.2f} times the time of {APART}")
    for ours, theirs in (CONTENDERS[:2], CONTENDERS[2:]):
        if ours in medians and theirs in medians:
            print(f"  {ours}: {medians[theirs] / medians[ours]:.2f} times as fast as PyTorch", flush=True)


def print_json(name, contenders):
    for contender in contenders:
        low, high = quartiles(contender.times)
        print_measurement("distributed", "Ranks of one thread, and threads of one process", name, contender.name, RANKS,
                          dict(seconds=statistics.median(contender.times) / 1e3, low=low / 1e3, high=high / 1e3,
                               limit_seconds=None), contender.version, repetitions=len(contender.times))


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", help="Thaw's build directory")
    parser.add_argument("--python", help="an interpreter that has torch, in place of installing one")
    parser.add_argument("--only", action="append", metavar="PART",
                        help="the workload of this name, else those whose name has this; repeatable")
    parser.add_argument("--rounds", type=positive, help="in place of each workload's own")
    parser.add_argument("--json", action="store_true", help="one object a line, in place of tables")
    return parser.parse_args()


def main():
    """Exit code 1 when Thaw did not run, 2 when there is nothing to run."""
    options = parse_options()
    names = chosen_workloads(options.only, WORKLOADS)
    if not names:
        say("no workload's name has that; there are: " + "; ".join(WORKLOADS))
        return 2
    if not shutil.which("mpirun") or options.python and not torch_version(options.python):
        say("mpirun or PyTorch is missing")
        return 2
    python = options.python or install_torch()
    if not python:
        say("no PyTorch could be installed: Thaw runs alone")
    for name in names:
        (print_json if options.json else print_table)(name, measure(name, options, python))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (RuntimeError, OSError, subprocess.CalledProcessError) as reason:
        say(str(reason))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
