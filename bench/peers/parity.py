"""Backbones at full size beside PyTorch, on the same weights: the largest relative error of outputs, loss and gradients
(of each parameter, in norm), with batch normalisation that follows the batches and with a frozen one. The reference is
PyTorch in double precision; how far its own single precision is from that stands beside. The weights are moved a
little until nothing is near the kink of a ReLU or a max-pool (kinks.py), where gradients have several right values.
Exit code 1 when an error of Thaw's is above 1e-4, and above those of both of PyTorch's layouts.
`./run bench parity` starts this with an interpreter that has torch.
"""

import argparse
import ctypes
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

import torch
from torch import nn

import backbones
import kinks
import vision_transformers
from measurement import print_measurement

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden"))
from formula import fill, images  # noqa: E402

LIMIT = 1e-4
NETWORKS = {**backbones.NETWORKS, **vision_transformers.NETWORKS}
NO_BATCH_NORM = ("vgg16", *vision_transformers.NETWORKS)
SIZED = [network for network in vision_transformers.NETWORKS if network != "convnext-tiny"]
# With a normalisation that trains, they start near PyTorch's initial values. Behind linear bottlenecks the formula
# makes channels that hardly vary, and then gradients are small differences of numbers a thousand times as large: in
# double precision with nothing but its tensors rounded to single, PyTorch is off by 2e-4. At the initial values
# themselves most gradients of scales are zero but for rounding.
NEAR_INITIAL = ("mobilenet-v2", "efficientnet-lite0")
LAYOUTS = {"PyTorch f32": torch.contiguous_format, "PyTorch f32, channels-last": torch.channels_last}
NO_DROPOUT = ("vgg16", "vgg16-bn", "mobilenet-v2")
# A gradient that is zero but for rounding, such as of a bias before batch normalisation, counts as at least this share
# of the largest one.
LEAST = 1e-3


def bytes_of(tensor):
    tensor = tensor.contiguous()
    return ctypes.string_at(tensor.data_ptr(), tensor.numel() * tensor.element_size())


def write_safetensors(path, tensors):
    header, end = {}, 0
    for name, tensor in tensors.items():
        begin, end = end, end + tensor.numel() * 4
        header[name] = dict(dtype="F32", shape=list(tensor.shape), data_offsets=[begin, end])
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors.values():
            file.write(bytes_of(tensor))


def read_safetensors(path):
    data = bytearray(pathlib.Path(path).read_bytes())
    length, = struct.unpack_from("<Q", data)
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    return {name: torch.frombuffer(data, dtype=torch.float32, count=(what["data_offsets"][1] - what["data_offsets"][0])
                                   // 4, offset=8 + length + what["data_offsets"][0]).view(what["shape"])
            for name, what in header.items()}


def build(network, size, frozen):
    options = dict(dropout=0) if network in NO_DROPOUT else dict(size=size) if network in SIZED else {}
    model = NETWORKS[network](**options).train()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d) and frozen:
            module.eval().requires_grad_(False)
    return model


@torch.no_grad()
def leave_initial(model):
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.weight.uniform_(0.75, 1.25)
            module.bias.uniform_(-0.5, 0.5)


def make_weights(network, inputs, frozen):
    torch.manual_seed(1)
    model = build(network, inputs.shape[-1], frozen)
    if network in NEAR_INITIAL and not frozen:
        leave_initial(model)
    else:
        fill(model, network)
    kinks.clear(model.double(), inputs.double())
    return model.float().state_dict()


def run_torch(network, weights, inputs, labels, frozen, dtype, layout=torch.contiguous_format):
    model = build(network, inputs.shape[-1], frozen).to(dtype)
    model.load_state_dict(weights)
    model, inputs = model.to(memory_format=layout), inputs.to(dtype, memory_format=layout)
    loss = nn.functional.cross_entropy(model(inputs), labels)
    loss.backward()
    model.load_state_dict(weights)  # statistics have followed the batch
    with torch.no_grad():
        outputs = model.eval()(inputs)
    return outputs, loss.detach(), {n: p.grad for n, p in model.named_parameters() if p.grad is not None}


