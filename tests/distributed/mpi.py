#!/usr/bin/env python3
"""The command under mpirun: the bits of one process, and what it refuses.

usage: mpi.py MPIRUN COMMAND CASE"""

import csv
import json
import re
import time

from support import DATA, RUN, hash_of, refuse, run, run_case, succeed, wrapper


def logged_epochs(folder):
    with open(f"{folder}/epochs.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def same_weights(folder):
    """Training, and fine-tuning with a strategy, on 1, 2 and 4 ranks. Rank 0 alone prints, saves and logs."""
    for name, arguments in [
        ("train", ["train", "--epochs", "2", "--clip-norm", "1"]),
        ("finetune", ["finetune", "--load", f"{folder}/train1", "--reset", "dense2", "--strategy", "gradual", "--epochs",
                      "3", "--cache", "off", "--schedule", "cosine"]),
    ]:
        for ranks in [1, 2, 4]:
            done = succeed(ranks, arguments + RUN + DATA + ["--save", f"{folder}/{name}{ranks}", "--log",
                                                           f"{folder}/log-{name}{ranks}", "--log-every", "1"])
            assert hash_of(f"{folder}/{name}{ranks}") == hash_of(f"{folder}/{name}1"), (name, ranks)
            assert done.stdout.count("saved ") == 1 and done.stdout.count("mlp-500: ") == 1, done.stdout
            assert not re.search("^thaw: ", done.stderr, re.M), done.stderr
            rows = logged_epochs(f"{folder}/log-{name}{ranks}")
            assert len(rows) == (2 if name == "train" else 3)
            assert all(float(row.get("epoch/sent_bytes", 0)) > 0 for row in rows) == (ranks > 1), rows
    assert hash_of(f"{folder}/train1") != hash_of(f"{folder}/finetune1")


def shards(folder):
    """--shards defaults to the ranks; --accumulate counts those of each rank."""
    plain = [word for word in RUN if word not in ("--shards", "4")]
    for spread, alone in [([], ["--shards", "2"]), (["--accumulate", "2"], ["--shards", "4"])]:
        succeed(2, ["train"] + plain + spread + DATA + ["--save", f"{folder}/spread"])
        succeed(1, ["train"] + plain + alone + DATA + ["--save", f"{folder}/alone"])
        assert hash_of(f"{folder}/spread") == hash_of(f"{folder}/alone"), spread
    refuse('thaw: --shards: "3", must be a multiple of the 2 ranks', 2, 2,
           ["train"] + plain + ["--batch", "12", "--shards", "3"] + DATA)
    refuse('thaw: --shards: "10", must divide the batch of 16 samples', 2, 2,
           ["train"] + plain + ["--shards", "10"] + DATA)


def travelling(folder):
    """The bytes that a rank sends in a step: 2 (n - 1) / n of the gradients of what trains, up to the ends of slices."""
    for freeze, trained in [([], 784 * 500 + 500 + 500 * 4 + 4), (["--freeze", "dense1"], 500 * 4 + 4)]:
        words = ["--json"] + freeze + RUN + DATA
        planned = json.loads(succeed(1, ["plan"] + words).stdout.splitlines()[-1])
        assert 4 * trained <= planned["shared_bytes"] <= 4 * trained + 4 * 64, (trained, planned)
        for ranks in [1, 2, 4]:
            epoch = json.loads(succeed(ranks, ["train"] + words).stdout.splitlines()[0])
            sent = 2 * (ranks - 1) / ranks * planned["shared_bytes"]
            assert abs(epoch["sent_bytes"] - sent) <= 64 * ranks * (ranks > 1), (ranks, epoch, sent)
    for first, then in [(2, 1), (1, 2)]:  # a log keeps its columns
        line = ["train", "--checkpoint", f"{folder}/run{first}", "--resume", "--log", f"{folder}/log{first}"] + RUN + DATA
        succeed(first, line + ["--epochs", "1"])
        succeed(then, line + ["--epochs", "2"])
        sent = [row.get("epoch/sent_bytes") for row in logged_epochs(f"{folder}/log{first}")]
        assert [count and float(count) > 0 for count in sent] == ([True, False] if first == 2 else [None, None]), sent
    done = succeed(2, ["train"] + RUN + DATA)
    assert "each of 2 ranks sends 1.6 MB a step to the others" in done.stdout, done.stdout


def refusals(folder):
    line = ["train"] + RUN + DATA
    refuse("thaw: evaluate: cannot be spread over the 2 processes", 2, 2, ["evaluate", "--load", "x"])
    refuse("thaw: --threads: 2 ranks on 1000 threads each, must be at most", 2, 2, line + ["--threads", "1000"])
    refuse("thaw: --data: ", 1, 2, ["train"] + RUN + ["--data", "idx:/nowhere,/nowhere"])
    refuse("thaw: --save: ", 1, 2, line + ["--save", "/nowhere/weights"])
    # A command line that is wrong, on all ranks or on one.
    refuse('thaw: --batch: "0", must be a whole number', 2, 2, line + ["--batch", "0"])
    refuse("thaw: --resume: needs --checkpoint", 2, 2, line + ["--resume"])
    refuse('thaw: rank 1: --batch: "0", must be a whole number', 2, 2, line, wrapper(folder, 'set -- "$@" --batch 0'))
    refuse("thaw: rank 1: --ranked: thaw train has no such option", 2, 2, line, wrapper(folder, 'set -- "$@" --ranked'))
    done = run(2, line + ["--ranked"])
    assert done.returncode == 2 and done.stderr.count("--ranked: thaw train has no such option") == 1, done.stderr
    assert succeed(2, ["train", "--help"]).stdout.count("Usage: ") == 1
    # What only rank 0 opens, when the others are about to train.
    begin = time.monotonic()
    refuse("thaw: --log: /proc/nothing: cannot be created", 1, 4, line + ["--log", "/proc/nothing", "--timeout", "100"])
    assert time.monotonic() - begin < 90
    done = succeed(2, line + ["--ranks", "off"])
    assert done.stdout.count("mlp-500: ") == 2, done.stdout  # each process for itself


run_case(globals())
