"""Small local folders under the names of base models, in place of a model hub."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from .vocabulary import write_phi_tokenizer, write_qwen2_tokenizer


@dataclass(frozen=True)
class BaseModel:
    """A base language model: its name on the hub, its class, and what writes its tokenizer into a folder."""

    name: str
    architecture: str
    write_tokenizer: Callable[[Path], None]


@dataclass(frozen=True)
class BaseTower:
    """A base vision tower: its name on the hub, its config.json around the given fields, its image processor's numbers."""

    name: str
    config: Callable[[dict], dict]
    processor: Callable[[dict], dict]


LLMS = {
    "qwen2": BaseModel("Qwen/Qwen2.5-tiny", "Qwen2ForCausalLM", write_qwen2_tokenizer),
    "phi": BaseModel("microsoft/phi-2-tiny", "PhiForCausalLM", write_phi_tokenizer),
    "llama": BaseModel("TinyLlama/TinyLlama-tiny", "LlamaForCausalLM", write_qwen2_tokenizer),
    "stablelm": BaseModel("stabilityai/stablelm-2-tiny", "StableLmForCausalLM", write_qwen2_tokenizer),
    "gemma": BaseModel("google/gemma-tiny", "GemmaForCausalLM", write_qwen2_tokenizer),
    "openelm": BaseModel("apple/OpenELM-tiny", "OpenELMForCausalLM", write_qwen2_tokenizer),
}


def siglip_config(config):
    """As SigLIP nests it."""
    return {"architectures": ["SiglipModel"], "model_type": "siglip", "vision_config": {"model_type": "siglip_vision_model", **config}}


def siglip_processor(config):
    size = config["image_size"]
    return {
        "do_normalize": True,
        "do_rescale": True,
        "do_resize": True,
        "image_mean": [0.5, 0.5, 0.5],
        "image_processor_type": "SiglipImageProcessor",
        "image_std": [0.5, 0.5, 0.5],
        "processor_class": "SiglipProcessor",
        "resample": 3,
        "rescale_factor": 0.00392156862745098,
        "size": {"height": size, "width": size},
    }


def clip_config(config):
    """As CLIP nests it."""
    return {"architectures": ["CLIPModel"], "model_type": "clip", "vision_config": {"model_type": "clip_vision_model", **config}}


def clip_processor(config):
    size = config["image_size"]
    return {
        "crop_size": size,
        "do_center_crop": True,
        "do_normalize": True,
        "do_resize": True,
        "feature_extractor_type": "CLIPFeatureExtractor",
        "image_mean": [0.48145466, 0.4578275, 0.40821073],
        "image_std": [0.26862954, 0.26130258, 0.27577711],
        "resample": 3,
        "size": size,
    }


def dinov2_config(config):
    return {"architectures": ["Dinov2Model"], "model_type": "dinov2", **config}


def dinov2_processor(_config):
    return {
        "crop_size": {"height": 224, "width": 224},
        "do_center_crop": True,
        "do_convert_rgb": True,
        "do_normalize": True,
        "do_rescale": True,
        "do_resize": True,
        "image_mean": [0.485, 0.456, 0.406],
        "image_processor_type": "BitImageProcessor",
        "image_std": [0.229, 0.224, 0.225],
        "resample": 3,
        "rescale_factor": 0.00392156862745098,
        "size": {"shortest_edge": 256},
    }


TOWERS = {
    "siglip": BaseTower("google/siglip-tiny", siglip_config, siglip_processor),
    "clip": BaseTower("openai/clip-tiny", clip_config, clip_processor),
    "dinov2": BaseTower("facebook/dinov2-tiny", dinov2_config, dinov2_processor),
}


def write_json(path, value):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def write_llm(hub, family, config):
    """The base language model's folder: config.json and the tokenizer; the weights come from the checkpoint."""
    base = LLMS[family]
    folder = Path(hub) / base.name
    write_json(folder / "config.json", {"architectures": [base.architecture], "model_type": family, **config})
    base.write_tokenizer(folder)
    return base.name


def write_tower(hub, family, config, processor):
    """The base tower's folder: config.json, and the image processor's numbers, some of them the case's own."""
    base = TOWERS[family]
    folder = Path(hub) / base.name
    write_json(folder / "config.json", base.config(config))
    write_json(folder / "preprocessor_config.json", {**base.processor(config), **processor})
    return base.name
