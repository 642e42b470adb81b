"""Stage 1: tower and connector learn to see single frames.

    python train_vision.py --clips DIR --held-out DIR --out FILE --minutes 12

Answers alone would teach them far too slowly on a CPU, so each patch and each latent is told what it looks at:

    patch  -> which kind of shape covers it, and that shape's colour, size and centre
    latent -> the k-th of a frame's 4 latents stands for the k-th kind of shape: present, colour, size, centre

The heads that say so are thrown away afterwards.
"""

import argparse
import random
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from data import Clips, load_clips
from model import VISION, WIDTH, DemoModel
from schedule import TimedSchedule

KINDS, SIZES, COLOURS = 4, 2, 6
GRID = VISION["image_size"] // VISION["patch_size"]
TRAITS = SIZES + COLOURS + 2
PRESENT, SIZE, COLOUR, X, Y, BOX_WIDTH, BOX_HEIGHT = range(7)


def trait_loss(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Size, colour and centre of shapes that are there: [n, TRAITS] against [n, 7]."""
    size, colour, centre = scores.split([SIZES, COLOURS, 2], dim=-1)
    # Centres weigh more than they seem to: directions are read from small differences.
    return (
        F.cross_entropy(size, labels[:, SIZE].long())
        + F.cross_entropy(colour, labels[:, COLOUR].long())
        + F.mse_loss(centre, (labels[:, X : Y + 1] - 0.5) * 4) * 2
    )


def kind_of_patches(labels: torch.Tensor) -> torch.Tensor:
    """[frames, 4, 7] -> [frames, patches]: 0 for background, else 1 + the kind whose box covers the patch."""
    centres = (torch.arange(GRID) + 0.5) / GRID

    def covered(centre: int, extent: int) -> torch.Tensor:
        away = (centres - labels[..., centre, None]).abs()
        # The patch with the shape's centre counts however thin the shape is.
        return away <= torch.clamp(labels[..., extent, None] * 0.45, min=0.5 / GRID)

    box = covered(Y, BOX_HEIGHT).unsqueeze(-1) & covered(X, BOX_WIDTH).unsqueeze(-2)
    box = box.flatten(2) & (labels[..., PRESENT, None] > 0)
    return (box * torch.arange(1, KINDS + 1)[:, None]).amax(dim=1)


class Heads(nn.Module):
    def __init__(self):
        super().__init__()
        self.patch = nn.Linear(VISION["hidden_size"], 1 + KINDS + TRAITS)
        self.latent = nn.Linear(WIDTH, 1 + TRAITS)

    def patch_loss(self, features: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        kinds = kind_of_patches(labels)
        scores = self.patch(features)
        weights = torch.tensor([0.3] + [1.0] * KINDS)
        loss = F.cross_entropy(scores[..., : 1 + KINDS].flatten(0, 1), kinds.flatten(), weights)
        frame, patch = (kinds > 0).nonzero(as_tuple=True)
        return loss + trait_loss(scores[frame, patch, 1 + KINDS :], labels[frame, kinds[frame, patch] - 1])

    def latent_loss(self, latents: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        scores = self.latent(latents)
        there = labels[..., PRESENT] > 0
        loss = F.binary_cross_entropy_with_logits(scores[..., 0], labels[..., PRESENT])
        return loss * 4 + trait_loss(scores[there][:, 1:], labels[there])


@torch.no_grad()
def report(model: DemoModel, heads: Heads, clips: Clips, count: int = 24) -> str:
    labels = clips.labels[:count].flatten(0, 1)
    features = model.features(clips.batch_frames(np.arange(count)).flatten(0, 1))
    scores = heads.latent(model.resampler.frame_latents(features[:, 1:]))
    there = labels[..., PRESENT] > 0
    size, colour, centre = scores[there][:, 1:].split([SIZES, COLOURS, 2], dim=-1)
    seen = labels[there]
    figures = {
        "present": ((scores[..., 0] > 0) == there).all(dim=1).float().mean(),
        "size": (size.argmax(-1) == seen[:, SIZE]).float().mean(),
        "colour": (colour.argmax(-1) == seen[:, COLOUR]).float().mean(),
        "centre": (centre / 4 + 0.5 - seen[:, X : Y + 1]).abs().mean(),
    }
    return "  ".join(f"{name} {value:.4f}" for name, value in figures.items())


def train(arguments: argparse.Namespace) -> None:
    torch.manual_seed(arguments.seed)
    random.seed(arguments.seed)
    rng = np.random.default_rng(arguments.seed)
    clips, held_out = load_clips(arguments.clips), load_clips(arguments.held_out)
    model, heads = DemoModel(), Heads()
    if arguments.resume:
        state = torch.load(arguments.out)
        model.load_state_dict(state["model"])
        heads.load_state_dict(state["heads"])

    trained = [*model.tower.parameters(), *model.resampler.parameters(), *heads.parameters()]
    optimizer = torch.optim.AdamW(trained, lr=arguments.learning_rate, betas=(0.9, 0.98), weight_decay=0.02)
    schedule = TimedSchedule(optimizer, arguments.minutes)
    while schedule.progress < 1:
        places = rng.integers(len(clips), size=arguments.batch)
        slots = rng.integers(clips.frames.shape[1], size=arguments.batch)
        frames = torch.from_numpy(clips.frames[places, slots])
        labels = clips.labels[places, slots].clone()
        if rng.random() < 0.5:
            # Every kind of shape is its own mirror image.
            frames = frames.flip(2)
            labels[..., X] = 1 - labels[..., X]
        features = model.features(frames)
        loss = heads.patch_loss(features, labels)
        loss = loss + heads.latent_loss(model.resampler.frame_latents(features[:, 1:]), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(trained, 1.0)
        schedule.step()
        optimizer.step()
        if schedule.steps % arguments.report_every == 0 or schedule.progress >= 1:
            minutes = schedule.progress * arguments.minutes
            print(f"{minutes:5.1f} min  step {schedule.steps}  loss {loss.item():.3f}  {report(model, heads, held_out)}", flush=True)
            torch.save({"model": model.state_dict(), "heads": heads.state_dict()}, arguments.out)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--held-out", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="checkpoint to write (and to read with --resume)")
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=1.5e-3)
    parser.add_argument("--report-every", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resume", action="store_true")
    train(parser.parse_args())
