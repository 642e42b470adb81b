"""Writes a trained model as a TinyLLaVA-Video checkpoint: config.json, model.safetensors in float16, the tokenizer.

    python export.py --checkpoint FILE --tokenizer DIR --out MODEL_DIR

Each file is written beside its place and renamed, so a reader never sees half of one.
"""

import argparse
import json
import os
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import Qwen2Config, SiglipVisionConfig

from model import END_ID, FRAMES, NUM_QUERIES, RESAMPLER_LAYERS, TEXT, VISION, WIDTH, DemoModel

LANGUAGE_MODEL, VISION_TOWER = "qwen2-demo", "siglip-demo"


def configuration() -> dict:
    """As the reference's TinyLlavaConfig saves itself."""
    names = {"model_name_or_path": VISION_TOWER, "model_name_or_path2": ""}
    return {
        "architectures": ["TinyLlavaForConditionalGeneration"],
        "model_type": "tinyllava",
        "llm_model_name_or_path": LANGUAGE_MODEL,
        "tokenizer_name_or_path": LANGUAGE_MODEL,
        "vision_model_name_or_path": VISION_TOWER,
        "vision_model_name_or_path2": "",
        "connector_type": "groupresampler",
        "hidden_size": WIDTH,
        "vocab_size": TEXT["vocab_size"],
        "vision_hidden_size": VISION["hidden_size"],
        "vision_feature_layer": -2,
        "vision_feature_select_strategy": "patch",
        "image_aspect_ratio": "square",
        "num_queries": NUM_QUERIES,
        "group": FRAMES,
        "num_resampler_layers": RESAMPLER_LAYERS,
        "resampler_hidden_size": None,
        "ignore_index": -100,
        "image_token_index": -200,
        "pad_token": "<|endoftext|>",
        "pad_token_id": END_ID,
        "tokenizer_model_max_length": TEXT["max_position_embeddings"],
        "tokenizer_padding_side": "right",
        "tokenizer_use_fast": False,
        "tune_type_llm": "full",
        "tune_type_connector": "full",
        "tune_type_vision_tower": "full",
        "tune_vision_tower_from_layer": -1,
        "use_cache": True,
        "cache_dir": None,
        "text_config": nested(Qwen2Config(**TEXT, architectures=["Qwen2ForCausalLM"], torch_dtype="float16")),
        "vision_config": nested(SiglipVisionConfig(**VISION)) | names,
        "torch_dtype": "float16",
        "transformers_version": "4.40.1",
    }


def nested(config) -> dict:
    """What differs from the class's defaults, as a configuration inside a configuration is saved."""
    return {key: value for key, value in config.to_diff_dict().items() if key != "transformers_version"}


def tensors(model: DemoModel) -> dict:
    """The weights by their names in a checkpoint. Tied ones are stored once, as transformers does."""
    state = model.state_dict()
    del state["language_model.lm_head.weight"]
    return {name: value.to(torch.float16).contiguous() for name, value in state.items()}


def export(model: DemoModel, tokenizer: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)

    def place(name: str, write) -> None:
        part = out / f".{name}.part"
        write(part)
        part.chmod(0o644)
        os.replace(part, out / name)

    for file in tokenizer.glob("*"):
        place(file.name, lambda part, file=file: shutil.copyfile(file, part))
    place("config.json", lambda part: part.write_text(json.dumps(configuration(), indent=2, sort_keys=True) + "\n"))
    place("model.safetensors", lambda part: save_file(tensors(model), part, metadata={"format": "pt"}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    trained = DemoModel()
    trained.load_state_dict(torch.load(arguments.checkpoint)["model"])
    export(trained, arguments.tokenizer, arguments.out)
