#!/usr/bin/env python3
"""Thaw's tokenizers beside the `tokenizers` package: the same ids and types, and the time of one thread.

Needs a Python with `tokenizers`, and `ninja -C BUILD bench/tokenizer-worker`. Texts are the descriptions of all Debian
packages (text_data.py), and hostile ones: every script, emoji, control characters, unpaired surrogates and other
invalid UTF-8, lines of a megabyte. Bytes that are not UTF-8 reach the package as U+FFFD, as Python decodes them.
Characters that are assigned since Unicode 15, which Debian's utf8proc does not know, are left out. The vocabulary of
--model, a folder with tokenizer.json and vocab.txt, is that of a BERT; those of byte-level BPE are trained on the
descriptions.
"""

import argparse
import array
import os
import pathlib
import random
import statistics
import struct
import subprocess
import sys
import tempfile
import time

from text_data import read_packages

os.environ["TOKENIZERS_PARALLELISM"] = "false"
import tokenizers  # noqa: E402
from tokenizers import decoders, models, pre_tokenizers, processors, trainers  # noqa: E402

HOSTILE = 10000
MERGES = (5000, 30000)
ROUNDS = 5
# Assigned since Unicode 15.0, as far as the package treats them as letters, numbers or capitals.
YOUNG = [(0x1C89, 0x1C8A), (0xA7CB, 0xA7DC), (0x105C0, 0x105F3), (0x10D40, 0x10D85), (0x10EC2, 0x10EC4),
         (0x11380, 0x113E2), (0x116D0, 0x116E3), (0x11BC0, 0x11BF9), (0x13460, 0x143FA), (0x16100, 0x16139),
         (0x16D40, 0x16D79), (0x16EA0, 0x16EDF), (0x18CFF, 0x18CFF), (0x1CCF0, 0x1CCF9), (0x1E5D0, 0x1E5FF),
         (0x2EBF0, 0x2EE5D), (0x897, 0x897)]


def is_known(code):
    return not 0xD800 <= code < 0xE000 and not any(first <= code <= last for first, last in YOUNG)


# ---- texts


def characters():
    """Each character between letters, digits, punctuation and marks, so that each class shows."""
    for code in range(0x110000):
        if is_known(code):
            c = chr(code)
            yield f"a{c}b 1{c}1 !{c}! {c} {c}{c}'s{c}".encode()


def hostile(count):
    """Strings of every kind, by a fixed seed."""
    draw = random.Random(19)
    marks = [0x300, 0x1DC0, 0x1A80, 0x1D100, 0x3000, 0x580, 0x600, 0x1D180]
    blocks = [block for block in range(0, 0x110000, 0x80) if any(is_known(code) for code in range(block, block + 0x80))]
    assigned = [block for block in blocks if block < 0x32000 or 0xE0000 <= block < 0xE0200]
    special = ["[CLS]", "[SEP]", "[MASK]", "[UNK]", "[PAD]", "##ing", "##", "<|endoftext|>", "'s", "'LL", " 're",
               "\ufeff", "\u200d", "\u0301", "\u0130", "\u1e9e", "\U0001f468\u200d\U0001f469\u200d\U0001f467",
               "\U0001f1e9\U0001f1ea", "\x00", "\x85", "\u2028", "\r\n", "\t", "   ", "\u3000",
               "\u302e\u0301\U0001d165",
               "\ud55c\uad6d", "\u0344"]

    def character(block):
        while True:
            code = block + draw.randrange(0x80)
            if is_known(code):
                return chr(code)

    def text():
        kind, pieces = draw.randrange(6), []
        for _ in range(draw.randrange(1, 40)):
            if kind == 0:
                pieces.append(character(draw.choice(assigned)))
            elif kind == 1:
                block = draw.choice(assigned)
                pieces.append("".join(character(block) for _ in range(draw.randrange(1, 12))))
            elif kind == 2:
                pieces.append(draw.choice(special))
            elif kind == 3:
                pieces.append(chr(draw.randrange(0x20) if draw.random() < 0.5 else draw.randrange(0x20, 0xA0)))
            elif kind == 4:
                pieces.append(draw.choice(["a", "e", "\u304b"]) + "".join(
                    character(draw.choice(marks)) for _ in range(draw.randrange(5))))
            else:
                pieces.append(character(draw.choice(blocks)))
            pieces.append(draw.choice(["", "", " ", "  ", "\n"]))
        return "".join(pieces)

    def broken():
        data = bytearray(text().encode())
        for _ in range(draw.randrange(1, 6)):
            place = draw.randrange(len(data) + 1)
            data[place:place] = draw.choice([b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xff", b"\xc0\x80", b"\xe2\x82",
                                             b"\x80", b"\xf4\x90\x80\x80", b"\xf0\x9f\x98",
                                             bytes([draw.randrange(256)])])
        return bytes(data[:draw.randrange(1, len(data) + 1)])

    texts = [b"", b" ", b"a" * 100, b"a" * 101, "\u00e9".encode() * 101, b"x" * 2**20, b"ab " * 350000, b" " * 2**20,
             b"!" * 2**20, "e\u0301".encode() * 300000, "\u302e\u302f".encode() * 150000, "\u4e2d".encode() * 350000,
             b"\xff" * 2**20, b"[SEP]" * 200000, b"it's " * 200000, b"\x00" * 2**20, "\U0001f600".encode() * 260000,
             "".join(chr(code) for code in range(0x20, 0x110000) if is_known(code)).encode()]
    while len(texts) < count:
        texts.append(broken() if draw.random() < 0.3 else text().encode())
    return texts


