"""The demo model: SigLIP's tower, TinyLLaVA-Video's group resampler, Qwen2's language model, all small.

Tower and language model are transformers 4.40.1's own classes, so what is trained is what the reference runs.
Attribute names are the checkpoint's names.
"""

import math

import torch
from torch import nn
from transformers import Qwen2Config, Qwen2ForCausalLM, SiglipVisionConfig, SiglipVisionModel

FRAMES = 16
NUM_QUERIES = 64
LATENTS_PER_FRAME = NUM_QUERIES // FRAMES
RESAMPLER_LAYERS = 1
HEADS, HEAD_WIDTH = 8, 64
WIDTH = 128
#: `<|endoftext|>` in the tokenizer that tokenizer.py trains.
END_ID = 573

VISION = dict(
    hidden_size=128,
    intermediate_size=256,
    num_hidden_layers=4,
    num_attention_heads=4,
    image_size=96,
    patch_size=12,
    hidden_act="gelu_pytorch_tanh",
    layer_norm_eps=1e-6,
    attention_dropout=0.0,
)

TEXT = dict(
    hidden_size=WIDTH,
    intermediate_size=384,
    num_hidden_layers=4,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=512,
    rope_theta=10000.0,
    rms_norm_eps=1e-6,
    tie_word_embeddings=True,
    use_sliding_window=False,
    vocab_size=576,
    bos_token_id=END_ID,
    eos_token_id=END_ID,
    pad_token_id=END_ID,
)


class PerceiverAttention(nn.Module):
    """Latents look at a frame's tokens and at themselves."""

    def __init__(self, width: int):
        super().__init__()
        inner = HEADS * HEAD_WIDTH
        self.norm_media = nn.LayerNorm(width)
        self.norm_latents = nn.LayerNorm(width)
        self.to_q = nn.Linear(width, inner, bias=False)
        self.to_kv = nn.Linear(width, 2 * inner, bias=False)
        self.to_out = nn.Linear(inner, width, bias=False)

    def forward(self, media: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
        latents = self.norm_latents(latents)
        keys, values = self.to_kv(torch.cat([self.norm_media(media), latents], dim=1)).chunk(2, dim=-1)
        query, keys, values = (
            part.unflatten(-1, (HEADS, HEAD_WIDTH)).transpose(1, 2) for part in (self.to_q(latents), keys, values)
        )
        weights = (query * HEAD_WIDTH**-0.5 @ keys.transpose(-1, -2)).softmax(dim=-1)
        return self.to_out((weights @ values).transpose(1, 2).flatten(2))


def feed_forward(width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.LayerNorm(width),
        nn.Linear(width, 4 * width, bias=False),
        nn.GELU(),
        nn.Linear(4 * width, width, bias=False),
    )


class GroupResampler(nn.Module):
    """Each of 16 frames through the same perceiver, then positions are added.

    A clip has exactly as many frames as groups here, so a group is a frame: that is what lets training treat frames
    one by one. The general split is the runtime's business.
    """

    def __init__(self, vision_width: int, width: int):
        super().__init__()
        self.latents = nn.Parameter(torch.randn(LATENTS_PER_FRAME, width))
        self.linear = nn.Linear(vision_width, width)
        self.layers = nn.ModuleList(
            nn.ModuleList([PerceiverAttention(width), feed_forward(width)]) for _ in range(RESAMPLER_LAYERS)
        )
        self.norm = nn.LayerNorm(width)

    def frame_latents(self, features: torch.Tensor) -> torch.Tensor:
        """[frames, tokens, vision width] -> [frames, latents, width], before positions."""
        media = self.linear(features)
        latents = self.latents.expand(len(media), -1, -1)
        for attention, feed in self.layers:
            latents = attention(media, latents) + latents
            latents = feed(latents) + latents
        return self.norm(latents)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """[clips, frames, tokens, vision width] -> [clips, queries, width]."""
        latents = self.frame_latents(features.flatten(0, 1)).unflatten(0, features.shape[:2]).flatten(1, 2)
        return latents + positions(latents.shape[1], latents.shape[2])


def positions(count: int, width: int) -> torch.Tensor:
    """Sines and cosines, rounded to float16 as the reference does."""
    places = torch.arange(count).unsqueeze(1).float()
    rates = torch.exp(torch.arange(0, width, 2).float() * -(math.log(10000.0) / width))
    table = torch.zeros(count, width, dtype=torch.float16)
    table[:, 0::2] = torch.sin(places * rates)
    table[:, 1::2] = torch.cos(places * rates)
    return table.float()


class Holder(nn.Module):
    """Gives a module the extra level that it has in a checkpoint's names."""

    def __init__(self, name: str, module: nn.Module):
        super().__init__()
        self.add_module(name, module)


class DemoModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.vision_tower = Holder("_vision_tower", SiglipVisionModel(SiglipVisionConfig(**VISION)))
        self.connector = Holder("_connector", GroupResampler(VISION["hidden_size"], WIDTH))
        self.language_model = Qwen2ForCausalLM(Qwen2Config(**TEXT))

    @property
    def tower(self) -> SiglipVisionModel:
        return self.vision_tower._vision_tower

    @property
    def resampler(self) -> GroupResampler:
        return self.connector._connector

    def features(self, frames: torch.Tensor) -> torch.Tensor:
        """uint8 [frames, size, size, 3] -> all tokens after the last layer but one, [frames, 64, vision width]."""
        pixels = (frames.permute(0, 3, 1, 2).float() * (1 / 255) - 0.5) / 0.5
        tower = self.tower.vision_model
        hidden = tower.embeddings(pixels)
        for layer in tower.encoder.layers[:-1]:
            hidden = layer(hidden, attention_mask=None)[0]
        return hidden

    def visual_tokens(self, frames: torch.Tensor) -> torch.Tensor:
        """uint8 [clips, 16, size, size, 3] -> [clips, 64, width]; the first token of each frame is dropped."""
        features = self.features(frames.flatten(0, 1))[:, 1:]
        return self.resampler(features.unflatten(0, frames.shape[:2]))
