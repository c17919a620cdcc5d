"""Writes kept_state.txt: parameters and state after 20 steps of optimizers whose state is kept in blocks of 8 bits, as
Dettmers et al. 2022 (arXiv 2110.02861) write it, with the maps and the block size of bitsandbytes. Needs NumPy:
python kept_state.py [FILE]

A case is a line "case DESCRIPTION" and, for parameter i of SIZES, lines "i ARRAY VALUES": every STRIDE-th value. Values
come from the generator of tests/support/support.c (support_fill): parameter i with seed 100 + i, its gradient in step t
with seed 1000 t + i, times the SCALES in turn. The learning rate falls by a schedule, and some parameters thaw late."""

import pathlib
import sys

import numpy

from support import fill, line

STEPS, STRIDE, BLOCK, LEAST = 20, 61, 256, 4096
SIZES = [4096, 5001, 4095, 8192]
SCALES = numpy.float32([1, 10, 0.1, 1e-3, 3, 1e-5])
F = numpy.float32


def dynamic_map(signed):
    """Seven decades up to 1, with 2^i parts in decade i, or twice as many if all is positive: the means of the parts'
    ends; 0; and 1."""
    entries = [0.0, 1.0]
    for i in range(7):
        ends = numpy.linspace(0.1, 1, 2**(i if signed else i + 1) + 1, dtype=numpy.float32)
        means = 10.0**(i - 6) * ((ends[:-1] + ends[1:]) / 2).astype(numpy.float64)
        entries += list(means) + (list(-means) if signed else [])
    assert len(entries) == 256
    return numpy.sort(numpy.float32(entries))


MAPS = {True: dynamic_map(True), False: dynamic_map(False)}


class Slot:
    """Numbers as they are kept: in blocks, or as floats if the parameter is small."""

    def __init__(self, count, signed):
        self.map, self.count = MAPS[signed], count
        self.store(numpy.zeros(count, F))

    def store(self, values):
        if self.count < LEAST:
            self.floats = values
            return
        blocks = numpy.zeros(-(-self.count // BLOCK) * BLOCK, F)
        blocks[:self.count] = values
        blocks = blocks.reshape(-1, BLOCK)
        self.largest = numpy.abs(blocks).max(axis=1, keepdims=True)
        scaled = blocks / numpy.where(self.largest > 0, self.largest, 1)
        self.indices = numpy.searchsorted((self.map[1:] + self.map[:-1]) / 2, scaled)

    def load(self):
        if self.count < LEAST:
            return self.floats
        return (self.map[self.indices] * self.largest).reshape(-1)[:self.count]


def adam(p, g, slots, step, lr, decoupled, weight_decay=0.0, beta1=0.9, beta2=0.999, eps=1e-8):
    if decoupled:
        p *= F(1 - lr * weight_decay)
    else:
        g = g + F(weight_decay) * p
    m = slots["exp_avg"].load() + F(1 - beta1) * (g - slots["exp_avg"].load())
    v = F(beta2) * slots["exp_avg_sq"].load() + F(1 - beta2) * g * g
    p -= F(lr / (1 - beta1**step)) * m / (numpy.sqrt(v) * F((1 - beta2**step)**-0.5) + F(eps))
    return {"exp_avg": m, "exp_avg_sq": v}


def lion(p, g, slots, step, lr, weight_decay=0.0, beta1=0.9, beta2=0.99):
    m = slots["exp_avg"].load()
    p -= F(lr) * numpy.sign(F(beta1) * m + F(1 - beta1) * g) + F(lr * weight_decay) * p
    return {"exp_avg": F(beta2) * m + F(1 - beta2) * g}


def sgd(p, g, slots, step, lr, momentum, weight_decay=0.0, nesterov=0):
    g = g + F(weight_decay) * p
    buffer = F(momentum) * slots["momentum_buffer"].load() + g
    p -= F(lr) * (g + F(momentum) * buffer if nesterov else buffer)
    return {"momentum_buffer": buffer}


KINDS = {
    "adam": (lambda *given, **options: adam(*given, decoupled=False, **options), {"exp_avg": True, "exp_avg_sq": False}),
    "adamw": (lambda *given, **options: adam(*given, decoupled=True, **options), {"exp_avg": True, "exp_avg_sq": False}),
    "lion": (lion, {"exp_avg": True}),
    "sgd": (sgd, {"momentum_buffer": True}),
}
CASES = [
    ("adamw", {"lr": 1e-2}), ("adamw", {"lr": 1e-2, "weight_decay": 0.3, "beta1": 0.8, "beta2": 0.99}),
    ("adam", {"lr": 1e-2, "weight_decay": 0.1}), ("lion", {"lr": 1e-3, "weight_decay": 0.3}),
    ("sgd", {"lr": 1e-2, "momentum": 0.9, "weight_decay": 0.1}), ("sgd", {"lr": 1e-2, "momentum": 0.8, "nesterov": 1}),
]


def trains(index, step):
    return not (index % 2 == 1 and step < 8) and not (index == 3 and 12 <= step < 15)


def run(kind, options):
    update, signs = KINDS[kind]
    options = {"weight_decay": 0.01 if kind == "adamw" else 0.0, **options}
    lines = []
    for index, size in enumerate(SIZES):
        p, steps = fill(size, 100 + index).numpy(), 0
        slots = {name: Slot(size, signed) for name, signed in signs.items()}
        scales = numpy.resize(SCALES, size)
        for step in range(1, STEPS + 1):
            if not trains(index, step):
                continue
            steps += 1
            now = {**options, "lr": options["lr"] * (1 - step / 40)}
            g = fill(size, 1000 * step + index).numpy() * scales
            for name, values in update(p, g, slots, steps, **now).items():
                slots[name].store(values)
        lines.append(line(f"{index} parameter", p[::STRIDE]))
        lines += [line(f"{index} {name}", slot.load()[::STRIDE]) for name, slot in slots.items()]
    return lines


def main():
    path = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).with_name("kept_state.txt"))
    lines = []
    for kind, options in CASES:
        settings = ",".join(f"{name}={value}" for name, value in options.items())
        lines += [f"case {kind}:state=8bit,{settings}"] + run(kind, options)
    path.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
