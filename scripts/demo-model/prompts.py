"""Packs a clip's questions into one sequence, so that its visual tokens are computed once.

    [ text before the image | 64 visual tokens | question 1, answer 1 | question 2, answer 2 | ... ]

Each question sees the common beginning and itself, and counts its positions from the end of the beginning: to the
model it looks as if it had been asked alone.
"""

from dataclasses import dataclass
from functools import lru_cache

import torch
from transformers import Qwen2Tokenizer

from model import END_ID, NUM_QUERIES
from tokenizer import BEFORE_IMAGE, after_image


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


class Packer:
    def __init__(self, tokenizer: Qwen2Tokenizer):
        self.tokenizer = tokenizer
        self.before = tokenizer(BEFORE_IMAGE).input_ids
        self.visual = slice(len(self.before), len(self.before) + NUM_QUERIES)
        self.start = self.visual.stop
        self.encode = lru_cache(maxsize=None)(lambda text: tuple(tokenizer(text).input_ids))

    def segment(self, question: dict) -> tuple:
        """Ids of a question with its answer, and how many of them are the answer's, its end included."""
        asked = self.encode(after_image(question["question"]))
        answered = (*self.encode(" " + question["answer"]), END_ID)
        return (*asked, *answered), len(answered)

    def pack(self, clips: list) -> Packed:
        rows = [[self.segment(question) for question in questions] for questions in clips]
        longest = self.start + max(sum(len(ids) for ids, _ in row) for row in rows)
        shape = (len(rows), longest)
        ids = torch.full(shape, 0)
        positions = torch.arange(longest).repeat(len(rows), 1)
        targets, owners = torch.full(shape, -100), torch.full(shape, -1)
        ids[:, : len(self.before)] = torch.tensor(self.before)
        for row, segments in enumerate(rows):
            at = self.start
            for owner, (tokens, answer_length) in enumerate(segments):
                end = at + len(tokens)
                ids[row, at:end] = torch.tensor(tokens)
                positions[row, at:end] = self.start + torch.arange(len(tokens))
                targets[row, end - answer_length - 1 : end - 1] = torch.tensor(tokens[-answer_length:])
                owners[row, at:end] = owner
                at = end
            positions[row, at:] = 0
        common = torch.arange(longest) < self.start
        related = (owners[:, :, None] == owners[:, None, :]) | common
        mask = (related & torch.ones(longest, longest).tril().bool()).unsqueeze(1)
        return Packed(ids, positions, mask, targets, owners)
