"""Measures an exported demo model on clips, in PyTorch: float16 weights, float32 arithmetic, greedy decoding.

    python evaluate.py --model MODEL_DIR --clips DIR [--answers FILE]

An answer counts when it is the expected one word for word; a description also by its slots (each shape's size, colour,
kind, motion, arrival and new colour). The TypeScript pipeline's own figures come from `npm run eval:demo`.
"""

import argparse
import json
import math
import re
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from transformers import Qwen2Tokenizer

from data import load_clips
from model import END_ID, DemoModel
from tokenizer import BEFORE_IMAGE, after_image

SENTENCE = re.compile(
    r"^A (small|large) (\w+) (\w+)( appears in the middle and| appears at the end and)?"
    r" (moves to the left|moves to the right|moves up|moves down|stays still)( and turns \w+)?$"
)
LONGEST_ANSWER = 48


def load_model(folder: Path) -> DemoModel:
    model = DemoModel()
    tensors = {name: value.float() for name, value in load_file(folder / "model.safetensors").items()}
    tensors["language_model.lm_head.weight"] = tensors["language_model.model.embed_tokens.weight"]
    model.load_state_dict(tensors)
    return model.eval()


@torch.no_grad()
def greedy(model: DemoModel, before: torch.Tensor, prompts: torch.Tensor) -> list:
    """Answers' ids for prompts of one length: `before` [n, common, width] as embeddings, `prompts` [n, length] as ids."""
    embed = model.language_model.model.embed_tokens
    inputs, cache, answers = torch.cat([before, embed(prompts)], dim=1), None, []
    for _ in range(LONGEST_ANSWER):
        output = model.language_model(inputs_embeds=inputs, past_key_values=cache, use_cache=True)
        cache = output.past_key_values
        answers.append(output.logits[:, -1].argmax(-1))
        inputs = embed(answers[-1][:, None])
        if all((torch.stack(answers) == END_ID).any(dim=0)):
            break
    ids = torch.stack(answers, dim=1).tolist()
    return [row[: row.index(END_ID)] if END_ID in row else row for row in ids]


def slots(description: str) -> list:
    """Six slots for each sentence; None for a sentence that isn't one of ours."""
    found = [SENTENCE.match(sentence.strip()) for sentence in description.rstrip(".").split(".")]
    return [match.groups() if match else (object(),) * 6 for match in found]


def score(question: dict, answer: str) -> float:
    if question["kind"] != "describe":
        return float(answer == question["answer"])
    wanted, given = slots(question["answer"]), slots(answer)
    right = sum(a == b for one, other in zip(wanted, given) for a, b in zip(one, other))
    return right / (6 * max(len(wanted), len(given)))


def wilson(right: float, total: int) -> tuple:
    """A 95 % interval for a share."""
    z, share = 1.96, right / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    reach = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    return middle - reach, middle + reach


@torch.no_grad()
def answer_all(folder: Path, clips_folder: Path) -> list:
    """One record for each (clip, question) pair, of each clip's first round."""
    model, tokenizer, clips = load_model(folder), Qwen2Tokenizer.from_pretrained(folder), load_clips(clips_folder)
    prefix = model.language_model.model.embed_tokens(torch.tensor(tokenizer(BEFORE_IMAGE).input_ids))
    by_length = defaultdict(list)
    for clip in range(len(clips)):
        before = torch.cat([prefix, model.visual_tokens(clips.batch_frames(np.array([clip])))[0]])
        for question in clips.texts[clip]["rounds"][0]:
            ids = tokenizer(after_image(question["question"])).input_ids
            by_length[len(ids)].append((clips.texts[clip]["seed"], question, before, ids))
    records = []
    for group in by_length.values():
        for start in range(0, len(group), 64):
            seeds, questions, before, ids = zip(*group[start : start + 64])
            for seed, question, answer in zip(seeds, questions, greedy(model, torch.stack(before), torch.tensor(ids))):
                text = tokenizer.decode(answer, skip_special_tokens=True).strip()
                records.append({"seed": seed, **question, "given": text, "score": score(question, text)})
    return records


def table(records: list) -> str:
    by_kind = defaultdict(list)
    for record in records:
        by_kind[record["kind"]].append(record["score"])
        by_kind["all"].append(record["score"])
        if record["kind"] == "describe":
            by_kind["describe, word for word"].append(float(record["given"] == record["answer"]))
    lines = ["| kind | pairs | right | 95 % interval |", "| --- | --- | --- | --- |"]
    for kind, scores in sorted(by_kind.items(), key=lambda item: item[0] == "all"):
        low, high = wilson(sum(scores), len(scores))
        lines.append(f"| {kind} | {len(scores)} | {sum(scores) / len(scores):.1%} | {low:.1%} – {high:.1%} |")
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--answers", type=Path, help="where to write each answer, one JSON object a line")
    arguments = parser.parse_args()
    answered = answer_all(arguments.model, arguments.clips)
    print(table(answered))
    if arguments.answers:
        arguments.answers.write_text("".join(json.dumps(record) + "\n" for record in answered))
