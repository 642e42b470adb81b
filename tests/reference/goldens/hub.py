"""Small local folders under the names of base models, in place of a model hub."""

import json
from pathlib import Path

from .vocabulary import write_phi_tokenizer, write_qwen2_tokenizer

LLM_NAMES = {"qwen2": "Qwen/Qwen2.5-tiny", "phi": "microsoft/phi-2-tiny"}
TOWER_NAME = "google/siglip-tiny"


def write_json(path, value):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def write_llm(hub, family, config):
    """The base language model's folder: config.json and the tokenizer; the weights come from the checkpoint."""
    folder = Path(hub) / LLM_NAMES[family]
    architecture = {"qwen2": "Qwen2ForCausalLM", "phi": "PhiForCausalLM"}[family]
    write_json(folder / "config.json", {"architectures": [architecture], "model_type": family, **config})
    {"qwen2": write_qwen2_tokenizer, "phi": write_phi_tokenizer}[family](folder)
    return LLM_NAMES[family]


def write_tower(hub, config):
    """The base tower's folder: config.json as SigLIP nests it, and the image processor's numbers."""
    folder = Path(hub) / TOWER_NAME
    write_json(
        folder / "config.json",
        {"architectures": ["SiglipModel"], "model_type": "siglip", "vision_config": {"model_type": "siglip_vision_model", **config}},
    )
    size = config["image_size"]
    write_json(
        folder / "preprocessor_config.json",
        {
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
        },
    )
    return TOWER_NAME
