"""The table of cases: what each checkpoint looks like and what it is asked."""

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


CASES = [
    Case(
        "qwen2-group-16", 27, "qwen2", qwen2(64, 4, 2, tie_word_embeddings=True), siglip(36, 3, 30, 7),
        "groupresampler", 32, group=16, dark={5: 1, 9: 0, 12: 2}, shorter=(1, 5, 15),
    ),
    Case(
        "qwen2-group-uneven", 109, "qwen2", qwen2(96, 6, 2, rope_theta=10000.0), siglip(40, 5, 37, 7),
        "groupresampler", 32, group=5, resampler_layers=1, dtype=torch.bfloat16, shard="400KB", clip=(12, 61, 35), shorter=(1, 7),
    ),
    Case(
        "qwen2-naive", 176, "qwen2", qwen2(64, 2, 1, layers=3), siglip(66, 6, 32, 8),
        "naiveresampler", 24, dtype=torch.float16, clip=(9, 24, 45), feature_layer=-3, shorter=(1, 4),
    ),
    Case(
        "phi-naive", 104, "phi", phi(80, 2, intermediate_size=200), siglip(48, 2, 28, 9),
        "naiveresampler", 20, resampler_layers=1, template="phi", feature_layer=-1, aspect="pad", max_length=2048,
        clip=(8, 53, 37), shorter=(1, 3),
    ),
    Case(
        "qwen2-truncated", 5, "qwen2", qwen2(48, 3, 3), siglip(36, 3, 30, 7),
        "groupresampler", 16, group=4, resampler_layers=1, dtype=torch.float16, max_length=64, clip=(6, 20, 31),
        questions={"short": QUESTIONS["spaces"], "plain": QUESTIONS["plain"], "long": LONG},
    ),
    Case(
        "qwen2-truncated-3072", 1, "qwen2", qwen2(48, 3, 1), siglip(36, 3, 30, 7),
        "groupresampler", 3000, group=16, resampler_layers=1, dtype=torch.float16, clip=(16, 20, 31),
        questions={"short": QUESTIONS["spaces"], "long": LONG + " " + LONG},
    ),
    Case(
        "qwen2-stop", 1, "qwen2", qwen2(48, 3, 1), siglip(36, 3, 30, 7),
        "groupresampler", 16, group=3, resampler_layers=1, strategy="cls_patch", clip=(7, 20, 31),
        questions={key: QUESTIONS[key] for key in ("plain", "spaces", "marker")}, stops=True,
    ),
]
