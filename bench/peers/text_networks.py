"""Networks of text in plain torch.nn, with the names of transformers, for machines that have no transformers; and their
batches. Between the parts of a network go the tokens and a mask, None where all are as long as the longest."""

import array

import torch
from torch import nn
from torch.nn import functional

from backbones import Backbone


def read_batches(path):
    """Ids, mask and labels of each batch in a file of text_batches.py."""
    numbers = array.array("i")
    with open(path, "rb") as file:
        numbers.frombytes(file.read())
    numbers = torch.tensor(numbers).long()
    at, batches = 1, []
    for _ in range(int(numbers[0])):
        samples, length, labels = numbers[at:at + 3].tolist()
        ids, lengths, labels = numbers[at + 3:at + 3 + samples * (length + 1 + labels)].split(
            [samples * length, samples, samples * labels])
        mask = torch.arange(length) < lengths[:, None]
        batches.append(((ids.view(samples, length), None if mask.all() else mask), labels))
        at += 3 + samples * (length + 1) + len(labels)
    return batches


# ---- BERT


class BertEmbeddings(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.word_embeddings, self.position_embeddings = nn.Embedding(30522, width), nn.Embedding(512, width)
        self.token_type_embeddings, self.LayerNorm = nn.Embedding(2, width), nn.LayerNorm(width, 1e-12)

    def forward(self, batch):
        ids, mask = batch
        x = self.word_embeddings(ids) + self.position_embeddings.weight[:ids.shape[1]]
        return self.LayerNorm(x + self.token_type_embeddings.weight[0]), mask


class BertBlock(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.attention = nn.ModuleDict(dict(
            self=nn.ModuleDict({name: nn.Linear(width, width) for name in ("query", "key", "value")}),
            output=nn.ModuleDict(dict(dense=nn.Linear(width, width), LayerNorm=nn.LayerNorm(width, 1e-12)))))
        self.intermediate = nn.ModuleDict(dict(dense=nn.Linear(width, 4 * width)))
        self.output = nn.ModuleDict(dict(dense=nn.Linear(4 * width, width), LayerNorm=nn.LayerNorm(width, 1e-12)))

    def forward(self, batch):
        x, mask = batch
        projections, end = self.attention["self"], self.attention["output"]
        q, k, v = (projections[name](x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
                   for name in ("query", "key", "value"))
        y = functional.scaled_dot_product_attention(q, k, v, None if mask is None else mask[:, None, None])
        x = end["LayerNorm"](x + end["dense"](y.transpose(1, 2).flatten(2)))
        y = self.output["dense"](functional.gelu(self.intermediate["dense"](x)))
        return self.output["LayerNorm"](x + y), mask


class Pool(nn.Module):
    """The mean over the tokens of each sample."""

    def forward(self, batch):
        x, mask = batch
        return x.mean(1) if mask is None else (x * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)


class Bert(Backbone):
    def __init__(self, width, heads, layers, classes=2):
        super().__init__()
        self.bert = nn.ModuleDict(dict(
            embeddings=BertEmbeddings(width),
            encoder=nn.ModuleDict(dict(layer=nn.ModuleList(BertBlock(width, heads) for _ in range(layers))))))
        self.classifier = nn.Linear(width, classes)

    def parts(self):
        return [("bert.embeddings", self.bert["embeddings"]),
                *((f"bert.encoder.layer.{i}", block) for i, block in enumerate(self.bert["encoder"]["layer"])),
                ("pooling", Pool()), ("classifier", self.classifier)]


# ---- GPT-2


class Gpt2Embeddings(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(50257, width), nn.Embedding(1024, width)
        for table in (self.wte, self.wpe):
            nn.init.normal_(table.weight, std=0.02)

    def forward(self, batch):
        ids, _ = batch
        return self.wte(ids) + self.wpe.weight[:ids.shape[1]]


class Gpt2Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = nn.ModuleDict(dict(c_attn=nn.Linear(width, 3 * width), c_proj=nn.Linear(width, width)))
        self.mlp = nn.ModuleDict(dict(c_fc=nn.Linear(width, 4 * width), c_proj=nn.Linear(4 * width, width)))

    def forward(self, x):
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
                   for part in self.attn["c_attn"](self.ln_1(x)).chunk(3, -1))
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.attn["c_proj"](y.transpose(1, 2).flatten(2))
        return x + self.mlp["c_proj"](functional.gelu(self.mlp["c_fc"](self.ln_2(x)), approximate="tanh"))


class Gpt2Head(nn.Module):
    """The logits of each next token, by the table of tokens."""

    def __init__(self, width, table):
        super().__init__()
        self.ln_f, self.lm_head = nn.LayerNorm(width), nn.Linear(width, 50257, False)
        self.lm_head.weight = table

    def forward(self, x):
        return self.lm_head(self.ln_f(x)).flatten(0, 1)


class Gpt2(Backbone):
    def __init__(self, width, heads, layers):
        super().__init__()
        self.embeddings = Gpt2Embeddings(width)
        self.h = nn.ModuleList(Gpt2Block(width, heads) for _ in range(layers))
        self.head = Gpt2Head(width, self.embeddings.wte.weight)

    def parts(self):
        return [("transformer.wte", self.embeddings),
                *((f"transformer.h.{i}", block) for i, block in enumerate(self.h)), ("lm_head", self.head)]


NETWORKS = {
    "minilm-l6": lambda **options: Bert(384, 12, 6, **options),
    "gpt2": lambda: Gpt2(768, 12, 12),
}
