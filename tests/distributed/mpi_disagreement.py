#!/usr/bin/env python3
"""The command under mpirun: ranks that differ in one thing, which rank 0 names before the first step.

usage: mpi_disagreement.py MPIRUN COMMAND CASE"""

import os
import re

from support import COMMAND, DATA, RUN, refuse, run, run_case, succeed, wrapper, write_data

# What rank 1 is told besides, and what rank 0 says. A later option takes the place of an earlier one.
DIFFERENT = [
    ("--model mlp-512", "the network"),
    ("--seed 4", "the seed"),
    ("--data idx:{folder}/others/images,{folder}/others/labels", "the data set"),
    ("--test-data idx:{folder}/others/images,{folder}/others/labels", "the test data"),
    ("--batch 32", "the batch"),
    ("--shards 8", "the shards"),
    ("--epochs 2", "the epochs"),
    ("--drop-last", "drop_last"),
    ("--schedule cosine", "the schedule"),
    ("--clip-norm 1", "clip_norm"),
    ("--strategy head", "the strategy"),
    ("--freeze dense1", "what is frozen"),
    ("--optimizer sgd:lr=0.1", "the optimizers and their settings"),
    ("--patience 1 --epochs 3", "the epochs"),
]


def refuse_difference(item, line, command):
    done = refuse(f"thaw: training: the ranks must agree, but rank 1 differs from rank 0 in {item}", 1, 2, line, command)
    assert not re.search(r"^ *1/", done.stdout, re.M), done.stdout
    return "MPI_ABORT" in done.stderr


def disagreement(folder):
    """Each of them on rank 1 of 2: an error before the first step."""
    os.mkdir(f"{folder}/others")
    write_data(f"{folder}/others", 96, noise=2)
    for seed, name in [("3", "weights"), ("5", "other")]:
        succeed(1, ["train"] + RUN + DATA + ["--seed", seed, "--save", f"{folder}/{name}"])
    aborted = [refuse_difference(item, ["train", "--save", f"{folder}/tuned"] + RUN + DATA,
                                 wrapper(folder, f'set -- "$@" {words.format(folder=folder)}'))
               for words, item in DIFFERENT]
    # All know of it and close MPI in order, unless one of them comes late.
    assert sum(aborted) <= len(aborted) / 2, aborted
    refuse_difference("the weights", ["finetune", "--load", f"{folder}/weights", "--save", f"{folder}/tuned"] + RUN + DATA,
                      wrapper(folder, f'set -- "$@" --load {folder}/other'))
    assert not os.path.exists(f"{folder}/tuned")


def versions(folder):
    """A rank that runs another version of Thaw, here by a change of the text in a copy of the command."""
    with open(COMMAND, "rb") as file:
        program = file.read()
    version = run(1, ["--version"]).stdout.split()[1].encode()
    assert program.count(b"\0" + version + b"\0") >= 1, version
    with open(f"{folder}/other", "wb") as file:
        file.write(program.replace(b"\0" + version + b"\0", b"\0" + version[:-1] + b"z\0"))
    os.chmod(f"{folder}/other", 0o755)
    assert run(1, ["--version"], f"{folder}/other").stdout.split()[1].endswith("z")
    refuse_difference("the version of Thaw", ["train"] + RUN + DATA, wrapper(folder, f'exec "{folder}/other" "$@"'))


def preparations(folder):
    """What one rank cannot read or understand: rank 0 says on which, and in which words."""
    line = ["train"] + RUN + DATA
    for change, code, message in [
        ("--data idx:/nowhere,/nowhere", 1, "thaw: rank 1: --data: /nowhere"),
        ("--freeze nothing", 2, 'thaw: rank 1: --freeze: pattern "nothing" matches no group'),
        ("--strategy-file /nowhere", 1, "thaw: rank 1: --strategy-file: "),
    ]:
        refuse(message, code, 2, line, wrapper(folder, f'set -- "$@" {change}'))
    succeed(1, line + ["--save", f"{folder}/weights"])
    refuse("thaw: rank 1: --load: /nowhere", 1, 4, ["finetune", "--load", f"{folder}/weights"] + RUN + DATA,
           wrapper(folder, 'set -- "$@" --load /nowhere'))
    # A folder of checkpoints that only one rank sees.
    succeed(1, line + ["--checkpoint", f"{folder}/run"])
    done = run(2, line + ["--checkpoint", f"{folder}/run", "--resume", "--epochs", "2"],
               wrapper(folder, f'set -- "$@" --checkpoint {folder}/other'))
    assert done.returncode == 1, done.stderr
    assert done.stderr.count("rank 1 differs from rank 0 in the position in the run") == 1, done.stderr


run_case(globals())
