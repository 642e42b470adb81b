"""The layouts checkpoints lie in on disk: each saved and loaded by the code that made it."""

import json
import os
import shutil
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Callable
from unittest.mock import patch

import torch
from safetensors.torch import save_file

from . import checkpoint
from . import hub as hubs
from .reference import import_conditions
from .weights import noise


@dataclass(frozen=True)
class Layout:
    """How a model is saved into a folder, and loaded in float32 as the reference evaluates it."""

    save: Callable  # (model, case, hub, folder)
    load: Callable  # (reference, hub, folder)


def save_pickled(model, case, hub, folder):
    """`pytorch_model.bin` as transformers saves it, in shards where the case says so."""
    model.tokenizer.save_pretrained(folder)
    model.to(case.dtype).save_pretrained(folder, max_shard_size=case.shard or "5GB", safe_serialization=False)


def trainer():
    """What the reference's recipes ask of a trainer."""
    return SimpleNamespace(save_state=lambda: None, args=SimpleNamespace(local_rank=-1))


def save_parts(model, case, hub, folder):
    """As the reference saves after its pretraining stage."""
    with import_conditions():
        from tinyllava.training_recipe.base import BaseTrainingRecipe
    folder.mkdir(parents=True)
    recipe = BaseTrainingRecipe(SimpleNamespace(output_dir=str(folder), pretrained_model_path=None))
    recipe.save(model.to(case.dtype), trainer())
    forget_what_nobody_reads(folder)


def load_parts(reference, hub, folder):
    """Every part's weights into a new model; the reference does so when it begins its second stage."""
    folder = os.path.abspath(folder)
    with checkpoint.inside(hub):
        model = reference.Model(reference.Config.from_pretrained(folder))
    parts = {"language_model": model.language_model, "vision_tower": model.vision_tower._vision_tower, "connector": model.connector}
    for name, part in parts.items():
        weights = torch.load(f"{folder}/{name}/pytorch_model.bin", map_location="cpu")
        if part.load_state_dict(weights, strict=False).unexpected_keys:
            raise RuntimeError(f"{name} holds weights of another model")
    return model.float().eval()


# Scaled so that an adapter clearly changes the answers.
ADAPTER_SCALE = 0.5


def save_lora(model, case, hub, folder):
    """As the reference's LoRA recipe saves: peft's adapter, and beside it the base's parts."""
    import peft  # the real one, before the recipe's import would find a stand-in

    with import_conditions():
        from tinyllava.training_recipe import lora_recipe
    folder.mkdir(parents=True)
    tuned = dict(tune_type_connector="lora", tune_type_llm="lora", tune_type_vision_tower="lora")
    settings = dict(lora_r=4, lora_alpha=8, lora_dropout=0.05, lora_bias="none", bits=16, bf16=False, fp16=False)
    recipe = lora_recipe.LoRATrainingRecipe(SimpleNamespace(output_dir=str(folder), **tuned, **settings))

    def wrap(plain, config):
        del plain.peft_config
        return peft.get_peft_model(plain, config)

    # The recipe asks for `peft_config is None`, which peft 0.10 can't work with; its log asks which of several processes this is.
    model.peft_config = None
    with patch.object(lora_recipe, "get_peft_model", wrap), patch.object(lora_recipe, "log", lambda _: None):
        adapted = recipe.training_model_converse(model.to(case.dtype))
    for name, parameter in adapted.named_parameters():
        if "lora_" in name:
            values = noise(name, parameter.shape, case.seed) * ADAPTER_SCALE / parameter.shape[1] ** 0.5
            parameter.data.copy_(values.to(case.dtype).to(parameter.dtype))
    recipe.save(adapted, trainer())
    sort_targets(folder)
    forget_what_nobody_reads(folder)


def sort_targets(folder):
    """peft saves a set in any order."""
    path = folder / "adapter_config.json"
    config = json.loads(path.read_text())
    config["target_modules"] = sorted(config["target_modules"])
    path.write_text(json.dumps(config, indent=2) + "\n")


