"""Answers about one clip of random frames with the original PyTorch code, and prints how long each part took, as JSON.

    TINYLLAVA_VIDEO=CHECKOUT python pytorch_clip.py --checkpoint DIR --hub DIR --precision fp32 --frames 16 --tokens 64

The original is imported from the checkout that the environment names, through `tests/reference/goldens`, and runs as
its own `run_tiny_llava.py` runs it: preprocessing frame by frame, all frames as one batch, `generate` with its stop
rule. `clip.ts` does the same with ours.
"""

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tests" / "reference"))

import numpy as np
import torch
import transformers

from goldens.answer import encode, pixels
from goldens.checkpoint import inside
from goldens.reference import CudaMeansCpu, load_reference
from memory import peak_bytes

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}
QUESTION = "What happens?"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--hub", required=True, help="folder with the base models' descriptions")
    parser.add_argument("--precision", choices=PRECISIONS, default="fp32")
    parser.add_argument("--compile", action="store_true", help="through torch.compile")
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    return parser.parse_args()


def load(reference, checkpoint, hub, dtype):
    checkpoint = os.path.abspath(checkpoint)
    with inside(hub):
        model = reference.Model.from_pretrained(checkpoint, low_cpu_mem_usage=True, torch_dtype=dtype)
    return model.eval()


def compile_parts(model):
    """The two parts that take the time; the language model's lengths change with each token."""
    model.vision_tower._vision_tower.forward = torch.compile(model.vision_tower._vision_tower.forward)
    model.language_model.model.forward = torch.compile(model.language_model.model.forward, dynamic=True)


class Clock:
    """Notes when the parts of a model begin and end."""

    def __init__(self, model):
        self.times = {}
        for name in ["vision_tower", "connector", "language_model"]:
            part = getattr(model, name)
            part.register_forward_pre_hook(lambda *_, name=name: self.note(name, "begin"))
            part.register_forward_hook(lambda *_, name=name: self.note(name, "end"))

    def note(self, name, edge):
        """Only the language model runs more than once a clip: its first run is the prefill."""
        self.times.setdefault((name, edge), time.perf_counter())

    def seconds(self, name):
        return self.times[name, "end"] - self.times[name, "begin"]


def answer(reference, model, clock, frames, tokens, seed):
    """Seconds by parts of one answer."""
    side = model.config.vision_config.image_size
    clip = np.random.default_rng(seed).integers(0, 256, (frames, side, side, 3), dtype=np.uint8)
    clock.times.clear()
    begin = time.perf_counter()
    video = pixels(reference, model, clip).unsqueeze(0)
    preprocessing = time.perf_counter() - begin
    _, ids, stop = encode(reference, model, "qwen2_base", QUESTION)
    batch = ids.unsqueeze(0)
    stopping = reference.KeywordsStoppingCriteria([stop], model.tokenizer, batch)
    with CudaMeansCpu(), torch.inference_mode():
        output = model.generate(
            batch,
            video=video,
            do_sample=False,
            temperature=0,
            top_p=None,
            num_beams=1,
            pad_token_id=model.tokenizer.pad_token_id,
            max_new_tokens=tokens,
            use_cache=True,
            stopping_criteria=[stopping],
        )
    end = time.perf_counter()
    if output.shape[1] != tokens:
        sys.exit(f"The answer has {output.shape[1]} tokens instead of {tokens}.")
    return {
        "tower": preprocessing + clock.seconds("vision_tower"),
        "connector": clock.seconds("connector"),
        "prefill": clock.seconds("language_model"),
        "decode": end - clock.times["language_model", "end"],
        "whole": end - begin,
    }


def say_begin():
    """Whoever stops this for being late then knows how long a clip had taken at least."""
    print("begin", flush=True)


def main():
    options = arguments()
    torch.set_num_threads(options.threads)
    torch.set_grad_enabled(False)
    transformers.logging.set_verbosity_error()
    reference = load_reference()
    model = load(reference, options.checkpoint, options.hub, PRECISIONS[options.precision])
    if options.compile:
        compile_parts(model)
    clock = Clock(model)
    # Every weight is read once before anything counts. What is compiled is compiled for the clip's own sizes, and that
    # says nothing of how long a clip takes.
    if not options.compile:
        say_begin()
    answer(reference, model, clock, options.frames if options.compile else 1, 3, seed=0)
    runs = []
    for seed in range(1, options.repeats + 1):
        say_begin()
        runs.append(answer(reference, model, clock, options.frames, options.tokens, seed))
    times = {part: statistics.median(run[part] for run in runs) for part in runs[0]}
    print(json.dumps({**times, "peakBytes": peak_bytes()}))


main()
