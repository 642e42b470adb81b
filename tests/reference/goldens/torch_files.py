"""Files of torch.save: state dicts of every kind, and files that must be refused."""

import io
import json
import os
import pickle
import zipfile
from collections import OrderedDict

import torch

from .reference import versions


class Call:
    """Pickles as a call of `function`: what an attack looks like."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def numbers(*shape, dtype=torch.float32):
    return (torch.arange(1, 1 + torch.Size(shape).numel()) * 0.5).reshape(shape).to(dtype)


def tied():
    whole = numbers(4, 3)
    return {"embed": whole, "head": whole, "rows": whole[1:3]}


def many():
    """More names than a byte counts."""
    whole = numbers(300)
    return {f"layers.{index}.weight": whole[index : index + 1] for index in range(300)}


def module():
    """A module's own state dict: ordered, with metadata as attributes."""
    layer = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.LayerNorm(2))
    for index, parameter in enumerate(layer.parameters()):
        parameter.data.copy_(numbers(*parameter.shape) + index)
    return layer.state_dict()


def views():
    """Tensors that lie in their storages with gaps, turned around, or again and again."""
    whole = numbers(4, 5)
    return {
        "whole": whole,
        "transposed": whole.t(),
        "columns": whole[:, 1:3],
        "every-other-row": whole[::2],
        "last-column": whole[:, 4],
        "permuted": numbers(2, 3, 4, dtype=torch.float16).permute(2, 0, 1),
        "kernel": numbers(3, 2, 2, 2, dtype=torch.bfloat16).to(memory_format=torch.channels_last),
        "expanded": numbers(2, 1).expand(2, 3),
        "repeated": numbers(1).expand(4),
        "empty": torch.zeros(3, 0, 2).permute(2, 0, 1),
    }


READABLE = {
    "types": {
        "f32": numbers(2, 3),
        "f16": numbers(4, dtype=torch.float16),
        "bf16": numbers(2, 2, dtype=torch.bfloat16),
        "scalar": torch.tensor(2.5),
        "empty": torch.zeros(0, 3),
        "column": numbers(5, 1),
        "position_ids": torch.arange(4).unsqueeze(0),
        "mask": torch.tensor([True, False]),
        "double": numbers(2, dtype=torch.float64),
    },
    "module": module(),
    "parameters": OrderedDict(a=torch.nn.Parameter(numbers(2, 2)), b=torch.nn.Parameter(numbers(3), requires_grad=False)),
    "tied": tied(),
    "many": many(),
    "views": views(),
}

REFUSED = {
    "system": {"weight": numbers(2), "z": Call(os.system, "touch pwned")},
    "eval": {"weight": Call(eval, "__import__('os').system('touch pwned')")},
    "whole-module": torch.nn.Linear(2, 2),
    "list": [numbers(2)],
    "nested": {"state_dict": {"weight": numbers(2)}},
}


def saved(value, **options):
    stream = io.BytesIO()
    torch.save(value, stream, **options)
    return stream.getvalue()


def repacked(data, edit=lambda name, content: content, compression=zipfile.ZIP_STORED, without="nothing"):
    """The same archive with records edited, and without one."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", compression) as new:
        for entry in old.infolist():
            if entry.filename.endswith(f"/{without}"):
                continue
            new.writestr(zipfile.ZipInfo(entry.filename), edit(entry.filename, old.read(entry)), compression)
    return stream.getvalue()


def described(tensor):
    kept = tensor.detach()
    return {"type": str(kept.dtype).removeprefix("torch."), "shape": list(kept.shape), "values": kept.flatten().to(torch.float64).tolist()}


def torch_files(_reference, out, _scratch):
    folder = out / "torch-files"
    folder.mkdir(exist_ok=True)
    plain = saved({"weight": numbers(3, 2)})
    made = {name: saved(value) for name, value in (READABLE | REFUSED).items()}
    # As PyTorch before 2.1 wrote it.
    made["types"] = repacked(made["types"], without="byteorder")
    made |= {
        "before-1.6": saved({"weight": numbers(2)}, _use_new_zipfile_serialization=False),
        "protocol-4": saved({"weight": numbers(2)}, pickle_protocol=4),
        "big-endian": repacked(plain, lambda name, content: b"big" if name.endswith("byteorder") else content),
        "compressed": repacked(plain, compression=zipfile.ZIP_DEFLATED),
        "short-storage": repacked(plain, lambda name, content: content[:-4] if name.endswith("data/0") else content),
        "bare-pickle": pickle.dumps({"weight": Call(os.system, "touch pwned")}),
    }
    for name, data in made.items():
        path = folder / f"{name}.bin"
        path.write_bytes(data)
        path.chmod(0o644)
    expected = {name: {key: described(tensor) for key, tensor in value.items()} for name, value in READABLE.items() if name != "many"}
    text = json.dumps({"versions": versions(), "files": expected}, indent=1) + "\n"
    (folder / "expected.json").write_text(text, encoding="utf-8")