def load_lora(reference, hub, folder):
    """The weights that the reference's own loader merges, in float16, in a new model of float32: its tables (the rotary
    embedding's) are not weights, and stay exact."""
    import peft  # noqa: F401

    with import_conditions():
        from tinyllava.model.load_model import load_pretrained_model
    folder = os.path.abspath(folder)
    with checkpoint.inside(hub):
        merged = load_pretrained_model(folder, device="cpu")[0]
        model = reference.Model(merged.config)
    if merged.dtype != torch.float16:
        raise RuntimeError(f"expected the reference to merge in float16, got {merged.dtype}")
    model.load_state_dict(merged.state_dict())
    return model.float().eval()


def forget_what_nobody_reads(folder):
    for path in [*folder.glob("*/config.json"), *folder.glob("README.md")]:
        path.unlink()


@dataclass(frozen=True)
class Legacy:
    """A class of TinyLLaVABench, and the base model the Factory takes its configuration from."""

    architecture: str
    base: str


LEGACY = {
    "llama": Legacy("TinyLlavaLlamaForCausalLM", "TinyLlama/TinyLlama-1.1B-chat-v1.0"),
    "stablelm": Legacy("TinyLlavaStablelmForCausalLM", "stabilityai/stablelm-2-zephyr-1_6b"),
    "phi": Legacy("TinyLlavaPhiForCausalLM", "microsoft/phi-2"),
}

LEGACY_NAMES = {
    "vision_tower._vision_tower.": "model.vision_tower.vision_tower.",
    "connector._connector.": "model.mm_projector.",
    "language_model.": "",
}


def legacy_name(name):
    for new, old in LEGACY_NAMES.items():
        if name.startswith(new):
            return old + name.removeprefix(new)
    raise RuntimeError(name)


def save_legacy(model, case, hub, folder):
    """As TinyLLaVABench saved: the language model's configuration with `mm_…` beside, and its names of the weights."""
    folder.mkdir(parents=True)
    model.tokenizer.save_pretrained(folder)
    weights = {legacy_name(name): value.contiguous() for name, value in model.to(case.dtype).state_dict().items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    config = {
        **model.config.text_config.to_diff_dict(),
        "architectures": [LEGACY[case.llm].architecture],
        "model_type": f"tiny_llava_{case.llm}",
        "mm_vision_tower": "bczhou/TinyLLaVA-3.1B-SigLIP",
        "mm_projector_type": case.connector,
        "mm_vision_select_layer": case.feature_layer,
        "mm_vision_select_feature": case.strategy,
        "image_aspect_ratio": case.aspect,
        "pad_token": model.tokenizer.pad_token,
        "tokenizer_padding_side": "right",
        "tokenizer_model_max_length": case.max_length,
        "use_cache": True,
        # No published one says so: their tower is known by its name. This one is smaller.
        "vision_config": {key: value for key, value in case.vision.items()},
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    copy_bases(case, hub)


def copy_bases(case, hub):
    """The small base models under the names that the reference's converter asks for."""
    pairs = [(hubs.LLMS[case.llm].name, LEGACY[case.llm].base), (hubs.TOWERS[case.tower].name, "google/siglip-so400m-patch14-384")]
    for small, name in pairs:
        shutil.copytree(Path(hub) / small, Path(hub) / name, dirs_exist_ok=True)


def load_legacy(reference, hub, folder):
    """The reference's own converter, on the CPU."""
    with import_conditions():
        # Not `import … as`: the package has a function of the module's name.
        converter = import_module("tinyllava.model.convert_legecy_weights_to_tinyllavafactory")
    folder = os.path.abspath(folder)
    read = converter.safe_open
    with checkpoint.inside(hub), patch.object(converter, "safe_open", lambda path, framework, device: read(path, framework)):
        return converter.convert_legecy_weights_to_tinyllavafactory(folder).float().eval()


LAYOUTS = {
    "whole": Layout(checkpoint.save, checkpoint.load),
    "pickled": Layout(save_pickled, checkpoint.load),
    "parts": Layout(save_parts, load_parts),
    "lora": Layout(save_lora, load_lora),
    "legacy": Layout(save_legacy, load_legacy),
}
