#!/usr/bin/env python3
"""Batch normalisation by the batch of all ranks, under mpirun.

usage: mpi_norm.py MPIRUN COMMAND CASE"""

import json
import os
import struct
import zlib

from support import refuse, run_case, succeed

CLASSES, EACH, SIDE = 4, 4, 32


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def write_images(folder):
    """PNGs with a bright bar at the height of their class, in front of noise."""
    noise = 1
    for number in range(CLASSES * EACH):
        rows = bytearray()
        for k in range(SIDE):
            rows.append(0)  # no filter
            for _ in range(3 * SIDE):
                noise = (noise * 1664525 + 1013904223) & 0xFFFFFFFF
                rows.append((150 if k * CLASSES // SIDE == number % CLASSES else 0) + (noise >> 26))
        place = f"{folder}/pictures/{'abcd'[number % CLASSES]}"
        os.makedirs(place, exist_ok=True)
        with open(f"{place}/{number}.png", "wb") as file:
            file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)) +
                       chunk(b"IDAT", zlib.compress(bytes(rows))) + chunk(b"IEND", b""))
    return ["--data", f"folder:{folder}/pictures;size={SIDE}"]


def sync_batch_norm(folder):
    """One step: the loss is that of one process with the whole batch, and each rank sends so many bytes more."""
    line = ["--model", "resnet18", "--threads", "1", "--batch", "12", "--json"] + write_images(folder)
    train, sync = ["train", "--optimizer", "sgd:lr=0.01"] + line, ["--sync-batch-norm"]
    epochs = {}
    for name, ranks, more in [("alone", 1, sync), ("synced", 2, sync), ("apart", 2, [])]:
        epochs[name] = json.loads(succeed(ranks, train + more).stdout.splitlines()[0])
    alone, synced, apart = [epochs[name]["loss"] for name in ("alone", "synced", "apart")]
    assert abs(synced - alone) <= 1e-5 * alone, epochs
    assert abs(apart - alone) > 1e-3 * alone, epochs
    plan = json.loads(succeed(1, ["plan", "--shards", "2"] + sync + line).stdout.splitlines()[-1])
    assert epochs["synced"]["sent_bytes"] == epochs["apart"]["sent_bytes"] + plan["synced_bytes"], (epochs, plan)
    assert plan["synced_bytes"] > 100000, plan
    refuse("thaw: --sync-batch-norm: needs one part of the batch on each rank: leave out --accumulate, or use 4 ranks", 2, 2,
           train + sync + ["--accumulate", "2"])


run_case(globals())
