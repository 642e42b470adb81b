"""Reads what prepare.py wrote."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch


@dataclass(frozen=True)
class Clips:
    """Clips of one folder; see prepare.py for the arrays' layout."""

    frames: np.ndarray
    labels: torch.Tensor
    texts: list

    def __len__(self) -> int:
        return len(self.texts)

    def batch_frames(self, places: np.ndarray) -> torch.Tensor:
        """uint8 [clips, 16, size, size, 3]"""
        return torch.from_numpy(self.frames[places])


def load_clips(folder: Path) -> Clips:
    return Clips(
        frames=np.load(folder / "frames.npy", mmap_mode="r"),
        labels=torch.from_numpy(np.load(folder / "labels.npy")),
        texts=json.loads((folder / "clips.json").read_text()),
    )
