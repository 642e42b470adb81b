"""Cases of the towers beside SigLIP, and of what becomes of pictures that aren't square."""

import torch

from .case import QUESTIONS, Case, clip, dinov2, qwen2, siglip

ASKED = {key: QUESTIONS[key] for key in ("plain", "spaces")}

TOWER_CASES = [
    # Tall frames, of which the middle is seen; one is nearly black.
    Case(
        "clip-group", 7, "qwen2", qwen2(48, 3, 1), clip(36, 3, 30, 7),
        "groupresampler", 16, group=4, resampler_layers=1, dtype=torch.float16, tower="clip", clip=(6, 53, 31), dark={2: 1},
        shorter=(1,), questions=ASKED,
    ),
    # Wide frames; a layer counted from the front; the class token stays.
    Case(
        "clip-naive", 1, "qwen2", qwen2(48, 3, 1), clip(40, 5, 28, 7),
        "naiveresampler", 12, resampler_layers=1, dtype=torch.float16, tower="clip", clip=(5, 20, 47), feature_layer=1,
        strategy="cls_patch", questions=ASKED,
    ),
    # 4 x 4 learned positions stretched to 5 x 5.
    Case(
        "dinov2-group", 3, "qwen2", qwen2(48, 3, 1), dinov2(36, 3, 28, 7),
        "groupresampler", 16, group=4, resampler_layers=1, dtype=torch.float16, tower="dinov2",
        processor={"size": {"shortest_edge": 40}, "crop_size": {"height": 35, "width": 35}}, clip=(5, 37, 53), shorter=(1,),
        questions=ASKED,
    ),
    # 7 x 7 learned positions shrunk to 4 x 4; the last layer, which isn't normed; no biases; SwiGLU.
    Case(
        "dinov2-swiglu", 2, "qwen2", qwen2(48, 3, 1), dinov2(40, 2, 49, 7, use_swiglu_ffn=True, qkv_bias=False, mlp_ratio=3),
        "naiveresampler", 12, resampler_layers=1, dtype=torch.float16, tower="dinov2",
        processor={"size": {"shortest_edge": 36}, "crop_size": {"height": 30, "width": 30}}, clip=(5, 61, 35), feature_layer=3,
        strategy="cls_patch", questions=ASKED,
    ),
    Case(
        "picture-siglip-pad", 5, "qwen2", qwen2(48, 3, 1), siglip(36, 3, 30, 7), "mlp2x_gelu",
        reference="factory", dtype=torch.float16, aspect="pad", clip=(1, 24, 61), questions=ASKED,
    ),
    # A picture that is nearly black is rescaled as any other, unlike a video's frame.
    Case(
        "picture-siglip-dark", 5, "qwen2", qwen2(48, 3, 1), siglip(36, 3, 30, 7), "linear",
        reference="factory", dtype=torch.float16, clip=(1, 45, 20), dark={0: 1}, feature_layer=0, questions=ASKED,
    ),
    Case(
        "picture-clip-pad", 8, "qwen2", qwen2(48, 3, 1), clip(36, 3, 30, 7), "mlp2x_gelu",
        reference="factory", dtype=torch.float16, tower="clip", aspect="pad", clip=(1, 50, 23), questions=ASKED,
    ),
    Case(
        "picture-clip-square", 4, "qwen2", qwen2(48, 3, 1), clip(36, 3, 30, 7), "linear",
        reference="factory", dtype=torch.float16, tower="clip", clip=(1, 23, 50), questions=ASKED,
    ),
    # Heads of 64, as every DINOv2 has them: its configuration is not in the checkpoint.
    Case(
        "picture-mof", 1, "qwen2", qwen2(48, 3, 1), clip(64, 4, 28, 7, layers=2), "mof_mlp",
        reference="factory", dtype=torch.float16, tower="clip", tower_prefix="mof:", tower2="dinov2", vision2=dinov2(64, 1, 35, 7, layers=2),
        aspect="pad", clip=(1, 37, 53), questions=ASKED,
    ),
]
