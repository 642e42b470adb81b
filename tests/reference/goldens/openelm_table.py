"""What the Factory's copy of OpenELM makes of a configuration, layer by layer."""

import json

import torch

from .reference import versions

# Beside the published sizes: one multiplier for all layers, one for each, a list of two on one layer, rounding up and down.
OTHERS = {
    "defaults": {},
    "one multiplier": {"model_dim": 320, "head_dim": 16, "qkv_multipliers": 0.71, "ffn_multipliers": 1.3, "num_gqa_groups": 2},
    "a list of widths": {"num_transformer_layers": 3, "ffn_multipliers": [0.5, 1.17, 3.999], "model_dim": 256, "head_dim": 32},
    "one layer": {"num_transformer_layers": 1, "ffn_multipliers": [0.5, 4.0], "qkv_multipliers": [0.3, 1.0]},
    "not below nine tenths": {"model_dim": 144, "head_dim": 48, "ffn_multipliers": 2.4, "ffn_dim_divisor": 256},
    "its own key-value heads": {"num_transformer_layers": 2, "num_kv_heads": [2, 8], "num_query_heads": [1, 1]},
}


def sizes(openelm, given):
    """(heads, key-value heads, inner widths) of each layer."""
    config = openelm.OpenELMConfig(**given)
    with torch.device("meta"):
        inner = [openelm.OpenELMFeedForwardNetwork(config, layer).proj_2.in_features for layer in range(config.num_transformer_layers)]
    return {"heads": config.num_query_heads, "keyValueHeads": config.num_kv_heads, "inner": inner}


def openelm_sizes(reference, out, _scratch):
    """The class defaults, and the sizes of the published models' and of some other configurations."""
    openelm = reference.openelm
    given = {**openelm.OpenELM_CONFIGS, **OTHERS}
    table = {
        "versions": versions("factory"),
        "defaults": dict(sorted(openelm.OpenELMConfig().to_dict().items())),
        "sizes": {name: {"config": config, **sizes(openelm, config)} for name, config in given.items()},
    }
    path = out / "openelm-sizes.json"
    path.write_text(json.dumps(table) + "\n", encoding="utf-8")
    path.chmod(0o644)
