"""Packs a clip's questions into one sequence, so that its visual tokens are computed once.

    [ text before the image | 64 visual tokens | question 1, answer 1 | question 2, answer 2 | ... ]

Each question sees the common beginning and itself, and counts its positions from the end of the beginning: to the
model it looks as if it had been asked alone.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from transformers import Qwen2Tokenizer

from model import END_ID, NUM_QUERIES
from tokenizer import BEFORE_IMAGE, after_image


KINDS = ("circle", "square", "triangle", "star")
COLOURS = ("red", "green", "blue", "yellow", "purple", "orange")
#: Kinds of questions that may refer to one shape of two ("the star"): what is learned last, so it counts more.
REFERRING = ("colour", "shape", "direction")
REFERRING_WEIGHT = 3.0
#: How often a clip is asked each of the other short questions.
OTHERS_ASKED = 0.4


def choose_questions(rounds: list, rng: np.random.Generator) -> list:
    """One description, every way of referring to a shape that the rounds hold, and some of the other questions."""
    asked = {}
    for question in (question for questions in rounds for question in questions):
        if question["kind"] in REFERRING:
            asked[question["question"]] = question
    questions = rounds[int(rng.integers(len(rounds)))]
    others = [question for question in questions if question["kind"] not in REFERRING]
    kept = [question for question in others if question["kind"] == "describe" or rng.random() < OTHERS_ASKED]
    return [*kept, *asked.values()]


@dataclass(frozen=True)
class Packed:
    """A batch; all [clips, sequence] but the mask. `ids` are 0 where visual tokens stand."""

    ids: torch.Tensor
    positions: torch.Tensor
    mask: torch.Tensor
    #: For each place, the token that has to follow, or -100.
    targets: torch.Tensor
    #: For each place, which of the clip's questions it belongs to, or -1.
    owners: torch.Tensor
    #: For each place, how much its target counts.
    weights: torch.Tensor
    #: Where a word picks one shape of the clip ("the star"): [references, (clip, place, kind)].
    references: torch.Tensor


class Packer:
    def __init__(self, tokenizer: Qwen2Tokenizer):
        self.tokenizer = tokenizer
        self.before = tokenizer(BEFORE_IMAGE).input_ids
        self.visual = slice(len(self.before), len(self.before) + NUM_QUERIES)
        self.start = self.visual.stop
        self.names = {self.one_token(" " + name): name for name in (*KINDS, *COLOURS)}
        self.encode = lru_cache(maxsize=None)(lambda text: tuple(tokenizer(text).input_ids))

    def one_token(self, text: str) -> int:
        (token,) = self.tokenizer(text).input_ids
        return token

    def reference(self, question: dict, tokens: tuple) -> tuple:
        """Where among its tokens a question names a shape, and that shape's kind; nothing where it names none."""
        if question["kind"] not in REFERRING:
            return ()
        for place, token in enumerate(tokens[: -self.answer_length(question)]):
            name = self.names.get(token)
            if name is not None:
                kind = name if name in KINDS else question["answer"].rstrip(".").lower()
                return (place, KINDS.index(kind))
        return ()

    def answer_length(self, question: dict) -> int:
        return len(self.encode(" " + question["answer"])) + 1

    def segment(self, question: dict) -> tuple:
        """Ids of a question with its answer, how many of them are the answer's, its end included, and their weight."""
        asked = self.encode(after_image(question["question"]))
        answered = (*self.encode(" " + question["answer"]), END_ID)
        return (*asked, *answered), len(answered), REFERRING_WEIGHT if question["kind"] in REFERRING else 1.0

    def pack(self, clips: list) -> Packed:
        rows = [[self.segment(question) for question in questions] for questions in clips]
        longest = self.start + max(sum(len(ids) for ids, *_ in row) for row in rows)
        shape = (len(rows), longest)
        ids = torch.full(shape, 0)
        positions = torch.arange(longest).repeat(len(rows), 1)
        targets, owners, weights = torch.full(shape, -100), torch.full(shape, -1), torch.ones(shape)
        references = []
        ids[:, : len(self.before)] = torch.tensor(self.before)
        for row, segments in enumerate(rows):
            at = self.start
            for owner, (tokens, answer_length, weight) in enumerate(segments):
                end = at + len(tokens)
                ids[row, at:end] = torch.tensor(tokens)
                positions[row, at:end] = self.start + torch.arange(len(tokens))
                targets[row, end - answer_length - 1 : end - 1] = torch.tensor(tokens[-answer_length:])
                owners[row, at:end] = owner
                weights[row, at:end] = weight
                if reference := self.reference(clips[row][owner], tokens):
                    references.append((row, at + reference[0], reference[1]))
                at = end
            positions[row, at:] = 0
        common = torch.arange(longest) < self.start
        related = (owners[:, :, None] == owners[:, None, :]) | common
        mask = (related & torch.ones(longest, longest).tril().bool()).unsqueeze(1)
        return Packed(ids, positions, mask, targets, owners, weights, torch.tensor(references).reshape(-1, 3))
