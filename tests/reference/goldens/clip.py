"""Made-up clips: smooth moving light, a moving disc, some noise."""

import numpy as np


def make_clip(count, height, width, dark, seed):
    """uint8 [count, height, width, 3]; frames named in `dark` have that largest value."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    frames = np.zeros((count, height, width, 3), np.uint8)
    for index in range(count):
        time = index / max(1, count - 1)
        light = np.stack([np.sin(x / 9 + 6 * time), np.cos(y / 7 - 4 * time), np.sin((x + y) / 11 + 2 * time)], axis=-1)
        frame = 120 + 90 * light + random.normal(0, 14, light.shape)
        disc = (x - width * (0.2 + 0.6 * time)) ** 2 + (y - height / 2) ** 2 < (min(width, height) / 4) ** 2
        frame[disc] = [230, 30, 20 + 200 * time]
        frames[index] = np.clip(np.rint(frame), 0, 255)
    for index, largest in dark.items():
        frames[index] = random.integers(0, largest + 1, frames[index].shape)
    return frames
