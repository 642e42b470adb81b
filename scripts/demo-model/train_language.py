"""Stage 2: the language model learns to answer from the frozen connector's latents.

    python train_language.py --clips DIR --held-out DIR --vision FILE --tokenizer DIR --out FILE --minutes 40

Latents are computed once a clip and kept. Two heads that are thrown away afterwards make attention form early instead
of after a long plateau. Both ask for a shape's history: how it moved, when it appeared, its colours and size.

    history    halfway up the model, at the last frame's latents: of the kind that each latent stands for
    reference  one layer later, at a question's word for a shape ("star", "red"): of that shape, and its kind
"""

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from transformers import Qwen2Tokenizer

from data import Clips, load_clips
from export import export
from model import LATENTS_PER_FRAME, NUM_QUERIES, WIDTH, DemoModel, positions
from prompts import Packed, Packer, choose_questions
from schedule import TimedSchedule
from train_vision import COLOUR, COLOURS, KINDS, PRESENT, SIZE, SIZES, X, Y

#: still, left, right, up, down
MOTIONS, APPEARANCES = 5, 3
HISTORY_PARTS = [MOTIONS, APPEARANCES, COLOURS, COLOURS, SIZES]
HISTORY_LAYER, REFERENCE_LAYER = 2, 3
#: Least way of a moving shape, as a part of the frame: the generator's least is 0.32, or 0 for shapes that stay.
MOVED = 0.1
MIDDLE_ENDS = 11


def histories(labels: torch.Tensor) -> tuple:
    """[clips, 16, 4, 7] -> who is there at the end [clips, 4], and five classes for each kind [clips, 4, 5]."""
    there = labels[..., PRESENT] > 0
    first = there.float().argmax(dim=1)
    begin = labels.gather(1, first[:, None, :, None].expand(-1, 1, -1, labels.shape[-1]))[:, 0]
    end = labels[:, -1]
    way = (end - begin)[..., X : Y + 1]
    along_x = way[..., 0].abs() > way[..., 1].abs()
    motion = torch.where(along_x, 1 + (way[..., 0] > 0).long(), 3 + (way[..., 1] > 0).long())
    motion = torch.where(way.abs().amax(dim=-1) < MOVED, 0, motion)
    appearance = (first > 0).long() + (first > MIDDLE_ENDS).long()
    traits = [motion, appearance, begin[..., COLOUR].long(), end[..., COLOUR].long(), end[..., SIZE].long()]
    return there[:, -1], torch.stack(traits, dim=-1)


