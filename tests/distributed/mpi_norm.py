#!/usr/bin/env python3
"""Batch normalisation by the batch of all ranks, under mpirun.

usage: mpi_norm.py MPIRUN COMMAND CASE"""

import json

from support import refuse, run_case, succeed, write_images


def sync_batch_norm(folder):
    """One step: the loss is that of one process with the whole batch, and each rank sends so many bytes more."""
    line = ["--model", "resnet18", "--threads", "1", "--batch", "12", "--json", "--data",
            f"folder:{write_images(folder)};size=32"]
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
