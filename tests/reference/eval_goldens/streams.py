"""Made-up videos, and decoders that read them: each picture is one pixel that holds its number."""

import types
from dataclasses import asdict, dataclass
from fractions import Fraction

import numpy as np
import torch
from PIL import Image

from .stage import colour_of


@dataclass(frozen=True)
class Stream:
    """What a container and its packets tell of a video."""

    # Pictures before any is dropped.
    frames: int
    rate: tuple = (25, 1)
    time_base: tuple = (1, 12800)
    # Timestamp of the first picture, in ticks.
    start: int = 0
    key_every: int = 12
    # Places of pictures that are not there.
    dropped: tuple = ()
    # What the container says there are.
    header_frames: int = None
    duration: int = None
    # Whether average and base rate differ.
    is_variable: bool = False

    def times(self):
        """When each picture is shown, in ticks, and whether it is a keyframe."""
        per_frame = Fraction(self.rate[1], self.rate[0]) / Fraction(*self.time_base)
        places = [place for place in range(self.frames) if place not in self.dropped]
        return [self.start + int(place * per_frame + Fraction(1, 2)) for place in places]

    def written(self):
        """As the goldens hold it."""
        return {**asdict(self), "header_frames": self.header(), "duration": self.ticks()}

    def header(self):
        return self.frames - len(self.dropped) if self.header_frames is None else self.header_frames

    def ticks(self):
        whole = int(self.frames * Fraction(self.rate[1], self.rate[0]) / Fraction(*self.time_base))
        return whole if self.duration is None else self.duration


def picture(index):
    return Image.new("RGB", (1, 1), colour_of(index))


class PyAv:
    """The part of PyAV that the scripts use. A seek goes to the last keyframe at or before a time, else to the first."""

    def __init__(self, find):
        self.find = find

    def open(self, path):
        return Container(self.find(path))


class Container:
    def __init__(self, stream):
        self.times = stream.times()
        self.keys = list(range(0, len(self.times), stream.key_every))
        self.position = 0
        base = Fraction(*stream.rate)
        track = types.SimpleNamespace(
            frames=stream.header(),
            duration=stream.ticks(),
            time_base=Fraction(*stream.time_base),
            base_rate=base,
            average_rate=base + 1 if stream.is_variable else base,
        )
        self.streams = types.SimpleNamespace(video=[track])

    def seek(self, ticks, stream, backward, any_frame):
        before = [place for place in self.keys if self.times[place] <= ticks]
        self.position = before[-1] if before else 0

    def decode(self, video):
        for place in range(self.position, len(self.times)):
            yield types.SimpleNamespace(pts=self.times[place], to_image=lambda place=place: picture(place))


def decord_reader(find):
    """The part of `decord.VideoReader` that the scripts use."""

    class VideoReader:
        def __init__(self, path, ctx=None, num_threads=0):
            self.stream = find(path)
            self.count = len(self.stream.times())

        def __len__(self):
            return self.count

        def get_avg_fps(self):
            return float(Fraction(*self.stream.rate))

        def __getitem__(self, index):
            if not 0 <= index < self.count:
                raise IndexError(index)
            pixels = np.array(colour_of(int(index)), dtype=np.uint8).reshape(1, 1, 3)
            return Pixels(pixels)

        def get_batch(self, indices):
            return Pixels(np.concatenate([self[index].asnumpy()[None] for index in indices]))

    return VideoReader


class Pixels:
    """decord hands out its own arrays or torch's, as its bridge was set: the scripts want each once."""

    def __init__(self, pixels):
        self.pixels = pixels

    def asnumpy(self):
        return self.pixels

    def reshape(self, *shape):
        return self.pixels.reshape(*shape)


def encoded_video(find):
    """The part of pytorchvideo's `EncodedVideo` that the scripts use."""

    class EncodedVideo:
        @classmethod
        def from_path(cls, path, decoder, decode_audio):
            video = cls()
            video.stream = find(path)
            video.duration = float(len(video.stream.times())) / float(Fraction(*video.stream.rate))
            return video

        def get_clip(self, start_sec, end_sec):
            colours = [colour_of(index) for index in range(len(self.stream.times()))]
            return {"video": torch.tensor(colours, dtype=torch.float32).T.reshape(3, -1, 1, 1)}

    return EncodedVideo
