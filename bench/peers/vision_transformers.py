"""Vision transformers and ConvNeXt in plain torch.nn, with timm's names, for machines that have no timm."""

import torch
from torch import nn
from torch.nn import functional

from backbones import Backbone

EPSILON = 1e-6


class LayerScale(nn.Module):
    def __init__(self, width, initial=1e-5):
        super().__init__()
        self.gamma = nn.Parameter(torch.full((width,), initial))

    def forward(self, x):
        return x * self.gamma


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.qkv, self.proj = heads, nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return self.proj(functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class Mlp(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        return self.fc2(functional.gelu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, width, heads, scales):
        super().__init__()
        self.norm1, self.attn = nn.LayerNorm(width, EPSILON), Attention(width, heads)
        self.ls1 = LayerScale(width) if scales else nn.Identity()
        self.norm2, self.mlp = nn.LayerNorm(width, EPSILON), Mlp(width)
        self.ls2 = LayerScale(width) if scales else nn.Identity()

    def forward(self, x):
        x = x + self.ls1(self.attn(self.norm1(x)))
        return x + self.ls2(self.mlp(self.norm2(x)))


class PatchEmbed(nn.Module):
    def __init__(self, width, patch):
        super().__init__()
        self.proj = nn.Conv2d(3, width, patch, patch)

    def forward(self, x):
        return self.proj(x).flatten(2).transpose(1, 2)


class Tokens(nn.Module):
    """The class token before the patches, and the positions, which belong to the network itself."""

    def __init__(self, network):
        super().__init__()
        self.network = [network]  # no submodule of its own

    def forward(self, x):
        network, = self.network
        x = torch.cat((network.cls_token.expand(len(x), -1, -1), network.patch_embed(x)), 1)
        return x + network.pos_embed


class Pool(nn.Module):
    def forward(self, x):
        return x[:, 0]


class VisionTransformer(Backbone):
    def __init__(self, width, heads, patch=16, scales=False, size=224, classes=1000):
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.randn(1, 1 + (size // patch) ** 2, width) * 0.02)
        self.patch_embed = PatchEmbed(width, patch)
        self.blocks = nn.Sequential(*(Block(width, heads, scales) for _ in range(12)))
        self.norm, self.head = nn.LayerNorm(width, EPSILON), nn.Linear(width, classes)

    def freeze(self, first):
        super().freeze(first)
        if self.frozen:
            self.cls_token.requires_grad_(False)
            self.pos_embed.requires_grad_(False)

    def parts(self):
        return [("patch_embed", Tokens(self)), *((f"blocks.{i}", block) for i, block in enumerate(self.blocks)),
                ("norm", self.norm), ("head", nn.Sequential(Pool(), self.head))]


# ---- ConvNeXt


class ChannelNorm(nn.LayerNorm):
    """Over the channels of [N, C, H, W]."""

    def __init__(self, width):
        super().__init__(width, EPSILON)

    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ConvBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.gamma = nn.Parameter(torch.full((width,), 1e-6))
        self.conv_dw = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.norm, self.mlp = nn.LayerNorm(width, EPSILON), Mlp(width)

    def forward(self, x):
        y = self.mlp(self.norm(self.conv_dw(x).permute(0, 2, 3, 1)))
        return x + (y * self.gamma).permute(0, 3, 1, 2)


class Stage(nn.Module):
    def __init__(self, channels, width, depth):
        super().__init__()
        self.downsample = nn.Identity()
        if channels != width:
            self.downsample = nn.Sequential(ChannelNorm(channels), nn.Conv2d(channels, width, 2, 2))
        self.blocks = nn.Sequential(*(ConvBlock(width) for _ in range(depth)))

    def forward(self, x):
        return self.blocks(self.downsample(x))


class ConvHead(nn.Module):
    def __init__(self, width, classes):
        super().__init__()
        self.norm, self.fc = nn.LayerNorm(width, EPSILON), nn.Linear(width, classes)

    def forward(self, x):
        return self.fc(self.norm(x.mean((2, 3))))


class ConvNeXt(Backbone):
    def __init__(self, widths, depths, classes=1000):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, widths[0], 4, 4), ChannelNorm(widths[0]))
        before = (widths[0], *widths)
        self.stages = nn.Sequential(*(Stage(*shape) for shape in zip(before, widths, depths)))
        self.head = ConvHead(widths[-1], classes)

    def parts(self):
        return [("stem", self.stem), *((f"stages.{i}", stage) for i, stage in enumerate(self.stages)),
                ("head", self.head)]


NETWORKS = {
    "vit-tiny": lambda **options: VisionTransformer(192, 3, **options),
    "vit-small": lambda **options: VisionTransformer(384, 6, **options),
    "vit-base": lambda **options: VisionTransformer(768, 12, **options),
    "dinov2-small": lambda **options: VisionTransformer(384, 6, patch=14, scales=True, **options),
    "convnext-tiny": lambda **options: ConvNeXt((96, 192, 384, 768), (3, 3, 9, 3), **options),
}
