#!/usr/bin/env python3
"""thaw bench under mpirun: the figures of one process, from any number of ranks.

usage: mpi_bench.py MPIRUN COMMAND CASE"""

import json
import os
import signal
import time

from support import DATA, ranks_of, refuse, run_case, start, succeed

LINE = ["bench", "--model", "mlp-500", "--threads", "1", "--batch", "16", "--strategies", "full head", "--optimizers",
        "sgd:lr=0.05"]
SHORT, LONG = ["--seeds", "3", "--epochs", "2"], ["--seeds", "2", "--epochs", "100"]


def figures(folder):
    """What does not depend on time, by strategy and seed."""
    with open(f"{folder}/results.json", encoding="utf-8") as file:
        runs = json.load(file)["runs"]
    return {(run["strategy"], run["seed"]): [(epoch["training_loss"], epoch["test_loss"], epoch["test_accuracy"])
                                             for epoch in run["epochs"]] for run in runs}


def same_figures(folder):
    """Rank 0 alone prints, and writes the report."""
    data = DATA + ["--test-data", DATA[1]]
    lines = {}
    for ranks in [1, 2, 4]:
        done = succeed(ranks, LINE + SHORT + data + ["--report", f"{folder}/report{ranks}"])
        lines[ranks] = len(done.stdout.splitlines())
        assert lines[ranks] == lines[1], done.stdout
        assert figures(f"{folder}/report{ranks}") == figures(f"{folder}/report1"), ranks
    assert len(figures(f"{folder}/report1")) == 6
    refuse("thaw: --jobs: 2 runs at a time, must be 1 on several ranks", 2, 2,
           LINE + SHORT + data + ["--jobs", "2", "--report", f"{folder}/other"])
    refuse("thaw: --report: ", 1, 2, LINE + SHORT + data + ["--report", "/proc/nothing"])


def continued(folder):
    """A signal to one rank stops all after their current step, and --resume goes on with another number of ranks."""
    report, data = f"{folder}/report", DATA + ["--test-data", DATA[1]]
    process = start(2, LINE + LONG + data + ["--report", report], report)
    deadline = time.monotonic() + 100
    while not (os.path.exists(f"{report}/results.json.journal") and len(ranks_of(report)) == 2):
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        time.sleep(0.01)
    time.sleep(0.1)
    os.kill(ranks_of(report)[1], signal.SIGINT)
    output, errors = process.communicate(timeout=100)
    assert process.returncode == 130, (process.returncode, output, errors)
    assert "stopped by a signal; continue with the same command and --resume" in output, (output, errors)
    first = succeed(3, LINE + LONG + data + ["--report", report, "--resume"])
    assert "stopped" not in first.stdout and len(figures(report)) == 4, first.stdout
    succeed(1, LINE + LONG + data + ["--report", f"{folder}/alone"])
    assert figures(report) == figures(f"{folder}/alone")


run_case(globals())
