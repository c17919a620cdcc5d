#!/usr/bin/env python3
"""The command under mpirun: what becomes of the others when a rank dies, hangs or is told to stop.

usage: mpi_failures.py MPIRUN COMMAND CASE

THAW_KILLS sets how often the run of `kills` is killed (4)."""

import os
import random
import re
import shutil
import signal
import subprocess
import time

from support import DATA, MPIRUN, RUN, disturb, failures, hash_of, ranks_of, run_case, start, succeed


def continue_everywhere(folder, line, wanted):
    """The checkpoints continue on any number of ranks to the same weights."""
    for ranks in [1, 2, 4]:
        copy = f"{folder}/copy{ranks}"
        subprocess.run(["cp", "-r", f"{folder}/run", copy], check=True)
        succeed(ranks, line + ["--checkpoint", copy, "--resume", "--save", f"{folder}/resumed{ranks}"])
        assert hash_of(f"{folder}/resumed{ranks}") == wanted, ranks


LONG = ["train", "--epochs", "20"] + RUN
TIMEOUT = 15  # seconds, in which all ranks also start on a busy machine


def killed(folder):
    line = LONG + DATA
    succeed(1, line + ["--save", f"{folder}/whole"])
    code, _, errors, seconds = disturb(2, line + ["--checkpoint", f"{folder}/run", "--checkpoint-every", "5steps"],
                                       f"{folder}/run", signal.SIGKILL)
    assert code != 0 and seconds < 60, (code, seconds, errors)
    assert "rank 1" in errors or code == -signal.SIGSEGV, errors
    continue_everywhere(folder, line, hash_of(f"{folder}/whole"))


def hanging(folder):
    """A rank that does not go on: --timeout ends the others, with a message that names it."""
    line = LONG + DATA
    succeed(1, line + ["--save", f"{folder}/whole"])
    checkpoints = ["--checkpoint", f"{folder}/run", "--checkpoint-every", "5steps"]
    code, _, errors, seconds = disturb(4, line + checkpoints + ["--timeout", str(TIMEOUT)], f"{folder}/run",
                                       signal.SIGSTOP)
    assert code != 0 and TIMEOUT - 1 < seconds < 90, (code, seconds, errors)
    lines = failures(errors)
    assert len(lines) == 1, errors
    assert re.search("^thaw: .*training: rank [012] of 4 cannot reach the others: rank 3 has not answered for "
                     f"{TIMEOUT} seconds$", lines[0]), errors
    succeed(2, line + ["--checkpoint", f"{folder}/run", "--resume", "--save", f"{folder}/parts"])
    assert hash_of(f"{folder}/parts") == hash_of(f"{folder}/whole")


def kill_some_rank(ranks, line, mark, chance):
    """Starts the run and kills one of its ranks at a random moment. Returns whether the run was still going."""
    process = start(ranks, line, mark)
    deadline = time.monotonic() + chance.uniform(0, 3)
    while process.poll() is None and (time.monotonic() < deadline or len(ranks_of(mark)) < ranks):
        time.sleep(0.01)
    victims = ranks_of(mark)
    rank = chance.randrange(ranks)
    if len(victims) == ranks:
        os.kill(victims[rank], signal.SIGKILL)
    deadline = time.monotonic() + 30
    while ranks_of(mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not ranks_of(mark), rank
    return end_launcher(process, rank)


def end_launcher(process, rank):
    """Whether the run has failed. mpirun names the rank, unless it hangs, as Open MPI's does at times when a process that
    it is just starting dies, or does not know it, as MPICH's."""
    try:
        _, errors = process.communicate(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return True
    crashed = process.returncode == -signal.SIGSEGV  # as Open MPI's mpirun does at times
    assert process.returncode == 0 or crashed or "hydra" in os.path.realpath(shutil.which(MPIRUN)) or \
        f"rank {rank}" in errors, errors
    return process.returncode != 0


def kills(folder):
    """One run, of which a random rank is killed at random moments, and which goes on with another number of ranks."""
    chance = random.Random(17)
    line = LONG + DATA
    succeed(1, line + ["--save", f"{folder}/whole"])
    line += ["--checkpoint", f"{folder}/run", "--resume"]
    killed_runs, turns = 0, 0
    while killed_runs < int(os.environ.get("THAW_KILLS", "4")):
        going = kill_some_rank([2, 4][turns % 2], line + ["--checkpoint-every", "1steps"], f"{folder}/run", chance)
        turns += 1
        killed_runs += going
        assert turns < 1000
        if not going:
            subprocess.run(["rm", "-r", f"{folder}/run"], check=True)
    succeed([1, 2, 4][turns % 3], line + ["--save", f"{folder}/parts"])
    assert hash_of(f"{folder}/parts") == hash_of(f"{folder}/whole")


def signalled(folder):
    """SIGTERM to one rank stops all after the same step, with a checkpoint."""
    line = LONG + DATA
    succeed(1, line + ["--save", f"{folder}/whole"])
    code, output, errors, _ = disturb(2, line + ["--checkpoint", f"{folder}/run", "--checkpoint-every", "5steps"],
                                      f"{folder}/run", signal.SIGTERM)
    assert code == 128 + signal.SIGTERM, (code, output, errors)
    assert output.count("continue with the same command and --resume") == 1, output
    succeed(1, line + ["--checkpoint", f"{folder}/run", "--resume", "--save", f"{folder}/parts"])
    assert hash_of(f"{folder}/parts") == hash_of(f"{folder}/whole")


run_case(globals())
