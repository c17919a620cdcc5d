"""What the tests under mpirun share: data, runs of the command on some ranks, and what they may print.

Each program is run as PROGRAM MPIRUN COMMAND CASE. Ranks are allowed to be more than cores, as on small machines: then each
has one thread."""

import hashlib
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zlib

MPIRUN, CASE = sys.argv[1], sys.argv[3]
COMMAND = os.path.abspath(sys.argv[2])
CLASSES, SIDE = 4, 28
RUN = ["--model", "mlp-500", "--threads", "1", "--batch", "16", "--shards", "4", "--seed", "3"]
# In containers, processes may not read each other's memory, of which Open MPI would warn.
ENVIRONMENT = dict(os.environ, OMPI_MCA_btl_vader_single_copy_mechanism="none", OMPI_ALLOW_RUN_AS_ROOT="1",
                   OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMPI_MCA_rmaps_base_oversubscribe="1",
                   OMPI_MCA_hwloc_base_binding_policy="none")
DATA = []


def write_data(folder, count, noise=1):
    """Images with a bright bar at the height of their class, in front of noise."""
    pixels, labels = bytearray(), bytearray()
    for i in range(count):
        labels.append(i % CLASSES)
        for k in range(SIDE * SIDE):
            noise = (noise * 1664525 + 1013904223) & 0xFFFFFFFF
            pixels.append((180 if k // SIDE // 6 == i % CLASSES else 0) + (noise >> 26))
    with open(f"{folder}/images", "wb") as file:
        file.write(struct.pack(">BBBBIII", 0, 0, 8, 3, count, SIDE, SIDE) + pixels)
    with open(f"{folder}/labels", "wb") as file:
        file.write(struct.pack(">BBBBI", 0, 0, 8, 1, count) + labels)
    return ["--data", f"idx:{folder}/images,{folder}/labels"]


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def write_image(path, label, noise, side=32):
    """A PNG with a bright bar at the height of its class, in front of noise."""
    rows = bytearray()
    for k in range(side):
        rows.append(0)  # no filter
        for _ in range(3 * side):
            noise = (noise * 1664525 + 1013904223) & 0xFFFFFFFF
            rows.append((150 if k * CLASSES // side == label else 0) + (noise >> 26))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)) +
                   chunk(b"IDAT", zlib.compress(bytes(rows))) + chunk(b"IEND", b""))


def write_images(folder):
    """A folder of images of each class. Returns its path."""
    for number in range(4 * CLASSES):
        write_image(f"{folder}/pictures/{'abcd'[number % CLASSES]}/{number}.png", number % CLASSES, number + 1)
    return f"{folder}/pictures"


def words(ranks, arguments, command=COMMAND):
    launcher = [MPIRUN, "-n", str(ranks)] if ranks > 1 else []
    return launcher + [command] + arguments


def run(ranks, arguments, command=COMMAND, **changes):
    """Open MPI's mpirun itself crashes at times while it passes on that a rank aborts (pmix_server_log_fn); then again."""
    for _ in range(5):
        done = subprocess.run(words(ranks, arguments, command), capture_output=True, text=True, timeout=200,
                              stdin=subprocess.DEVNULL, env=dict(ENVIRONMENT, **changes))
        if ranks == 1 or done.returncode != -signal.SIGSEGV:
            break
    return done


def succeed(ranks, arguments, command=COMMAND):
    done = run(ranks, arguments, command)
    assert done.returncode == 0, (ranks, arguments, done.stdout, done.stderr)
    return done


def hash_of(path):
    """Of the values alone: the file's header tells the command that saved it."""
    with open(path, "rb") as file:
        file.seek(struct.unpack("<Q", file.read(8))[0], os.SEEK_CUR)
        values = file.read()
    assert values, path
    return hashlib.sha256(values).hexdigest()


def failures(errors):
    """What the command has printed, without mpirun's own lines."""
    return [line for line in errors.splitlines() if line.startswith("thaw")]


def refuse(message, code, ranks, arguments, command=COMMAND, **changes):
    """Fails with a message, which is printed once."""
    done = run(ranks, arguments, command, **changes)
    lines = failures(done.stderr)
    assert done.returncode == code, (message, done.returncode, done.stdout, done.stderr)
    assert len(lines) == 1 and message in lines[0], (message, done.stderr)
    assert "saved" not in done.stdout, done.stdout
    return done


def wrapper(folder, change):
    """A script that starts the command on rank 1 after a change."""
    path = f"{folder}/wrapper"
    with open(path, "w", encoding="utf-8") as file:
        file.write('#!/bin/sh\nif [ "${OMPI_COMM_WORLD_RANK:-$PMI_RANK}" = 1 ]; then '
                   f'{change}; fi\nexec "{COMMAND}" "$@"\n')
    os.chmod(path, 0o755)
    return path


def ranks_of(mark):
    """The processes of the command whose environment has this mark, in the order of their ranks."""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/environ", "rb") as file:
                variables = dict(item.split(b"=", 1) for item in file.read().split(b"\0") if b"=" in item)
            program = os.readlink(f"/proc/{name}/exe")
        except (OSError, ValueError):
            continue
        rank = variables.get(b"OMPI_COMM_WORLD_RANK", variables.get(b"PMI_RANK"))
        if variables.get(b"THAW_TEST_MARK") == mark.encode() and rank and program == os.path.realpath(COMMAND):
            found[int(rank)] = int(name)
    return [found[rank] for rank in sorted(found)]


def start(ranks, arguments, mark):
    return subprocess.Popen(words(ranks, arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            stdin=subprocess.DEVNULL, env=dict(ENVIRONMENT, THAW_TEST_MARK=mark))


def await_checkpoint(process, checkpoints):
    deadline = time.monotonic() + 200
    while not (os.path.isdir(checkpoints) and any(name.endswith(".safetensors") for name in os.listdir(checkpoints))):
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        time.sleep(0.01)


def disturb(ranks, arguments, checkpoints, number):
    """Sends a signal to the last rank when there are checkpoints. Returns mpirun's result and the seconds until then."""
    process = start(ranks, arguments, checkpoints)
    await_checkpoint(process, checkpoints)
    found = ranks_of(checkpoints)
    assert len(found) == ranks, found
    os.kill(found[-1], number)
    begin = time.monotonic()
    output, errors = process.communicate(timeout=200)
    seconds = time.monotonic() - begin
    for left in ranks_of(checkpoints):
        os.kill(left, signal.SIGKILL)
    return process.returncode, output, errors, seconds


def run_case(cases):
    """Runs the case of the command line, in a folder with data."""
    with tempfile.TemporaryDirectory() as place:
        DATA.extend(write_data(place, 96))
        cases[CASE](place)
