#!/usr/bin/env python3
"""Makes the folders in hub/, as transformers and sentence-transformers save small networks, and what they compute of
images and of token ids: hub/outputs.txt."""

import json
import os
import shutil

import torch
from safetensors.torch import load_file, save_file

# torchvision's compiled operators, which no network here needs, may be missing; its Python wants to know them.
library = torch.library.Library("torchvision", "FRAGMENT")
for operator in ("nms", "qnms"):
    if not hasattr(torch.ops.torchvision, operator):
        library.define(operator + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

from transformers import (BertConfig, BertModel, Dinov2Config, Dinov2Model, DistilBertConfig, DistilBertModel,
                          GPT2Config, GPT2LMHeadModel, ViTConfig, ViTForImageClassification)

from support import fill, line

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hub")
SIZES = {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2}

torch.manual_seed(1)  # of initial values


def randomise(model, dtype):
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_((parameter + 0.2 * torch.randn(parameter.shape, generator=generator)).to(dtype))
    return model.double().eval()


def images(size):
    return fill((2, size, size, 3), 11).permute(0, 3, 1, 2).double()


def save(model, name, dtype, **options):
    folder = os.path.join(HERE, name)
    shutil.rmtree(folder, ignore_errors=True)
    model.to(dtype).save_pretrained(folder, **options)
    model.double()


def split(folder):
    """The file in two, with an index: save_pretrained does so only with networks that are larger than a shard."""
    tensors = load_file(f"{folder}/model.safetensors")
    names = sorted(tensors)
    weight_map = {}
    for number, part in enumerate((names[::2], names[1::2]), 1):
        file = f"model-0000{number}-of-00002.safetensors"
        save_file({key: tensors[key] for key in part}, f"{folder}/{file}", {"format": "pt"})
        weight_map.update({key: file for key in part})
    size = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    with open(f"{folder}/model.safetensors.index.json", "w", encoding="utf-8") as file:
        json.dump({"metadata": {"total_size": size}, "weight_map": weight_map}, file, indent=1)
    os.remove(f"{folder}/model.safetensors")


# ---- texts

LENGTHS, VOCABULARY = (6, 3), 17
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijkl"]


def write_json(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)


def add_modules(folder, pooling, normalises):
    """What sentence-transformers writes beside a network."""
    names = [("", "Transformer"), ("1_Pooling", "Pooling")] + normalises * [("2_Normalize", "Normalize")]
    write_json(f"{folder}/modules.json", [
        {"idx": number, "name": str(number), "path": path, "type": f"sentence_transformers.models.{name}"}
        for number, (path, name) in enumerate(names)])
    write_json(f"{folder}/1_Pooling/config.json", pooling)


def ids():
    return (torch.arange(len(LENGTHS) * max(LENGTHS)) * 5 + 3).remainder(VOCABULARY).view(len(LENGTHS), -1)


def hidden(model):
    mask = (torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]).long()
    return model(input_ids=ids(), attention_mask=mask).last_hidden_state


def make_bert():
    """Pools the first token and normalises it; with the names of old files for weight and bias of normalisations."""
    model = randomise(BertModel(BertConfig(vocab_size=VOCABULARY, intermediate_size=12, max_position_embeddings=9,
                                           **SIZES)), torch.float32)
    save(model, "bert", torch.float32)
    folder = os.path.join(HERE, "bert")
    old = {name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): tensor
           for name, tensor in load_file(f"{folder}/model.safetensors").items()}
    save_file(old, f"{folder}/model.safetensors", {"format": "pt"})
    add_modules(folder, {"word_embedding_dimension": 8, "pooling_mode_cls_token": True,
                         "pooling_mode_mean_tokens": False}, True)
    with open(f"{folder}/vocab.txt", "w", encoding="utf-8") as file:
        file.write("\n".join(WORDS) + "\n")
    return torch.nn.functional.normalize(hidden(model)[:, 0], dim=1)


def make_distilbert():
    """Pools a mean, in the words of newer configurations."""
    model = randomise(DistilBertModel(DistilBertConfig(vocab_size=VOCABULARY, dim=8, n_layers=2, n_heads=2,
                                                       hidden_dim=12, max_position_embeddings=9)), torch.float32)
    save(model, "distilbert", torch.float32)
    add_modules(os.path.join(HERE, "distilbert"), {"embedding_dimension": 8, "pooling_mode": "mean"}, False)
    x = hidden(model)
    return torch.stack([x[n, :length].mean(0) for n, length in enumerate(LENGTHS)])


def make_gpt2():
    """With the head, which is the table of tokens, as a tensor of its own. Only the first text is as long as others."""
    model = randomise(GPT2LMHeadModel(GPT2Config(vocab_size=VOCABULARY, n_embd=8, n_layer=2, n_head=2, n_positions=9)),
                      torch.float32)
    save(model, "gpt2", torch.float32)
    path = os.path.join(HERE, "gpt2", "model.safetensors")
    tensors = load_file(path)
    save_file({**tensors, "lm_head.weight": tensors["transformer.wte.weight"].clone()}, path, {"format": "pt"})
    return model(input_ids=ids()[:1]).logits


def main():
    os.makedirs(HERE, exist_ok=True)
    labels = {0: "cat", 1: "dog", 2: "crow"}
    config = ViTConfig(intermediate_size=12, image_size=8, patch_size=4, id2label=labels,
                       label2id={name: number for number, name in labels.items()}, **SIZES)
    vit = randomise(ViTForImageClassification(config), torch.bfloat16)
    save(vit, "vit", torch.bfloat16)
    split(os.path.join(HERE, "vit"))
    with open(f"{HERE}/vit/preprocessor_config.json", "w", encoding="utf-8") as file:
        json.dump({"size": {"height": 8, "width": 8}, "image_mean": [0.5, 0.25, 0.5], "image_std": [0.5, 0.5, 1]}, file)

    config = Dinov2Config(mlp_ratio=2, image_size=28, patch_size=14, **SIZES)
    dinov2 = randomise(Dinov2Model(config), torch.float16)
    save(dinov2, "dinov2", torch.float16)
    with torch.no_grad():
        logits = vit(pixel_values=images(8)).logits
        tokens = dinov2(pixel_values=images(28)).last_hidden_state
        texts = [("bert", make_bert()), ("distilbert", make_distilbert()), ("gpt2", make_gpt2())]
    features = torch.cat((tokens[:, 0], tokens[:, 1:].mean(1)), 1)
    with open(f"{HERE}/outputs.txt", "w", encoding="utf-8") as file:
        file.write("\n".join(["case vit", line("logits", logits), "case dinov2", line("features", features)]) + "\n")
        for name, outputs in texts:
            file.write("\n".join([f"case {name}", line("outputs", outputs)]) + "\n")


if __name__ == "__main__":
    main()
