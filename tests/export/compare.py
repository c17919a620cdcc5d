#!/usr/bin/env python3
"""Runs each NAME.onnx of a folder in ONNX Runtime on NAME.INPUT, and compares with NAME.output. All files have floats.

usage: compare.py FOLDER COUNT; COUNT: how many networks there must be"""

import pathlib
import sys

import numpy
import onnx
import onnxruntime

TOLERANCE = 1e-5


def compare(path):
    """The largest difference of an output: against 1, or its own size if that is more."""
    onnx.checker.check_model(onnx.load(path), full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    inputs, (made,) = {}, session.get_outputs()
    for given in session.get_inputs():
        assert given.shape[0] == made.shape[0] == "batch", (given, made)
        values = numpy.fromfile(path.with_suffix("." + given.name), numpy.float32).reshape([-1] + given.shape[1:])
        inputs[given.name] = values.astype(numpy.int64) if given.type == "tensor(int64)" else values
    wanted = numpy.fromfile(path.with_suffix(".output"), numpy.float32).reshape([len(values)] + made.shape[1:])
    found = session.run(None, inputs)[0]
    assert found.shape == wanted.shape, (path.name, found.shape, wanted.shape)
    alone = session.run(None, {name: values[:1] for name, values in inputs.items()})[0]
    assert alone.shape[0] == 1, (path.name, alone.shape)
    return float(numpy.max(numpy.abs(found - wanted) / numpy.maximum(1, numpy.abs(wanted))))


def main():
    paths = sorted(pathlib.Path(sys.argv[1]).glob("*.onnx"))
    assert len(paths) == int(sys.argv[2]), paths
    differences = {path.stem: compare(path) for path in paths}
    worst = max(differences, key=differences.get)
    print(f"{len(paths)} networks: the largest difference is {differences[worst]:.2g}, of {worst}")
    wrong = {name: value for name, value in differences.items() if not value <= TOLERANCE}
    for name, value in wrong.items():
        print(f"{name}: {value:.3g}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
