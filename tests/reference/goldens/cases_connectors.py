"""Cases of TinyLLaVA_Factory's connectors: each one picture, so one frame."""

import torch

from .case import QUESTIONS, Case, phi, qwen2, siglip

# No checkpoint holds the sizes of a Q-Former's BERT: the reference reads them from this base model's repository.
BERT = "google-bert/bert-base-uncased"


def bert(hidden, heads, layers, intermediate):
    """A BERT base config; what is missing takes the class default of transformers."""
    return {
        "model_type": "bert",
        "hidden_size": hidden,
        "intermediate_size": intermediate,
        "num_attention_heads": heads,
        "num_hidden_layers": layers,
        "max_position_embeddings": 24,
        "vocab_size": 8,
    }


ASKED = {key: QUESTIONS[key] for key in ("plain", "unicode", "spaces")}

CONNECTOR_CASES = [
    Case(
        "picture-mlp2x", 17, "phi", phi(64, 2, intermediate_size=160), siglip(36, 3, 30, 7), "mlp2x_gelu",
        reference="factory", dtype=torch.float16, template="phi", max_length=2048, clip=(1, 37, 53), questions=ASKED,
    ),
    Case(
        "picture-mlp3x", 3, "qwen2", qwen2(48, 3, 1), siglip(40, 5, 28, 7), "mlp3x_gelu",
        reference="factory", dtype=torch.bfloat16, clip=(1, 61, 35), questions=ASKED,
    ),
    Case(
        "picture-linear", 6, "qwen2", qwen2(48, 3, 1, tie_word_embeddings=True), siglip(36, 3, 30, 7), "linear",
        reference="factory", dtype=torch.float16, clip=(1, 37, 53), questions=ASKED,
    ),
    Case(
        "picture-identity", 26, "qwen2", qwen2(48, 3, 1), siglip(48, 2, 28, 9), "identity",
        reference="factory", dtype=torch.float16, strategy="cls_patch", clip=(1, 37, 53), questions=ASKED,
    ),
    Case(
        "picture-resampler", 27, "qwen2", qwen2(48, 3, 1), siglip(36, 3, 30, 7), "resampler", 12,
        resampler_layers=1, reference="factory", dtype=torch.float16, clip=(1, 37, 53), questions=ASKED,
    ),
    # Its name in connector_type holds `qformer`, which is all that the reference looks for: ours registers a small one by it.
    Case(
        "picture-qformer", 3, "qwen2", qwen2(48, 3, 1), siglip(36, 3, 30, 7), "qformer_small", 10,
        bases={BERT: bert(48, 4, 3, 112)}, reference="factory", dtype=torch.float16, clip=(1, 37, 53), questions=ASKED,
    ),
]
