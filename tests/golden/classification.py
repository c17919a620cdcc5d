"""Figures of classifiers by scikit-learn: writes classification.txt beside this file. Run with scikit-learn 1.9.

A case is a line "samples classes", a line of scores and the label for each sample, then the confusion matrix, a line
"precision recall F1 AUC support" for each class, and lines of the means: macro, weighted, "accuracy top5 AUC"."""
import pathlib
import warnings

import numpy
from sklearn import metrics

generator = numpy.random.default_rng(3)
warnings.simplefilter("ignore")


def scores_of(labels, classes, levels, skill):
    """Probabilities, some of which are equal if `levels` is small, and that tell the label with some skill."""
    raw = generator.random((len(labels), classes))
    raw[numpy.arange(len(labels)), labels] += skill
    raw /= raw.sum(axis=1, keepdims=True)
    return (numpy.round(raw * levels) / levels).astype(numpy.float32)


def write_numbers(file, values):
    file.write(" ".join("nan" if numpy.isnan(value) else repr(float(value)) for value in values) + "\n")


def write_case(file, scores, labels):
    samples, classes = scores.shape
    names = numpy.arange(classes)
    told = scores.argmax(axis=1)  # the first of equal ones
    file.write(f"{samples} {classes}\n")
    for row, label in zip(scores, labels):
        file.write(" ".join(f"{value:.9g}" for value in row) + f" {label}\n")
    for row in metrics.confusion_matrix(labels, told, labels=names):
        file.write(" ".join(map(str, row)) + "\n")
    report = metrics.precision_recall_fscore_support(labels, told, labels=names, zero_division=0)
    areas = [
        metrics.roc_auc_score(labels == k, scores[:, k]) if 0 < (labels == k).sum() < samples else numpy.nan
        for k in names
    ]
    for k in names:
        write_numbers(file, [report[0][k], report[1][k], report[2][k], areas[k], report[3][k]])
    for average in ("macro", "weighted"):
        write_numbers(
            file, metrics.precision_recall_fscore_support(labels, told, labels=names, average=average, zero_division=0)[:3]
        )
    # Of equal scores the lower class comes first, where scikit-learn's top_k_accuracy_score takes the higher.
    first = numpy.argsort(-scores, axis=1, kind="stable")[:, :5]
    top = (first == labels[:, None]).any(axis=1).mean()
    if classes > 5 and all(len(set(row)) == classes for row in scores):
        assert abs(top - metrics.top_k_accuracy_score(labels, scores, k=5, labels=names)) < 1e-12
    defined = [area for area in areas if not numpy.isnan(area)]
    write_numbers(file, [metrics.accuracy_score(labels, told), top, numpy.mean(defined) if defined else numpy.nan])


with open(pathlib.Path(__file__).with_name("classification.txt"), "w") as file:
    for samples, classes, levels, skill in [(40, 3, 10**6, 0.5), (60, 4, 8, 0.6), (50, 8, 10**6, 0.3), (30, 2, 10, 0.4)]:
        labels = generator.integers(0, classes, samples)
        write_case(file, scores_of(labels, classes, levels, skill), labels)
    # Class 2 has no samples, class 1 is never told, class 4 is neither.
    labels = generator.choice([0, 1, 3], 35)
    scores = scores_of(labels, 5, 20, 0.4)
    scores[:, 1] *= 0.05
    scores[:, 4] = 0
    write_case(file, scores, labels)
    # One class; all samples of one of three classes; all scores equal.
    write_case(file, numpy.ones((4, 1), numpy.float32), numpy.zeros(4, int))
    write_case(file, scores_of(numpy.full(6, 1), 3, 10**6, 0.3), numpy.full(6, 1))
    write_case(file, numpy.full((9, 3), 0.25, numpy.float32), generator.integers(0, 3, 9))