# ---- both sides


def ask_thaw(options, tokenizer, samples, length=0):
    """Ids and types of each sample, a tuple of one or two texts, and the seconds of encoding them."""
    with tempfile.TemporaryDirectory() as folder:
        texts, ids = pathlib.Path(folder, "texts"), pathlib.Path(folder, "ids")
        with open(texts, "wb") as file:
            for sample in samples:
                second = sample[1] if len(sample) > 1 else None
                file.write(struct.pack("<II", len(sample[0]), 0xFFFFFFFF if second is None else len(second)))
                for part in sample:
                    file.write(part + bytes(-len(part) % 4))
        done = subprocess.run([options.build / "bench" / "tokenizer-worker", tokenizer, texts, ids, str(length)],
                              check=True, stdout=subprocess.PIPE, text=True)
        numbers = array.array("i", ids.read_bytes())
    found, at = [], 0
    for _ in samples:
        count = numbers[at]
        found.append((numbers[at + 1:at + 1 + count].tolist(), numbers[at + 1 + count:at + 1 + 2 * count].tolist()))
        at += 1 + 2 * count
    return found, float(done.stdout)


def decoded(samples):
    return [tuple(part.decode("utf-8", "replace") for part in sample) for sample in samples]


def inputs(samples):
    return [sample[0] if len(sample) == 1 else sample for sample in decoded(samples)]


def compare(options, name, path, package, samples, length=0):
    """Prints how many samples have other ids or types. Returns whether none has."""
    if length:
        package.enable_truncation(length)
    wrong = 0
    for begin in range(0, len(samples), 4096):
        part = samples[begin:begin + 4096]
        ours, _ = ask_thaw(options, path, part, length)
        for sample, encoding, (ids, types) in zip(part, package.encode_batch_fast(inputs(part)), ours):
            if encoding.ids != ids or encoding.type_ids != types:
                wrong += 1
                if wrong <= options.show:
                    print(f"    {sample!r:.300}\n      package {encoding.ids[:40]}\n      thaw    {ids[:40]}")
    package.no_truncation()
    print(f"  {name}: {len(samples) - wrong} of {len(samples)} equal", flush=True)
    return wrong == 0


