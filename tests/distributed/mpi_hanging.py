#!/usr/bin/env python3
"""A rank that hangs, while the others wait for it or for each other: all of them name it.

usage: mpi_hanging.py MPIRUN PROGRAM CASE; PROGRAM is hanging_ranks.c"""

from support import run, run_case


def named(folder):
    for ranks in [2, 3, 4]:
        done = run(ranks, [])
        lines = sorted(line for line in done.stdout.splitlines() if line.startswith("rank "))
        assert len(lines) == ranks - 1, (done.stdout, done.stderr)
        for rank, line in enumerate(lines):
            assert line.startswith(f"rank {rank}: "), lines
            assert line.endswith(f"rank {ranks - 1} has not answered for 2 seconds"), lines


run_case(globals())
