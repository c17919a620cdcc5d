"""Writes tokenizers of a small vocabulary, and the ids that the `tokenizers` package gives to texts: folder tokens/.

Files: word_piece.json, vocab.txt, byte_pairs.json, vocab.json and merges.txt; and golden.txt, whose lines are
"FILE LENGTH TEXT SECOND -> ids | types", texts as hexadecimal bytes, "-" for none. Bytes that are not UTF-8 reach the
package as U+FFFD. Vocabularies differ from run to run, so the files belong together. Written with tokenizers 0.23.3.
"""
import json
import sys
from pathlib import Path

import tokenizers
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "tokens")
folder.mkdir(exist_ok=True)

CORPUS = ["the quick brown fox jumps over the lazy dog", "freezing and thawing of frozen layers",
          "it's what we've trained, isn't it?", "libraries for reading 1234 files in 2026",
          "naïve café über straße"] * 3

TEXTS = [
    b"", b" ", b"The quick brown fox", b"jumps over, the lazy dog!", b"It's FROZEN; we've thawed 1234 layers.",
    "Café NAÏVE Über straße İstanbul ẞ".encode(), "日本語 and 한국어 mixed豈text".encode(),
    "emoji 👨‍👩‍👧 🇩🇪 ok".encode(), "e\u0301a\u0308 \u0344\u302e\u0301\U0001d165x ᜴ᜓ".encode(),
    "\ufeffzero\u200bwidth\u00adsoft\u0085next\u2028line\u3000wide\u00a0no".encode(),
    b"tabs\tand\r\nlines\n\n\n  spaces   ", b"\x00\x01control\x7f\x0b\x0c", b"[CLS] the [MASK][SEP]s [PAD]",
    b"<|endoftext|>the<|endoftext|>", b"a  GNU  dog, debian GNUs <mask>  x   <mask>",
    b"\xed\xa0\x80\xed\xb0\x80 cut \xe2\x82 \xff\xf0\x9f\x98", b"\xc0\x80\xf4\x90\x80\x80bad", b"o" * 100, b"o" * 101,
    "é".encode() * 101, b"'s 't 're 've 'm 'll 'd 'S '' it'sx", b"123abc456 7.8,9 !!! ?! ...", b"a" * 300,
    "ᚠᛇᚻ Ελληνικά Русский עברית العربية हिन्दी ไทย ქართული \U0001e900\U0001e95e ꭗ".encode(), b"dog" * 50,
    "\u061d\u0a76x\u166dy\U000111c9z\u08e2w\u0890".encode(),
]


def word_piece():
    package = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    package.normalizer = normalizers.BertNormalizer()
    package.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    package.train_from_iterator(CORPUS, trainers.WordPieceTrainer(vocab_size=220, special_tokens=specials,
                                                                  show_progress=False))
    vocabulary = [token for token, _ in sorted(package.get_vocab().items(), key=lambda item: item[1])]
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
    package.decoder = decoders.WordPiece()
    cls, sep = (package.token_to_id(token) for token in ("[CLS]", "[SEP]"))
    package.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[("[CLS]", cls), ("[SEP]", sep)])
    package.add_tokens(["Debian", AddedToken("GNU", normalized=False, lstrip=True)])
    package.save(str(folder / "word_piece.json"), pretty=False)
    return package


def byte_pairs():
    package = Tokenizer(models.BPE())
    package.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    package.train_from_iterator(CORPUS, trainers.BpeTrainer(
        vocab_size=400, special_tokens=["<|endoftext|>"], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    package.model.save(str(folder))
    plain = Tokenizer.from_str(package.to_str())
    package.add_special_tokens(["<s>", "</s>", AddedToken("<mask>", lstrip=True)])
    package.add_tokens(["debian", AddedToken("GNU", normalized=False, rstrip=True)])
    package.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    package.decoder = decoders.ByteLevel()
    package.post_processor = processors.RobertaProcessing(("</s>", package.token_to_id("</s>")),
                                                          ("<s>", package.token_to_id("<s>")))
    package.save(str(folder / "byte_pairs.json"), pretty=False)
    return plain, package


def write(file, name, package, length, text, second):
    if length:
        package.enable_truncation(length)
    else:
        package.no_truncation()
    parts = [part.decode("utf-8", "replace") for part in (text, second) if part is not None]
    encoding = package.encode(*parts)
    shown = " ".join(part.hex() or "." if part is not None else "-" for part in (text, second))
    ids, types = (" ".join(map(str, numbers)) for numbers in (encoding.ids, encoding.type_ids))
    file.write(f"{name} {length} {shown} -> {ids} | {types}\n")


plain, byte_level = byte_pairs()
packages = {"word_piece.json": word_piece(), "byte_pairs.json": byte_level,
            "vocab.txt": tokenizers.BertWordPieceTokenizer(str(folder / "vocab.txt"))._tokenizer, "vocab.json": plain}
with open(folder / "golden.txt", "w", encoding="utf-8") as file:
    for name, package in packages.items():
        for place, text in enumerate(TEXTS):
            second = TEXTS[(place + 5) % len(TEXTS)]
            write(file, name, package, 0, text, None)
            write(file, name, package, 9, text, None)
            write(file, name, package, 0, text, second)
            write(file, name, package, 20, text, second)
with open(folder / "decoded.txt", "w", encoding="utf-8") as file:
    for name in ("word_piece.json", "byte_pairs.json"):
        package = packages[name]
        package.no_truncation()
        # The package decodes an added token as it was normalised, Thaw as the file writes it.
        for text in (text for text in TEXTS if b"debian" not in text):
            for skip in (0, 1):
                ids = package.encode(text.decode("utf-8", "replace")).ids
                found = package.decode(ids, skip_special_tokens=bool(skip)).encode()
                file.write(f"{name} {skip} {text.hex() or '.'} -> {found.hex() or '.'}\n")
for name in ("word_piece.json", "byte_pairs.json"):
    content = json.loads((folder / name).read_text(encoding="utf-8"))
    content["truncation"] = None
    (folder / name).write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
