"""Means with t-intervals and paired differences by SciPy: writes statistics.txt beside this file. Run with SciPy 1.17."""
import pathlib

import numpy
from scipy import stats

generator = numpy.random.default_rng(1)
with open(pathlib.Path(__file__).with_name("statistics.txt"), "w") as file:
    for count in [2, 3, 4, 5, 7, 10, 31, 100]:
        left = numpy.round(generator.normal(0.8, 0.05, count), 6)
        right = numpy.round(left + generator.normal(0.01, 0.02, count), 6)
        file.write(f"{count}\n")
        for values in (left, right):
            file.write(" ".join(repr(float(value)) for value in values) + "\n")
        for values in (left, left - right):
            mean, error = numpy.mean(values), stats.sem(values)
            low, high = stats.t.interval(0.95, count - 1, loc=mean, scale=error)
            figures = [mean, numpy.std(values, ddof=1), low, high, numpy.median(values)]
            file.write(" ".join(repr(float(figure)) for figure in figures) + "\n")
