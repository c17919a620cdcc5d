"""Writes token_losses.txt and contrastive_loss.txt: losses and gradients of PyTorch's cross_entropy over tokens for
each combination of its options, and of the in-batch contrastive loss as sentence-transformers defines it; and
token_training.txt: the losses of steps of a network over tokens, and its weights behind them. Run with PyTorch 2.13:
python token_losses.py.

Numbers come from the generator of tests/support/support.c (support_fill): logits with seed 100, times 4; anchors with
seed 100 and positives with seed 101. A case is a line "case SETTINGS" and the lines of its values."""

import itertools
import pathlib

import torch
from support import fill, line

SAMPLES, TOKENS, CLASSES = 3, 4, 5
LABELS = [[3, 0, -100, 1], [1, 2, 4, 4], [-100, 0, -100, -100]]
WEIGHTS = [0.5, 2, 0.25, 1, 3]
FOLDER = pathlib.Path(__file__).parent


def over_tokens():
    lines = []
    for reduction, smoothing, ignored, weights in itertools.product(["mean", "sum"], [0, 0.1, 1], [-100, 4],
                                                                    [None, WEIGHTS]):
        labels = torch.tensor(LABELS)
        if ignored != -100:
            labels[labels == -100] = 2
        logits = (fill((SAMPLES, TOKENS, CLASSES), 100) * 4).requires_grad_()
        loss = torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), labels.flatten(), weight=None if weights is None else torch.tensor(weights),
            ignore_index=ignored, reduction=reduction, label_smoothing=smoothing)
        loss.backward()
        lines += [f"case {reduction} smoothing {smoothing} ignore {ignored} weights {int(weights is not None)}",
                  line("loss", [loss.detach()]), line("gradient", logits.grad)]
    (FOLDER / "token_losses.txt").write_text("\n".join(lines) + "\n")


def contrastive():
    lines = []
    for batch, width, scale in [(1, 3, 20), (2, 4, 20), (7, 16, 5), (33, 10, 1)]:
        anchors = fill((batch, width), 100).requires_grad_()
        positives = fill((batch, width), 101).requires_grad_()
        loss = torch.nn.functional.cross_entropy(scale * anchors @ positives.T, torch.arange(batch))
        loss.backward()
        lines += [f"case batch {batch} width {width} scale {scale}", line("loss", [loss.detach()]),
                  line("anchors", anchors.grad), line("positives", positives.grad)]
    (FOLDER / "contrastive_loss.txt").write_text("\n".join(lines) + "\n")


def whole_numbers(count, seed, below):
    return ((fill(count, seed) + 1) * below / 2).floor().long()


def training():
    """The network and the batches of tests/train/token_network.c."""
    samples, longest, rows = 6, 24, 13
    torch.manual_seed(0)
    layers = [torch.nn.Embedding(rows, 6), torch.nn.Linear(6, 5), torch.nn.Tanh(), torch.nn.Linear(5, 7)]
    net = torch.nn.Sequential(*layers)
    for i, parameter in enumerate(net.parameters()):
        parameter.data = fill(parameter.shape, i + 1)
    optimizer, losses = torch.optim.SGD(net.parameters(), lr=0.5), []
    for step in range(4):
        ids = whole_numbers(samples * longest, 100 + step, rows).reshape(samples, longest)
        lengths = whole_numbers(samples, 200 + step, 15) + 1
        labels = whole_numbers(samples * longest, 300 + step, 7).reshape(samples, longest)
        labels.flatten()[::5] = -100
        labels[torch.arange(longest) >= lengths[:, None]] = -100
        loss = torch.nn.functional.cross_entropy(net(ids).flatten(0, 1), labels.flatten(), label_smoothing=0.1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    lines = [line("losses", losses)] + [line("weight", p) for p in net.parameters()]
    (FOLDER / "token_training.txt").write_text("case steps\n" + "\n".join(lines) + "\n")


torch.set_num_threads(1)
training()
over_tokens()
contrastive()
