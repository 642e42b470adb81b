"""What a case is: the checkpoint it looks at and what it is asked, and the base configs that cases are made of."""

from dataclasses import dataclass, field

import torch

QUESTIONS = {
    "plain": "What happens in the video?",
    "marker": "  Is the <image> red circle  moving left <image>or right?  ",
    "unicode": "Où est le café ☕? 红色的圆形 🌟👩‍🚀 e\u0301te\u0301 nai\u0308ve 赤い星 — что?",
    "spaces": "   ?  ",
    "empty": "",
    "special": "Say <|endoftext|> twice<|endoftext|> and then  describe <|im_end|> the star.",
}

LONG = (
    "Please describe, in as many words as you can find, what the large red circle and the small blue square do "
    "between the beginning and the end of the video, which way they move, when they appear, and whether the colour changes."
)


def qwen2(hidden, heads, kv_heads, layers=2, **more):
    """A Qwen2 base config; what is missing takes the class default of transformers."""
    return {
        "attention_dropout": 0.0,
        "bos_token_id": 600,
        "eos_token_id": 600,
        "hidden_act": "silu",
        "hidden_size": hidden,
        "initializer_range": 0.02,
        "intermediate_size": hidden * 2 + 8,
        "max_position_embeddings": 32768,
        "max_window_layers": layers,
        "num_attention_heads": heads,
        "num_hidden_layers": layers,
        "num_key_value_heads": kv_heads,
        "rms_norm_eps": 1e-06,
        "rope_theta": 1000000.0,
        "sliding_window": 32768,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
        "use_cache": True,
        "use_sliding_window": False,
        "vocab_size": 640,
        **more,
    }


def phi(hidden, heads, layers=2, **more):
    """A Phi-2 base config."""
    return {
        "attention_dropout": 0.0,
        "bos_token_id": 600,
        "embd_pdrop": 0.0,
        "eos_token_id": 600,
        "hidden_act": "gelu_new",
        "hidden_size": hidden,
        "initializer_range": 0.02,
        "intermediate_size": hidden * 4,
        "layer_norm_eps": 1e-05,
        "max_position_embeddings": 2048,
        "num_attention_heads": heads,
        "num_hidden_layers": layers,
        "num_key_value_heads": heads,
        "partial_rotary_factor": 0.4,
        "qk_layernorm": False,
        "resid_pdrop": 0.1,
        "rope_theta": 10000.0,
        "tie_word_embeddings": False,
        "torch_dtype": "float16",
        "use_cache": True,
        "vocab_size": 672,
        **more,
    }


def siglip(hidden, heads, image, patch, layers=3):
    return {
        "hidden_size": hidden,
        "image_size": image,
        "intermediate_size": hidden * 3 + 5,
        "num_attention_heads": heads,
        "num_hidden_layers": layers,
        "patch_size": patch,
    }


def clip(hidden, heads, image, patch, layers=3, **more):
    """A CLIP vision config."""
    return {**siglip(hidden, heads, image, patch, layers), **more}


def dinov2(hidden, heads, image, patch, layers=3, **more):
    """A DINOv2 config; its pictures have the size that the image processor makes them."""
    return {
        "hidden_size": hidden,
        "image_size": image,
        "num_attention_heads": heads,
        "num_hidden_layers": layers,
        "patch_size": patch,
        **more,
    }


@dataclass(frozen=True)
class Case:
    """One checkpoint, one clip, some questions; for the Factory a clip is one picture."""

    name: str
    seed: int
    llm: str
    text: dict
    vision: dict
    connector: str
    queries: int | None = None
    group: int | None = None
    reference: str = "video"  # or "factory"
    tower: str = "siglip"
    tower_prefix: str = ""  # in front of the tower's name, as `mof:`
    tower2: str = ""  # the second of two towers
    vision2: dict = field(default_factory=dict)
    processor: dict = field(default_factory=dict)  # of preprocessor_config.json, which then lies in the checkpoint's folder
    bases: dict = field(default_factory=dict)  # config.json of other base models that a part reads, by their name on the hub
    resampler_layers: int = 2
    dtype: torch.dtype = torch.float32
    shard: str | None = None
    template: str = "qwen2_base"
    feature_layer: int = -2
    strategy: str = "patch"
    aspect: str = "square"
    max_length: int = 3072
    clip: tuple = (16, 37, 53)  # frames, height, width
    dark: dict = field(default_factory=dict)  # frame -> largest value in it
    shorter: tuple = ()  # also the connector's output for the clip's first N frames
    questions: dict = field(default_factory=lambda: QUESTIONS)
    stops: bool = False
    layout: str = "whole"  # one of layouts.py
