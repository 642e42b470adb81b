"""What peft makes of adapters with settings that the reference's recipe doesn't use: base, adapter and merged weights."""

import shutil
from collections import OrderedDict

import torch
from safetensors.torch import save_file

from .layouts import sort_targets
from .weights import noise

PARTS = ("language_model", "vision_tower", "connector")

VARIANTS = {
    "patterns": dict(r=2, lora_alpha=6, rank_pattern={"layers.1.q_proj": 3}, alpha_pattern={"v_proj": 5}, target_modules=["q_proj", "v_proj"]),
    "rslora": dict(r=3, lora_alpha=4, use_rslora=True, target_modules=["q_proj", "fc"]),
    "biases": dict(r=2, lora_alpha=2, bias="all", target_modules=["q_proj", "fc"], fan_in_fan_out=True),
    "whole-modules": dict(r=2, lora_alpha=4, target_modules=["v_proj"], modules_to_save=["fc"]),
    "pickled": dict(r=2, lora_alpha=4, target_modules=["q_proj"]),
}


class Net(torch.nn.Module):
    """Linear layers under the names of a checkpoint."""

    def __init__(self):
        super().__init__()
        layers = [OrderedDict(q_proj=torch.nn.Linear(6, 4), v_proj=torch.nn.Linear(6, 4, bias=False)) for _ in range(2)]
        model = torch.nn.ModuleDict({"layers": torch.nn.ModuleList([torch.nn.ModuleDict(layer) for layer in layers])})
        self.language_model = torch.nn.ModuleDict({"model": model})
        self.vision_tower = torch.nn.ModuleDict({"_vision_tower": torch.nn.ModuleDict({"fc": torch.nn.Linear(5, 3)})})
        self.connector = torch.nn.ModuleDict({"_connector": torch.nn.ModuleDict({"fc": torch.nn.Linear(3, 5)})})

    def forward(self, x):
        return x


def fill(module, seed):
    for name, parameter in module.named_parameters():
        parameter.data.copy_(noise(name, parameter.shape, seed))
    return module


def save_base(net, folder):
    """Parts in folders of their own, as the Factory saves them."""
    for part in PARTS:
        inside = net.vision_tower["_vision_tower"] if part == "vision_tower" else getattr(net, part)
        (folder / part).mkdir(parents=True)
        torch.save({name: value.detach().clone() for name, value in inside.named_parameters()}, folder / part / "pytorch_model.bin")


def lora_variants(_reference, out, _scratch):
    import peft

    for name, settings in VARIANTS.items():
        folder = out / "lora" / name
        shutil.rmtree(folder, ignore_errors=True)
        net = fill(Net(), 1)
        save_base(net, folder)
        adapted = fill(peft.get_peft_model(net, peft.LoraConfig(**settings)), 2)
        adapted.save_pretrained(folder, safe_serialization=name != "pickled")
        (folder / "README.md").unlink()
        sort_targets(folder)
        merged = peft.PeftModel.from_pretrained(fill(Net(), 1).half(), folder).merge_and_unload()
        save_file({key: value.contiguous() for key, value in merged.state_dict().items()}, folder / "merged.safetensors")
        for path in folder.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