def run_thaw(worker, folder, network, size, inputs, frozen):
    options = f":size={size}" + (",dropout=0" if network in NO_DROPOUT else "")
    normalisation = "normalisation=" + ("frozen" if frozen else "trains")
    done = subprocess.run([worker, network + options, folder / "weights", folder / "images", str(len(inputs)),
                           normalisation, folder / "gradients"], check=True, stdout=subprocess.PIPE, text=True)
    loss, outputs = done.stdout.splitlines()
    outputs = torch.tensor([float(number) for number in outputs.split()]).view(len(inputs), -1)
    return outputs, torch.tensor(float(loss)), read_safetensors(folder / "gradients")


def errors(found, wanted):
    """Of outputs, of the loss, and the worst of a gradient with its name."""
    least = LEAST * max(gradient.norm() for gradient in wanted[2].values())
    gradients = {name: float((found[2][name].double() - gradient).norm() / max(gradient.norm(), least))
                 for name, gradient in wanted[2].items()}
    worst = max(gradients, key=gradients.get)
    return [float((found[0].double() - wanted[0]).abs().max() / wanted[0].abs().max()),
            float((found[1].double() - wanted[1]).abs() / wanted[1].abs()), gradients[worst], worst]


def is_good(rows):
    """Of Thaw's row and PyTorch's after it."""
    return all(rows[0][key] <= max(LIMIT, *(row[key] for row in rows[1:])) for key in ("outputs", "loss", "gradient"))


def compare(worker, network, size, batch, frozen):
    inputs, labels = images(batch, size), torch.tensor([(3 * n + 1) % 1000 for n in range(batch)])
    weights = make_weights(network, inputs, frozen)
    wanted = run_torch(network, weights, inputs, labels, frozen, torch.float64)
    peers = {name: run_torch(network, weights, inputs, labels, frozen, torch.float32, layout)
             for name, layout in LAYOUTS.items()}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        write_safetensors(folder / "weights", {name: tensor for name, tensor in weights.items()
                                               if tensor.is_floating_point()})
        (folder / "images").write_bytes(bytes_of(inputs.permute(0, 2, 3, 1)))
        ours = run_thaw(worker, folder, network, size, inputs, frozen)
    for contender, found in {"thaw": ours, **peers}.items():
        outputs, loss, gradient, worst = errors(found, wanted)
        yield dict(network=network, normalisation="frozen" if frozen else "trains", contender=contender,
                   outputs=outputs, loss=loss, gradient=gradient, worst_gradient=worst)


def print_measurements(row, options):
    thaw = row["contender"] == "thaw"
    for key in ("outputs", "loss", "gradient"):
        print_measurement("parity", "Errors against PyTorch in double precision",
                          f"{row['network']}, normalisation {row['normalisation']}: {key}",
                          "Thaw" if thaw else row["contender"], torch.get_num_threads(),
                          dict(value=row[key], low=row[key], high=row[key], unit="relative error", limit_value=LIMIT),
                          options.version if thaw else torch.__version__,
                          limit=f"an error of {LIMIT:g}",
                          worst_gradient=row["worst_gradient"])


def print_row(row):
    print(f"{row['network']:18} normalisation {row['normalisation']:6} {row['contender']:26} outputs"
          f" {row['outputs']:.1e}, loss {row['loss']:.1e}, gradients {row['gradient']:.1e} ({row['worst_gradient']})",
          flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worker", required=True, help="parity-worker of Thaw's build")
    parser.add_argument("--version", default="unknown", help="of Thaw")
    parser.add_argument("--only", action="append", choices=list(NETWORKS), help="a network; repeatable")
    parser.add_argument("--size", type=int, default=224, help="height and width of the images")
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="one object a line, in place of a table")
    options = parser.parse_args()
    good = True
    ways = [(network, frozen) for network in options.only or NETWORKS
            for frozen in (False, True) if network not in NO_BATCH_NORM or not frozen]
    for network, frozen in ways:
        rows = list(compare(options.worker, network, options.size, options.batch, frozen))
        good = good and is_good(rows)
        for row in rows:
            print_measurements(row, options) if options.json else print_row(row)
    return 0 if good else 1


sys.exit(main())