def time_both(options, path, package, texts):
    samples, plain, ratios, seconds = [(text,) for text in texts], [text.decode() for text in texts], [], []
    for _ in range(ROUNDS):
        _, ours = ask_thaw(options, path, samples)
        peers = []
        for encode in (package.encode_batch_fast, package.encode_batch):
            begin = time.perf_counter()
            encode(plain)
            peers.append(time.perf_counter() - begin)
        ratios.append(min(peers) / ours)
        seconds.append((ours, min(peers)))
    ours, peer = (statistics.median(side) for side in zip(*seconds))
    print(f"  speed: {statistics.median(ratios):.1f} times the package's ({min(ratios):.1f} to {max(ratios):.1f}); "
          f"{sum(map(len, texts)) / ours / 1e6:.1f} MB/s, {len(texts) / ours:.0f} texts/s; the package {peer:.2f} s")


# ---- tokenizers


def train_byte_pairs(folder, texts, merges):
    package = tokenizers.Tokenizer(models.BPE())
    package.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    package.decoder = decoders.ByteLevel()
    package.post_processor = processors.ByteLevel(trim_offsets=False)
    package.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=257 + merges, special_tokens=["<|endoftext|>"], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    path = pathlib.Path(folder, f"bpe-{merges}.json")
    package.save(str(path))
    return path, package


def roberta(folder, path):
    """The same with a space before each text, and RoBERTa's special tokens."""
    package = tokenizers.Tokenizer.from_file(str(path))
    package.add_special_tokens(["<s>", "</s>", tokenizers.AddedToken("<mask>", lstrip=True)])
    package.add_tokens(["debian", tokenizers.AddedToken("GNU", normalized=False, rstrip=True)])
    package.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    package.post_processor = processors.RobertaProcessing(("</s>", package.token_to_id("</s>")),
                                                          ("<s>", package.token_to_id("<s>")))
    path = pathlib.Path(folder, "roberta.json")
    package.save(str(path))
    return path, package


def open_all(options, folder, texts):
    """Name, path and package of each tokenizer."""
    if options.model:
        package = tokenizers.Tokenizer.from_file(str(options.model / "tokenizer.json"))
        package.no_truncation()
        package.no_padding()
        yield "WordPiece, tokenizer.json", options.model / "tokenizer.json", package
        yield "WordPiece, vocab.txt", options.model / "vocab.txt", tokenizers.BertWordPieceTokenizer(
            str(options.model / "vocab.txt"))._tokenizer
        package.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=False)
        package.add_tokens(["Debian", tokenizers.AddedToken("GNU", normalized=False)])
        path = pathlib.Path(folder, "cased.json")
        package.save(str(path))
        yield "WordPiece, cased, with added tokens", path, package
    for merges in MERGES:
        path, package = train_byte_pairs(folder, texts, merges)
        yield f"BPE of {merges} merges", path, package
    yield ("BPE as RoBERTa's", *roberta(folder, path))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build"), help="Meson's build directory")
    parser.add_argument("--model", type=pathlib.Path, help="folder of a BERT: tokenizer.json and vocab.txt")
    parser.add_argument("--show", type=int, default=3, help="differences to print of each comparison")
    parser.add_argument("--only", default="", help="tokenizers whose name contains this")
    parser.add_argument("--speed", action="store_true", help="measure times, and compare nothing")
    options = parser.parse_args()
    debian = [description.encode() for _, description in read_packages().values()]
    odd, all_characters = hostile(HOSTILE), list(characters())
    good = True
    with tempfile.TemporaryDirectory() as folder:
        for name, path, package in open_all(options, folder, [text.decode() for text in debian]):
            if options.only not in name:
                continue
            print(name)
            if options.speed:
                time_both(options, path, package, debian)
                continue
            pairs = list(zip(odd, odd[1:] + odd[:1]))[20:-20]
            good &= compare(options, "Debian's descriptions", path, package, [(text,) for text in debian])
            good &= compare(options, "hostile texts", path, package, [(text,) for text in odd])
            good &= compare(options, "each character", path, package, [(text,) for text in all_characters])
            good &= compare(options, "pairs", path, package, pairs)
            good &= compare(options, "pairs cut to 32", path, package, pairs, 32)
            good &= compare(options, "texts cut to 31", path, package, [(text,) for text in odd], 31)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
