"""Networks of text beside Hugging Face's, in double precision: writes text_networks.txt beside this file.

    python3 tests/golden/text_networks.py    # needs torch and transformers (written with 2.13.0 and 5.24.0)

formula.py makes the weights, and the numbers that ids, token types and targets come from. Samples have different
lengths; behind them are ids like any others. A gradient is kept as its norm and its product with u of the name "probe".
tests/models/text_parity_test.c reads them.
"""

import pathlib
import sys

sys.path.append(sys.path.pop(0))  # statistics.py beside this file hides Python's

import torch  # noqa: E402
from torch import nn  # noqa: E402

# torchvision's compiled operators, which no network of text needs, may be missing; its Python wants to know them.
library = torch.library.Library("torchvision", "FRAGMENT")
for operator in ("nms", "qnms"):
    if not hasattr(torch.ops.torchvision, operator):
        library.define(operator + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

import transformers  # noqa: E402
from transformers.pytorch_utils import Conv1D  # noqa: E402

from formula import uniform, values  # noqa: E402

LENGTHS = (12, 1, 7, 4)
LENGTH, VOCABULARY, CLASSES = 12, 31, 3
SIZES = dict(vocab_size=VOCABULARY, attn_implementation="eager")


class MeanNetwork(nn.Module):
    """Sentence embeddings with a dense layer on them."""

    def __init__(self, config):
        super().__init__()
        self.bert, self.classifier = transformers.BertModel(config), nn.Linear(config.hidden_size, CLASSES)

    def forward(self, input_ids, attention_mask, token_type_ids):
        x = self.bert(input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids).last_hidden_state
        mask = attention_mask[..., None].to(x.dtype)
        return self.classifier(nn.functional.normalize((x * mask).sum(1) / mask.sum(1)))


def bert_config(**options):
    return transformers.BertConfig(hidden_size=24, num_attention_heads=3, intermediate_size=40,
                                   max_position_embeddings=20, num_labels=CLASSES, hidden_dropout_prob=0,
                                   attention_probs_dropout_prob=0, **options, **SIZES)


NETWORKS = {
    "bert-base": lambda: transformers.BertForSequenceClassification(bert_config(num_hidden_layers=3)),
    "minilm-l6": lambda: MeanNetwork(bert_config(num_hidden_layers=2, hidden_act="relu", layer_norm_eps=1e-3)),
    "distilbert": lambda: transformers.DistilBertForSequenceClassification(transformers.DistilBertConfig(
        dim=20, n_heads=2, n_layers=2, hidden_dim=32, max_position_embeddings=12, num_labels=CLASSES, dropout=0,
        attention_dropout=0, seq_classif_dropout=0, **SIZES)),
    "gpt2": lambda: transformers.GPT2LMHeadModel(transformers.GPT2Config(
        n_embd=16, n_head=4, n_layer=2, n_positions=16, attn_pdrop=0, embd_pdrop=0, resid_pdrop=0, **SIZES)),
}


def write(file, name, *numbers):
    file.write(" ".join([name, *(f"{float(number):.9g}" for number in numbers)]) + "\n")


def whole_numbers(name, below, *shape):
    return ((uniform(name, torch.Size(shape).numel()) + 1) * below / 2).floor().long().view(shape)


def transposed(model):
    """The parameters that files have as [inputs, outputs]."""
    return {f"{name}.weight" for name, module in model.named_modules() if isinstance(module, Conv1D)}


@torch.no_grad()
def fill(model):
    across = transposed(model)
    for name, parameter in model.named_parameters():
        if name in across:
            parameter.copy_(values(name, parameter.t(), False, False).t())
        else:
            parameter.copy_(values(name, parameter, False, False))


def run(file, name, model):
    model = model.double().train()
    fill(model)
    ids = whole_numbers("ids", VOCABULARY, len(LENGTHS), LENGTH)
    inputs = dict(input_ids=ids)
    if name != "gpt2":
        inputs["attention_mask"] = (torch.arange(LENGTH) < torch.tensor(LENGTHS)[:, None]).long()
    if name in ("bert-base", "minilm-l6"):
        inputs["token_type_ids"] = whole_numbers("types", 2, len(LENGTHS), LENGTH)
    outputs = model(**inputs)
    outputs = getattr(outputs, "logits", outputs)
    if name == "gpt2":
        loss = nn.functional.mse_loss(outputs, uniform("targets", outputs.numel()).view_as(outputs))
    else:
        loss = nn.functional.cross_entropy(outputs, torch.tensor([n % CLASSES for n in range(len(LENGTHS))]))
    loss.backward()
    file.write(f"case {name}\n")
    write(file, "outputs", *outputs.flatten())
    write(file, "loss", loss)
    gradients = {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
    write(file, "gradients", len(gradients))
    for key, gradient in gradients.items():
        flat = (gradient.t() if key in transposed(model) else gradient).flatten()
        write(file, key, flat.norm(), flat @ uniform("probe", len(flat)))


def main():
    with open(pathlib.Path(__file__).with_suffix(".txt"), "w") as file:
        for name, make in NETWORKS.items():
            run(file, name, make())


main()
