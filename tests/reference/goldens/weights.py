"""Random weights under which every part of the model matters."""

import zlib

import torch

# What language models call their table of embeddings.
EMBEDDINGS = ("embed_tokens", "token_embeddings")


def noise(name, shape, seed):
    """Standard normal numbers that depend on the parameter's name and the seed only."""
    generator = torch.Generator().manual_seed(seed * 1_000_003 + zlib.crc32(name.encode()) % 1_000_003)
    return torch.randn(shape, generator=generator)


def lively(name, shape, seed, tied):
    """The values of one parameter: norms around 1, biases away from 0, projections that keep the scale."""
    values = noise(name, shape, seed)
    if name.endswith("bias"):
        return values * 0.1
    if len(shape) == 1:
        return 1 + 0.2 * values
    if any(part in name for part in EMBEDDINGS):
        return values * (0.35 if tied else 0.7)
    if "position_embedding" in name:
        return values * 0.5
    if "latents" in name or "probe" in name:
        return values
    fan_in = values[0].numel()
    sharp = ("q_proj", "k_proj", "to_q", "to_kv", "lm_head", "o_proj", "down_proj", "dense", "mlp.fc2", "qkv_proj", "proj_2")
    gain = 1.6 if any(part in name for part in sharp) else 1.2
    return values * gain / fan_in**0.5


def fill(model, seed, known_tokens, dtype):
    """Fills the model; rows of padding ids stay small, as in trained models, so they are never generated."""
    tied = model.config.text_config.tie_word_embeddings
    for name, parameter in model.named_parameters():
        values = lively(name, parameter.shape, seed, tied)
        if any(f"{part}.weight" in name for part in (*EMBEDDINGS, "lm_head")):
            values[known_tokens:] *= 0.01
        if "lm_head.bias" in name:
            values[known_tokens:] = -1
        parameter.data.copy_(values.to(dtype).to(parameter.dtype))


def swap_output_rows(model, first, second):
    """Makes the language model say `second` wherever it would have said `first`, and the other way round."""
    rows = model.language_model.lm_head.weight.data
    rows[[first, second]] = rows[[second, first]].clone()
