"""Lets TensorBoard read the event file that Thaw wrote of the first run in tests/compare/results.json, and compares it
with those results. The file is kept as events.tfevents beside this script, and the tests want the same bytes.
    events.py FILE        of tensorboard 2.21, with protobuf 7"""
import json
import pathlib
import shutil
import sys
import tempfile

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

HERE = pathlib.Path(__file__).resolve().parent
NAMES = {"test/accuracy": "test_accuracy", "test/loss": "test_loss", "training/accuracy": "training_accuracy",
         "training/loss": "training_loss", "epoch/seconds": "seconds", "epoch/samples_per_second": "samples_per_second",
         "epoch/parameters": "parameters_trained"}

with tempfile.TemporaryDirectory() as folder:
    shutil.copy(sys.argv[1], pathlib.Path(folder) / "events.out.tfevents.0000000000.thaw")
    read = EventAccumulator(folder)
    read.Reload()
    epochs = json.loads((HERE.parent / "compare" / "results.json").read_text())["cells"][0]["epochs"]
    assert sorted(read.Tags()["scalars"]) == sorted(NAMES), read.Tags()
    for tag, key in NAMES.items():
        events = read.Scalars(tag)
        assert [event.step for event in events] == [epoch["epoch"] for epoch in epochs]
        for event, epoch in zip(events, epochs):
            assert abs(event.value - epoch[key]) <= 1e-6 * abs(epoch[key]), (tag, event, epoch[key])
shutil.copy(sys.argv[1], HERE / "events.tfevents")
print(f"TensorBoard read {len(NAMES)} series of {len(epochs)} epochs")
