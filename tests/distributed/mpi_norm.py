#!/usr/bin/env python3
"""Batch normalisation by the batch of all ranks, under mpirun.

usage: mpi_norm.py MPIRUN COMMAND CASE"""

import json

from support import hash_of, run_case, succeed, write_images


def sync_batch_norm(folder):
    """One step: the loss is that of one process with the whole batch, and each rank sends so many bytes more. Four parts
    come to the same bits on any number of ranks."""
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
    hashes = set()
    for ranks in [1, 2, 4]:
        file = f"{folder}/{ranks}"
        parts = succeed(ranks, train + sync + ["--shards", "4", "--save", file]).stdout.splitlines()[0]
        assert abs(json.loads(parts)["loss"] - alone) <= 1e-5 * alone, (ranks, parts, epochs)
        hashes.add(hash_of(file))
    assert len(hashes) == 1, hashes


run_case(globals())
