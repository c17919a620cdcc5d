#!/usr/bin/env python3
"""Makes the folders in hub/, as transformers saves small networks, and what they compute of images: hub/outputs.txt."""

import json
import os
import shutil

import torch
from safetensors.torch import load_file, save_file
from transformers import Dinov2Config, Dinov2Model, ViTConfig, ViTForImageClassification

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
    features = torch.cat((tokens[:, 0], tokens[:, 1:].mean(1)), 1)
    with open(f"{HERE}/outputs.txt", "w", encoding="utf-8") as file:
        file.write("\n".join(["case vit", line("logits", logits), "case dinov2", line("features", features)]) + "\n")


if __name__ == "__main__":
    main()
