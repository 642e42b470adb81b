"""Cases of TinyLLaVA_Factory's language models beside Qwen2 and Phi-2, most with one picture and a small connector."""

import torch

from .case import QUESTIONS, Case, phi, siglip

# As the tokenizers that all cases here use have them.
SPECIAL = {"bos_token_id": 600, "eos_token_id": 600, "pad_token_id": None, "vocab_size": 640}


def family(hidden, heads, layers=2, **more):
    """What the base configs of Llama, Gemma and StableLM have in common."""
    return {
        "hidden_size": hidden,
        "intermediate_size": hidden * 2 + 8,
        "max_position_embeddings": 4096,
        "num_attention_heads": heads,
        "num_hidden_layers": layers,
        "torch_dtype": "bfloat16",
        **SPECIAL,
        **more,
    }


def openelm(width, layers, **more):
    """An OpenELM base config; what is missing takes the class default of the Factory's copy."""
    return {
        "activation_fn_name": "swish",
        "ffn_dim_divisor": 16,
        "head_dim": 16,
        "max_context_length": 2048,
        "model_dim": width,
        "normalization_layer_name": "rms_norm",
        "num_transformer_layers": layers,
        **SPECIAL,
        **more,
    }


ASKED = {key: QUESTIONS[key] for key in ("plain", "unicode", "special")}
PICTURE = {"reference": "factory", "clip": (1, 37, 53), "questions": ASKED, "vision": siglip(36, 3, 30, 7), "connector": "linear"}

LANGUAGE_MODEL_CASES = [
    # `dynamic` changes nothing within the model's own positions, and `pretraining_tp` nothing at all.
    Case(
        "llama", 9, "llama",
        family(64, 4, num_key_value_heads=2, pretraining_tp=2, rope_scaling={"type": "dynamic", "factor": 2.0}, max_position_embeddings=512),
        dtype=torch.float16, **{**PICTURE, "connector": "mlp2x_gelu"},
    ),
    Case(
        "llama-scaled", 8, "llama",
        family(48, 3, attention_bias=True, tie_word_embeddings=True, rms_norm_eps=1e-5, rope_scaling={"type": "linear", "factor": 2.5}),
        **PICTURE,
    ),
    Case(
        "stablelm", 19, "stablelm", family(64, 4, num_key_value_heads=2, use_qkv_bias=True, rope_theta=10000),
        dtype=torch.bfloat16, template="phi", **PICTURE,
    ),
    Case(
        "stablelm-parallel", 43, "stablelm",
        family(
            96, 3, num_key_value_heads=1, qk_layernorm=True, use_parallel_residual=True, partial_rotary_factor=0.5,
            tie_word_embeddings=True, rope_scaling={"type": "linear", "factor": 3.0},
        ),
        dtype=torch.float16, template="phi", **PICTURE,
    ),
    # `hidden_act` is a field of early Gemma configs, and isn't what is computed; `hidden_activation` is.
    Case(
        "gemma", 3, "gemma", family(48, 3, num_key_value_heads=1, head_dim=32, hidden_act="silu"), dtype=torch.bfloat16, **PICTURE,
    ),
    Case(
        "gemma-group", 13, "gemma",
        family(
            40, 2, num_key_value_heads=2, head_dim=12, attention_bias=True, hidden_activation="silu", tie_word_embeddings=False,
        ),
        siglip(36, 3, 30, 7), "groupresampler", 16, group=4, resampler_layers=1, dtype=torch.float16, clip=(4, 24, 45), questions=ASKED,
    ),
    Case(
        "openelm", 8, "openelm",
        openelm(
            64, 3, ffn_multipliers=[0.5, 4.0], qkv_multipliers=[0.5, 1.0], num_gqa_groups=2, normalize_qk_projections=True,
            share_input_output_layers=True,
        ),
        dtype=torch.float16, **PICTURE,
    ),
    # Heads of layer 0 share keys, those of layer 1 don't.
    Case(
        "openelm-untied", 13, "openelm",
        openelm(
            48, 2, ffn_multipliers=[1.0, 2.0], qkv_multipliers=[0.67, 1.33], num_gqa_groups=2, num_kv_heads=[1, 4],
            ffn_with_glu=False, activation_fn_name="gelu", rope_freq_constant=5000, tie_word_embeddings=False,
        ),
        dtype=torch.float16, **PICTURE,
    ),
    Case(
        "phi-1-5", 15, "phi",
        phi(64, 2, intermediate_size=160, partial_rotary_factor=0.5, num_key_value_heads=1, rope_scaling={"type": "linear", "factor": 2.0}),
        dtype=torch.float16, template="phi", max_length=2048, **PICTURE,
    ),
]
