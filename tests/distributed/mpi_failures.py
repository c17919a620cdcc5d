#!/usr/bin/env python3
"""The command under mpirun: what becomes of the others when a rank dies, hangs or is told to stop.

usage: mpi_failures.py MPIRUN COMMAND CASE"""

import re
import signal
import subprocess

from support import DATA, RUN, disturb, failures, hash_of, run_case, succeed


def continue_everywhere(folder, line, wanted):
    """The checkpoints continue on any number of ranks to the same weights."""
    for ranks in [1, 2, 4]:
        copy = f"{folder}/copy{ranks}"
        subprocess.run(["cp", "-r", f"{folder}/run", copy], check=True)
        succeed(ranks, line + ["--checkpoint", copy, "--resume", "--save", f"{folder}/resumed{ranks}"])
        assert hash_of(f"{folder}/resumed{ranks}") == wanted, ranks


LONG = ["train", "--epochs", "20", "--timeout", "3"] + RUN


def killed(folder):
    line = LONG + DATA
    succeed(1, line + ["--save", f"{folder}/whole"])
    code, _, errors, seconds = disturb(2, line + ["--checkpoint", f"{folder}/run", "--checkpoint-every", "5steps"],
                                       f"{folder}/run", signal.SIGKILL)
    assert code != 0 and seconds < 60, (code, seconds, errors)
    assert "rank 1" in errors, errors
    continue_everywhere(folder, line, hash_of(f"{folder}/whole"))


def hanging(folder):
    """A rank that does not go on: --timeout ends the others, with a message that names it."""
    line = LONG + DATA
    succeed(1, line + ["--save", f"{folder}/whole"])
    code, _, errors, seconds = disturb(4, line + ["--checkpoint", f"{folder}/run", "--checkpoint-every", "5steps"],
                                       f"{folder}/run", signal.SIGSTOP)
    assert code != 0 and 2 < seconds < 90, (code, seconds, errors)
    lines = failures(errors)
    assert len(lines) == 1, errors
    assert re.search("^thaw: .*training: rank [012] of 4 cannot reach the others: rank 3 has not answered for 3 seconds$",
                     lines[0]), errors
    succeed(2, line + ["--checkpoint", f"{folder}/run", "--resume", "--save", f"{folder}/parts"])
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
