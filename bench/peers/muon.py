"""A step of Muon over the weights of a ViT-S, in Thaw and in PyTorch 2.13, alternating:
python muon.py BUILD/bench/matrices [--threads N] [--repetitions N]. PyTorch's iteration runs in bfloat16."""

import argparse
import statistics
import subprocess
import time

import torch

SHAPES = [(1152, 384), (384, 384), (1536, 384), (384, 1536)] * 12


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("matrices")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repetitions", type=int, default=7)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    parameters = [torch.nn.Parameter(torch.randn(shape) / 20) for shape in SHAPES]
    for parameter in parameters:
        parameter.grad = torch.randn_like(parameter)
    optimizer = torch.optim.Muon(parameters)
    thaw = subprocess.Popen([options.matrices, "--serve", "--threads", str(options.threads)], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, text=True)
    own, other = [], []
    for repetition in range(options.repetitions + 1):
        print(file=thaw.stdin, flush=True)
        own.append(float(thaw.stdout.readline()))
        begin = time.perf_counter()
        optimizer.step()
        other.append(time.perf_counter() - begin)
    thaw.stdin.close()
    thaw.wait()
    own, other = own[1:], other[1:]  # the first ones allocate
    ratio = statistics.median(b / a for a, b in zip(own, other))
    print(f"Thaw {statistics.median(own) * 1e3:.1f} ms, PyTorch {statistics.median(other) * 1e3:.1f} ms: "
          f"{ratio:.2f} times as fast, median of {options.repetitions}, {options.threads} threads")


main()
