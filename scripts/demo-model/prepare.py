"""Turns the clips of make-dataset.ts into the arrays that training reads.

    python prepare.py --clips DIR [--image-size 96]

Decodes each file with ffmpeg, takes the sampled frames, and resizes them as the runtime does: Pillow's bicubic filter
on whole uint8 RGB frames, aspect ratio not kept. Writes into the same folder:

    frames.npy   uint8   [clips, 16, size, size, 3]
    labels.npy   float32 [clips, 16, 4, 7]   for each kind of shape: present, size, colour, x, y, width, height
    clips.json   seeds, and rounds of questions and answers, in the arrays' order
"""

import argparse
import json
import os
import subprocess
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

KINDS = 4
LABEL_WIDTH = 7
SAMPLED_FRAMES = 16


def decode(file: Path, width: int, height: int) -> np.ndarray:
    """All frames of a video as uint8 [frames, height, width, 3]."""
    ffmpeg = os.environ.get("FFMPEG_PATH", "ffmpeg")
    command = [ffmpeg, "-v", "error", "-threads", "1", "-i", str(file), "-vsync", "passthrough"]
    command += ["-sws_flags", "bicubic+accurate_rnd+full_chroma_int", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    pixels = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    return np.frombuffer(pixels, np.uint8).reshape(-1, height, width, 3)


def resize(frame: np.ndarray, size: int) -> np.ndarray:
    return np.asarray(Image.fromarray(frame).resize((size, size), Image.Resampling.BICUBIC))


def label_array(frames: list) -> np.ndarray:
    """The sampled frames' labels with a row for each kind of shape; absent kinds stay zero."""
    labels = np.zeros((SAMPLED_FRAMES, KINDS, LABEL_WIDTH), np.float32)
    for frame, shapes in zip(labels, frames):
        for kind, *rest in shapes:
            frame[kind] = [1, *rest]
    return labels


def prepare(folder: Path, size: int) -> None:
    records = [json.loads(line) for line in (folder / "clips.jsonl").read_text().splitlines()]
    records.sort(key=lambda record: record["seed"])
    shape = (len(records), SAMPLED_FRAMES, size, size, 3)
    frames = np.lib.format.open_memmap(folder / "frames.npy", "w+", np.uint8, shape)

    by_file = defaultdict(list)
    for place, record in enumerate(records):
        by_file[record["file"]].append(place)

    def fill(file: str) -> None:
        places = by_file[file]
        video = decode(folder / file, records[places[0]]["width"], records[places[0]]["height"])
        for place in places:
            for slot, index in enumerate(records[place]["frames"]):
                frames[place, slot] = resize(video[index], size)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(fill, by_file))
    frames.flush()
    np.save(folder / "labels.npy", np.stack([label_array(record["labels"]) for record in records]))
    texts = [{"seed": record["seed"], "rounds": record["rounds"]} for record in records]
    (folder / "clips.json").write_text(json.dumps(texts))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--image-size", type=int, default=96)
    arguments = parser.parse_args()
    prepare(arguments.clips, arguments.image_size)
