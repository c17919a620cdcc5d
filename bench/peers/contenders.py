"""Processes that train on command: Thaw's worker.c, and PyTorch's torch_worker.py with what it needs."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
TORCH = "torch==2.13.0"
WAYS = ("eager", "channels-last", "folded", "compile")
BACKBONES = ("resnet18", "mobilenet-v2", "efficientnet-lite0")
CONVOLUTIONAL = ("transfer-cnn", "cnn-8-16", *BACKBONES)


def say(text):
    print(text, file=sys.stderr, flush=True)


# ---- PyTorch


def torch_version(python):
    try:
        found = subprocess.run([python, "-c", "import torch; print(torch.__version__)"], capture_output=True, text=True)
    except OSError:
        return None
    return found.stdout.strip() if found.returncode == 0 else None


def install_torch():
    """An interpreter that has torch: the virtual environment's, else the system's; None when neither can be had."""
    home = ROOT / ".cache" / "peers"
    python = home / "bin" / "python"
    if not torch_version(python):
        say(f"installing {TORCH} into {home}")
        made = subprocess.run([sys.executable, "-m", "venv", home]).returncode == 0
        if made:
            subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", TORCH])
    if torch_version(python):
        return str(python)
    if not torch_version("/usr/bin/python3") and os.geteuid() == 0 and shutil.which("apt-get"):
        say("installing Debian's python3-torch")
        environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
        subprocess.run(["apt-get", "-qq", "install", "-y", "--no-install-recommends", "python3-torch"],
                       env=environment, stdin=subprocess.DEVNULL, stdout=sys.stderr)
    return "/usr/bin/python3" if torch_version("/usr/bin/python3") else None


def ways_of(python, what):
    """The ways in which PyTorch may run a workload."""
    ways = ["eager"]
    if what["network"] in CONVOLUTIONAL:
        ways.append("channels-last")
    if what["network"] in BACKBONES and "freeze" in what:
        ways.append("folded")
    if shutil.which("g++") and int(torch_version(python).split(".")[0]) >= 2:
        ways.append("compile")
    return ways


# ---- contenders


def environment_of(threads):
    """An honest race: no variable that slows a peer's BLAS down, and the same threads for all."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("OPENBLAS_")}
    environment["OMP_NUM_THREADS"] = str(threads)
    return environment


class Contender:
    """A process that trains on command."""

    def __init__(self, name, command, threads):
        self.name, self.times, self.log = name, [], tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([*command, f"threads={threads}"], stdin=subprocess.PIPE, stderr=self.log,
                                        stdout=subprocess.PIPE, text=True, env=environment_of(threads))
        self.version = self.answer().removeprefix("ready ")

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.log.seek(0)
            raise RuntimeError((self.log.read().strip().splitlines() or ["it ended without a word"])[-1])
        return line.strip()

    def send(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def ask(self, command):
        self.send(command)
        return self.answer()

    def run(self, command):
        return [float(time) for time in self.ask(command).split()]

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


def start(name, command, threads, warm_up):
    """A contender that has run once, or None when it cannot."""
    try:
        contender = Contender(name, command, threads)
        contender.run(warm_up)
        return contender
    except (RuntimeError, OSError) as reason:
        say(f"  {name} is out: {reason}")
        return None


def thaw_command(build, settings):
    return [str(build / "bench" / "peers-worker"), *settings]


def torch_command(python, settings):
    return [python, str(HERE / "torch_worker.py"), *settings]


def race(contenders, command, rounds):
    """Rounds of turns; who begins changes, so that no one always runs after the same other."""
    for index in range(rounds):
        for place in range(len(contenders)):
            contender = contenders[(index + place) % len(contenders)]
            contender.times += contender.run(command)
