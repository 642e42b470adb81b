"""A learning rate that warms up, decays along a cosine, and reaches its end when the time is over."""

import math
import time

import torch


class TimedSchedule:
    def __init__(self, optimizer: torch.optim.Optimizer, minutes: float, warmup_steps: int = 100):
        self.optimizer = optimizer
        self.seconds = minutes * 60
        self.warmup_steps = warmup_steps
        self.peaks = [group["lr"] for group in optimizer.param_groups]
        self.started = time.monotonic()
        self.steps = 0

    @property
    def progress(self) -> float:
        """0 at the start, 1 when the time is over."""
        return min(1.0, (time.monotonic() - self.started) / self.seconds)

    def step(self) -> None:
        self.steps += 1
        scale = min(1.0, self.steps / self.warmup_steps) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * self.progress)))
        for group, peak in zip(self.optimizer.param_groups, self.peaks):
            group["lr"] = peak * scale
