#!/usr/bin/env python3
"""The command under mpirun: ranks that differ in one thing, which rank 0 names before the first step.

usage: mpi_disagreement.py MPIRUN COMMAND CASE"""

from support import DATA, RUN, refuse, run, run_case, succeed, wrapper


def disagreement(folder):
    line = ["train"] + RUN + DATA
    for change, message in [
        ('set -- "$@" --seed 4', "thaw: training: the ranks must agree, but rank 1 differs from rank 0 in the seed"),
        ('set -- "$@" --batch 32', "rank 1 differs from rank 0 in the batch"),
        ('set -- "$@" --freeze dense1', "rank 1 differs from rank 0 in what is frozen"),
        ('set -- "$@" --model mlp-512', "rank 1 differs from rank 0 in the network"),
        ('set -- "$@" --data idx:/nowhere,/nowhere', "thaw: rank 1: --data: /nowhere"),
        ('set -- "$@" --freeze nothing', 'thaw: rank 1: --freeze: pattern "nothing" matches no group'),
    ]:
        refuse(message, 2 if "nothing" in change else 1, 2, line, wrapper(folder, change))
    # A folder of checkpoints that only one rank sees.
    succeed(1, line + ["--checkpoint", f"{folder}/run"])
    done = run(2, line + ["--checkpoint", f"{folder}/run", "--resume", "--epochs", "2"],
               wrapper(folder, f'set -- "$@" --checkpoint {folder}/other'))
    assert done.returncode == 1 and "rank 1 differs from rank 0 in the position in the run" in done.stderr, done.stderr


run_case(globals())
