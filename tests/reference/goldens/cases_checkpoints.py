"""Cases of the layouts that checkpoints lie in, beside a whole one of safetensors."""

import torch

from .case import QUESTIONS, Case, phi, qwen2, siglip
from .cases_language_models import family

ASKED = {key: QUESTIONS[key] for key in ("plain", "spaces")}
CLIP = {"vision": siglip(36, 3, 30, 7), "connector": "groupresampler", "queries": 12, "group": 3, "resampler_layers": 1, "clip": (5, 20, 31)}
PICTURE = {"vision": siglip(36, 3, 30, 7), "connector": "mlp2x_gelu", "reference": "factory", "clip": (1, 37, 53)}

CHECKPOINT_CASES = [
    # Tied weights, which a pickled file holds under both names; shards.
    Case(
        "checkpoint-pickled", 2, "qwen2", qwen2(48, 3, 1, tie_word_embeddings=True), layout="pickled", dtype=torch.bfloat16, shard="200KB",
        questions=ASKED, **CLIP,
    ),
    Case(
        "checkpoint-parts", 1, "qwen2", qwen2(48, 3, 1, tie_word_embeddings=True), layout="parts", dtype=torch.float16,
        questions=ASKED, **CLIP,
    ),
    # Float32, so that the reference's rounding to float16 matters.
    Case(
        "checkpoint-lora", 5, "qwen2", qwen2(32, 2, 1), layout="lora", questions=ASKED,
        **{**PICTURE, "vision": siglip(24, 2, 30, 7, layers=2)},
    ),
    Case(
        "legacy-llama", 5, "llama", family(48, 3, num_key_value_heads=1), layout="legacy", dtype=torch.float16,
        questions=ASKED, **PICTURE,
    ),
    Case(
        "legacy-stablelm", 2, "stablelm", family(48, 3, num_key_value_heads=3, use_qkv_bias=True), layout="legacy",
        dtype=torch.float16, template="phi", questions=ASKED, **PICTURE,
    ),
    Case(
        "legacy-phi", 6, "phi", phi(64, 2, intermediate_size=160), layout="legacy", dtype=torch.float16, template="phi", max_length=2048,
        questions=ASKED, **PICTURE,
    ),
]
