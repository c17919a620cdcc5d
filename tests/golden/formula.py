"""Large tensors made from their names; tests/support/formula.c has the same formula.

With hash(name, i) of 32 bits, u(name, i) = hash(name, i) / 2^31 - 1 is uniform in [-1, 1), and element i of a tensor,
counted in PyTorch's order, is
    u * sqrt(6 / fan_in)    in weights of convolutions and dense layers
    (1 + u / 4) / 2         in scales of normalisation and LayerScale; half of it where a residual branch ends
    2.5 + u / 2             in shifts of batch normalisation where |u| < 3/4, else -2 or 8; 1/2 where a residual branch ends
    u / 8                   in running means and other biases
    1 + u / 2               in running variances
    u                       in the images, which are called "input"
rounded to single precision.

The shifts keep most activations live, dead or (ReLU6) clipped, a channel at a time. Where many elements are near a kink,
rounding decides on which side they fall, and the gradients of such deep networks differ by 1e-2 between PyTorch's own
single and double precision.
"""

import math

import torch

BRANCH_ENDS = {
    "resnet18": (".bn2", ".downsample.1"), "resnet34": (".bn2", ".downsample.1"), "resnet50": (".bn3", ".downsample.1"),
}
LOW = 0xFFFFFFFF


def uniform(name, count):
    """FNV-1a of the name, added to multiples of the golden ratio, mixed by Wellons' lowbias32; in double precision."""
    key = 2166136261
    for byte in name.encode():
        key = (key ^ byte) * 16777619 & LOW
    x = torch.arange(count, dtype=torch.int64).mul_(0x9E3779B9).add_(key).bitwise_and_(LOW)
    x = x.bitwise_xor_(x >> 16).mul_(0x7FEB352D).bitwise_and_(LOW)
    x = x.bitwise_xor_(x >> 15).mul_(0x846CA68B).bitwise_and_(LOW)
    x ^= x >> 16
    return x.double().mul_(2.0**-31).sub_(1)


def values(name, tensor, normalises, ends):
    u = uniform(name, tensor.numel())
    if tensor.dim() > 1:
        u *= math.sqrt(6 / tensor[0].numel())
    elif name.endswith((".weight", ".gamma")):
        u = (1 + u / 4) * (0.25 if ends else 0.5)
    elif name.endswith(".running_var"):
        u = 1 + u / 2
    elif name.endswith(".bias") and ends:
        u[:] = 0.5
    elif name.endswith(".bias") and normalises:
        u = torch.where(u < -0.75, -2, torch.where(u < 0.75, 2.5 + u / 2, 8))
    else:
        u /= 8
    return u.float().view(tensor.shape)


def fill(model, network):
    state = model.state_dict()
    for name, tensor in state.items():
        layer = name.rpartition(".")[0]
        if not name.endswith("num_batches_tracked"):
            tensor.copy_(values(name, tensor, layer + ".running_mean" in state,
                                layer.endswith(BRANCH_ENDS.get(network, "?"))))


def images(batch, size):
    return uniform("input", batch * 3 * size * size).float().view(batch, 3, size, size)
