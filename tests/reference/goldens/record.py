"""Writes one case's folder: checkpoint/, golden.safetensors, golden.json."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import save_file

from . import answer, checkpoint
from .clip import make_clip
from .layouts import LAYOUTS
from .reference import versions
from .weights import swap_output_rows

# Questions whose logits are kept for every generated token; the others keep only the prefill's.
STEPPED = {"plain", "long"}


def clip_of(case):
    return make_clip(*case.clip, case.dark, seed=len(case.name))


def write_json(path, value):
    Path(path).write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def first_new_token(tokens, earliest, known, taken=()):
    """The position of an ordinary token that was not said before."""
    for position in range(earliest, len(tokens)):
        if tokens[position] < known and tokens[position] not in tokens[:position] and tokens[position] not in taken:
            return position
    raise RuntimeError("no token is said for the first time late enough")


def make_it_stop(reference, case, model, frames):
    """Edits the model so that one answer ends with eos and another with the template's end text."""
    pixel_values = answer.pixels(reference, model, frames)
    said = {
        key: answer.ask(reference, model, case.template, pixel_values, question)[0]["tokens"]
        for key, question in case.questions.items()
    }
    ordinary = 600
    end = model.tokenizer.convert_tokens_to_ids("<|endoftext|>")
    everything_else = set(said["spaces"]) | set(said["marker"])
    eos = said["plain"][first_new_token(said["plain"], 6, ordinary, everything_else)]
    rest = set(said["plain"]) | set(said["marker"])
    spoken_end = said["spaces"][first_new_token(said["spaces"], 9, ordinary, rest)]
    swap_output_rows(model, spoken_end, end)
    model.config.text_config.eos_token_id = eos
    model.language_model.generation_config.eos_token_id = eos


def make_case(reference, case, out, scratch):
    """Builds, saves, reloads and asks; replaces the case's folder."""
    folder = Path(out) / "cases" / case.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    hub = Path(scratch) / case.name
    frames = clip_of(case)
    model = checkpoint.build(reference, case, hub)
    if case.stops:
        make_it_stop(reference, case, model, frames)
    layout = LAYOUTS[case.layout]
    layout.save(model, case, hub, folder / "checkpoint")
    model = layout.load(reference, hub, folder / "checkpoint")

    pixel_values = answer.pixels(reference, model, frames)
    tensors = {"frames": torch.from_numpy(frames), "pixel_values": pixel_values}
    questions = {}
    for key, question in case.questions.items():
        record, trace = answer.ask(reference, model, case.template, pixel_values, question)
        questions[key] = record
        tensors["features"], tensors["connector"] = trace.features, trace.connector
        tensors[f"logits.{key}"] = trace.prefill
        if key in STEPPED:
            tensors[f"steps.{key}"] = torch.stack(trace.steps)
    for count in case.shorter:
        tensors[f"connector.frames_{count}"] = answer.connect(model, tensors["features"][:count])
    save_file({key: value.clone().contiguous() for key, value in tensors.items()}, folder / "golden.safetensors")
    write_json(
        folder / "golden.json",
        {
            "case": case.name,
            "seed": case.seed,
            "template": case.template,
            "dtype": str(case.dtype).removeprefix("torch."),
            "reference": case.reference,
            "versions": versions(case.reference),
            "darkFrames": {str(index): largest for index, largest in case.dark.items()},
            "newTokens": answer.NEW_TOKENS,
            "questions": questions,
        },
    )
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return questions


def search_seed(reference, case, scratch, start, tries):
    """The first seed from `start` on under which every answer is a fair test, or None."""
    hub = Path(scratch) / case.name
    frames = clip_of(case)
    best = (0, None)
    for seed in range(start, start + tries):
        model = checkpoint.build(reference, replace(case, seed=seed), hub)
        pixel_values = answer.pixels(reference, model, frames)
        gaps = []
        for question in case.questions.values():
            record = answer.ask(reference, model, case.template, pixel_values, question)[0]
            gaps.append(record["smallestGap"])
            if not answer.fair(record) or record["stoppedBy"] != "length":
                break
        else:
            return seed
        if len(gaps) > best[0]:
            best = (len(gaps), (seed, gaps, len(set(record["tokens"]))))
            print(case.name, "best so far", best, flush=True)
    return None
