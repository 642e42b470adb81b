"""Questions without a picture, as the Factory's ScienceQA script asks them: prompts, ids and a model's answers."""

import json
from dataclasses import replace
from pathlib import Path

import torch
from transformers import AutoTokenizer

from . import answer, checkpoint
from .cases import CASES
from .conversations import HERE, TOKENIZERS, messages_of
from .reference import CudaMeansCpu, versions

ASKED_CASE = "picture-mlp2x"
# Shorter than the prompts: what the reference cuts a prompt with a picture at.
MAX_LENGTH = 40
LETTER = "Answer with the option's letter from the given choices directly."
# Chosen so that the best logit leads at every step; see README.md.
QUESTIONS = [
    f"Which shape is red?\nA. the circle\nB. the triangle\n{LETTER}",
    "Où est le café ☕? 红色? 👩‍🚀",
    "  two  words  ",
]


def steps_of(model, call):
    """The output of `call`, and the logits that each of its tokens was chosen from."""
    steps = []
    handle = model.language_model.register_forward_hook(lambda _module, _inputs, output: steps.append(output.logits[0, -1].float().clone()))
    try:
        with CudaMeansCpu(), torch.inference_mode():
            return call(), steps
    finally:
        handle.remove()


def ask(reference, model, template, question):
    """A record of one question through the reference's own `generate`, with the arguments of `eval/model_vqa_science.py`."""
    tokenizer = model.tokenizer
    encoded = reference.TextPreprocess(tokenizer, template)(messages_of(reference, [(question, None)]), mode="eval")
    output, steps = steps_of(model, lambda: model.generate(
        encoded["input_ids"].unsqueeze(0),
        images=None,
        image_sizes=None,
        do_sample=False,
        temperature=0,
        max_new_tokens=answer.NEW_TOKENS,
        use_cache=True,
        pad_token_id=tokenizer.pad_token_id,
    ))
    return {
        "question": question,
        "prompt": encoded["prompt"],
        "promptIds": encoded["input_ids"].tolist(),
        "tokens": output[0].tolist(),
        "text": tokenizer.batch_decode(output, skip_special_tokens=True)[0].strip(),
        "smallestGap": round(min(answer.gap(step) for step in steps), 4),
    }


def prompts_of(reference):
    """Prompts and ids by template and tokenizer, some of which put marks around each text."""
    for template, folders in TOKENIZERS.items():
        for folder in folders:
            tokenizer = AutoTokenizer.from_pretrained(HERE / folder, use_fast=False)
            for question in QUESTIONS:
                encoded = reference.TextPreprocess(tokenizer, template)(messages_of(reference, [(question, None)]), mode="eval")
                yield {
                    "template": template,
                    "tokenizer": folder,
                    "question": question,
                    "prompt": encoded["prompt"],
                    "promptIds": encoded["input_ids"].tolist(),
                }


def text_only(reference, out, scratch):
    case = replace(next(case for case in CASES if case.name == ASKED_CASE), max_length=MAX_LENGTH)
    model = checkpoint.build(reference, case, Path(scratch) / "text-only")
    head = {
        "versions": versions("factory"),
        "case": case.name,
        "template": case.template,
        "maxPromptTokens": MAX_LENGTH,
        "newTokens": answer.NEW_TOKENS,
    }
    fields = "".join(f"{json.dumps(key)}: {json.dumps(value)},\n" for key, value in head.items())
    rows = {"asked": [ask(reference, model, case.template, question) for question in QUESTIONS], "prompts": prompts_of(reference)}
    lists = ",\n".join(
        f"{json.dumps(key)}: [\n" + ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in value) + "\n]"
        for key, value in rows.items()
    )
    (out / "text-only.json").write_text(f"{{\n{fields}{lists}\n}}\n", encoding="utf-8")