def history_loss(head: nn.Linear, hidden: torch.Tensor, there: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    scores = head(hidden)
    loss = F.binary_cross_entropy_with_logits(scores[..., 0], there.float())
    parts = scores[there][:, 1:].split(HISTORY_PARTS, dim=-1)
    wanted = classes[there]
    return loss + sum(F.cross_entropy(part, wanted[:, index]) for index, part in enumerate(parts))


class LatentCache:
    """Frozen latents of clips, computed the first time a clip is asked for; positions not yet added.

    With a file, latents of earlier runs are used again: delete it when the vision checkpoint changes.
    """

    def __init__(self, model: DemoModel, clips: Clips, file: Path | None = None):
        self.model, self.clips, self.file = model, clips, file
        self.latents = torch.empty(len(clips), NUM_QUERIES, WIDTH, dtype=torch.float16)
        self.known = np.zeros(len(clips), bool)
        if file is not None and file.exists():
            self.latents, self.known = torch.load(file)

    def save(self) -> None:
        if self.file is not None:
            torch.save((self.latents, self.known), self.file)

    @torch.no_grad()
    def fill(self, places: np.ndarray, batch: int = 8) -> None:
        places = places[~self.known[places]]
        for start in range(0, len(places), batch):
            some = places[start : start + batch]
            features = self.model.features(self.clips.batch_frames(some).flatten(0, 1))[:, 1:]
            latents = self.model.resampler.frame_latents(features).reshape(len(some), NUM_QUERIES, WIDTH)
            self.latents[some] = latents.to(torch.float16)
        self.known[places] = True

    def visual_tokens(self, places: np.ndarray) -> torch.Tensor:
        self.fill(places)
        return self.latents[places].float() + positions(NUM_QUERIES, WIDTH)


def reference_loss(head: nn.Linear, hidden: torch.Tensor, packed: Packed, classes: torch.Tensor) -> torch.Tensor:
    rows, places, kinds = packed.references.unbind(dim=1)
    parts = head(hidden[rows, places]).split([KINDS, *HISTORY_PARTS], dim=-1)
    wanted = [kinds, *classes[rows, kinds].unbind(dim=-1)]
    return sum(F.cross_entropy(part, want) for part, want in zip(parts, wanted))


def run(model: DemoModel, packed: Packed, visual: slice, visual_tokens: torch.Tensor) -> tuple:
    """Hidden states after each layer, and at the top."""
    inner = model.language_model.model
    embeds = inner.embed_tokens(packed.ids)
    embeds = torch.cat([embeds[:, : visual.start], visual_tokens, embeds[:, visual.stop :]], dim=1)
    # Qwen2Model makes its own causal mask; ours also keeps questions apart, so its layers are called one by one.
    mask = torch.zeros_like(packed.mask, dtype=embeds.dtype).masked_fill(~packed.mask, torch.finfo(embeds.dtype).min)
    states = [embeds]
    for layer in inner.layers:
        states.append(layer(states[-1], attention_mask=mask, position_ids=packed.positions)[0])
    return states, inner.norm(states[-1])


@torch.no_grad()
def exact_answers(model: DemoModel, packer: Packer, cache: LatentCache, batch: int = 32) -> dict:
    """For each kind of question, the part answered word for word.

    An answer is greedy decoding's own exactly when each of its tokens is the likeliest after those before it.
    """
    right, total = defaultdict(int), defaultdict(int)
    for start in range(0, len(cache.clips), batch):
        places = np.arange(start, min(start + batch, len(cache.clips)))
        asked = [cache.clips.texts[place]["rounds"][0] for place in places]
        packed = packer.pack(asked)
        logits = model.language_model.lm_head(run(model, packed, packer.visual, cache.visual_tokens(places))[1])
        wrong = (logits.argmax(-1) != packed.targets) & (packed.targets >= 0)
        for row, questions in enumerate(asked):
            for owner, question in enumerate(questions):
                total[question["kind"]] += 1
                right[question["kind"]] += not wrong[row][packed.owners[row] == owner].any()
    return {kind: right[kind] / total[kind] for kind in total} | {"all": sum(right.values()) / sum(total.values())}


def train(arguments: argparse.Namespace) -> None:
    torch.manual_seed(arguments.seed)
    rng = np.random.default_rng(arguments.seed)
    packer = Packer(Qwen2Tokenizer.from_pretrained(arguments.tokenizer))
    clips, held_out = load_clips(arguments.clips), load_clips(arguments.held_out)
    model = DemoModel()
    heads = nn.ModuleDict({
        "history": nn.Linear(WIDTH, 1 + sum(HISTORY_PARTS)),
        "reference": nn.Linear(WIDTH, KINDS + sum(HISTORY_PARTS)),
    })
    model.load_state_dict(torch.load(arguments.vision)["model"])
    if arguments.resume:
        state = torch.load(arguments.out)
        model.load_state_dict(state["model"])
        heads.load_state_dict(state["heads"])
    cache, held_out_cache = LatentCache(model, clips, arguments.latents), LatentCache(model, held_out)
    order = rng.permutation(np.flatnonzero(~cache.known))
    missing = max(0, arguments.first_clips - int(cache.known.sum()))
    cache.fill(order[:missing])
    seen, fresh = np.flatnonzero(cache.known), order[missing:]
    there, classes = histories(clips.labels)
    print("latents are there", flush=True)

    trained = [*model.language_model.parameters(), *heads.parameters()]
    optimizer = torch.optim.AdamW(trained, lr=arguments.learning_rate, betas=(0.9, 0.98), weight_decay=0.05)
    schedule = TimedSchedule(optimizer, arguments.minutes, warmup_steps=200)
    last_frame = slice(packer.visual.stop - LATENTS_PER_FRAME, packer.visual.stop)
    best = arguments.export_above
    while schedule.progress < 1:
        # Each batch brings a few clips that weren't seen before, as their latents cost more than the rest of the step.
        added, fresh = fresh[: arguments.fresh_clips], fresh[arguments.fresh_clips :]
        places = np.concatenate([added, rng.choice(seen, arguments.batch - len(added), replace=False)])
        seen = np.concatenate([seen, added])
        packed = packer.pack([choose_questions(clips.texts[place]["rounds"], rng) for place in places])
        states, top = run(model, packed, packer.visual, cache.visual_tokens(places))
        answered = packed.targets >= 0
        losses = F.cross_entropy(model.language_model.lm_head(top[answered]), packed.targets[answered], reduction="none")
        weights = packed.weights[answered]
        answer_loss = (losses * weights).sum() / weights.sum()
        history = history_loss(heads["history"], states[HISTORY_LAYER][:, last_frame], there[places], classes[places])
        reference = reference_loss(heads["reference"], states[REFERENCE_LAYER], packed, classes[places])
        loss = answer_loss + arguments.heads_weight * (history + reference)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(trained, 1.0)
        schedule.step()
        optimizer.step()
        if schedule.steps % arguments.report_every == 0 or schedule.progress >= 1:
            scores = exact_answers(model, packer, held_out_cache)
            figures = "  ".join(f"{kind} {score:.3f}" for kind, score in scores.items())
            minutes = schedule.progress * arguments.minutes
            print(f"{minutes:5.1f} min  step {schedule.steps}  clips {len(seen)}  answers {answer_loss.item():.4f}  history {history.item():.3f}  reference {reference.item():.3f}  {figures}", flush=True)
            torch.save({"model": model.state_dict(), "heads": heads.state_dict()}, arguments.out)
            cache.save()
            if arguments.export and scores["all"] > best:
                best = scores["all"]
                export(model, arguments.tokenizer, arguments.export)
                print(f"exported at {best:.3f}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--held-out", type=Path, required=True)
    parser.add_argument("--vision", type=Path, required=True, help="what train_vision.py wrote")
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="checkpoint to write (and to read with --resume)")
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--latents", type=Path, help="file that keeps computed latents from run to run")
    parser.add_argument("--first-clips", type=int, default=1500, help="clips known at the start")
    parser.add_argument("--fresh-clips", type=int, default=4, help="new clips in each batch, while there are any")
    parser.add_argument("--learning-rate", type=float, default=1.5e-3)
    parser.add_argument("--heads-weight", type=float, default=0.2)
    parser.add_argument("--report-every", type=int, default=250)
    parser.add_argument("--export", type=Path, help="model folder to write whenever the held-out score improves")
    parser.add_argument("--export-above", type=float, default=0.0, help="held-out score that the first export has to beat")
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--resume", action="store_true")
    train(parser.parse_args())
