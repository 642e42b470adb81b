"""The table of cases: what each checkpoint looks like and what it is asked."""

import torch

from .case import LONG, QUESTIONS, Case, phi, qwen2, siglip
from .cases_checkpoints import CHECKPOINT_CASES
from .cases_connectors import CONNECTOR_CASES
from .cases_language_models import LANGUAGE_MODEL_CASES
from .cases_towers import TOWER_CASES

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
    *CHECKPOINT_CASES,
    *CONNECTOR_CASES,
    *LANGUAGE_MODEL_CASES,
    *TOWER_CASES,
]
