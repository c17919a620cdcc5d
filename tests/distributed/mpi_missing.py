#!/usr/bin/env python3
"""The command where libthaw-mpi is missing: as it was built without MPI, or since its path is wrong.

usage: mpi_missing.py COMMAND LIBRARY; LIBRARY is a path that does not exist, or "" for a build without MPI"""

import os
import subprocess
import sys

COMMAND, LIBRARY = sys.argv[1:3]


def refuse(message, variables):
    """Like a process that mpirun has started."""
    environment = dict(os.environ, **variables)
    if LIBRARY:
        environment["THAW_MPI_LIBRARY"] = LIBRARY
    done = subprocess.run([COMMAND, "train", "--model", "mlp-500", "--data", "idx:x,y"] + ARGUMENTS, capture_output=True,
                          text=True, timeout=60, env=environment, stdin=subprocess.DEVNULL)
    assert done.returncode == 1, (done.returncode, done.stderr)
    assert done.stderr.startswith(message) and done.stderr.count("\n") == 1, (message, done.stderr)
    assert "libopenmpi-dev" in done.stderr and "-Dmpi=enabled" in done.stderr, done.stderr
    assert not done.stdout, done.stdout


NAME = LIBRARY or "libthaw-mpi.so.0"
ARGUMENTS = []
for size, rank in [("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"), ("PMI_SIZE", "PMI_RANK")]:
    refuse(f"thaw: --ranks: {NAME}: cannot open shared object file", {size: "2", rank: "0"})
    refuse(f"thaw: rank 1: --ranks: {NAME}: cannot open shared object file", {size: "2", rank: "1"})
ARGUMENTS = ["--ranks", "mpi"]
refuse(f"thaw: --ranks: {NAME}: cannot open shared object file", {})
