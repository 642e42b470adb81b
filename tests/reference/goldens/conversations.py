"""Conversations: prompts of several rounds by template, and a model's answers over three rounds."""

import json
from pathlib import Path

from transformers import AutoTokenizer

from . import answer, checkpoint
from .cases import CASES
from .record import clip_of
from .reference import versions

# The first turn holds the picture; answers as models give them and as users may hand them in.
CONVERSATIONS = [
    [("<image>\nWhat happens?", None)],
    [("<image>\nWhat happens?", "A circle moves."), ("  And then?  ", None)],
    [("<image>\n First ", " one "), ("second\nline", ""), ("third", None)],
    [("<image>\n", "Nichts."), ("Où ? 红色 🌟", "là\u2009!\n"), ("", None)],
    [("<image>\nSay </s> and <eos>", "<|im_end|> yes <|endoftext|>"), ("1 + 1 = ?", "2"), ("n't  it ?", None)],
    [("<image>\nHi", "ASSISTANT: USER: hi"), ("{question} {{content}}", "{answer}"), ("Why?", None)],
]

# Which tokenizer's files go with a template, from the folder of the goldens.
TOKENIZERS = {
    "llama": ["tokenizers/llama", "tokenizers/llama-legacy"],
    "gemma": ["tokenizers/gemma"],
    "phi": ["cases/phi-naive/checkpoint", "tokenizers/gpt2"],
    "qwen2_base": ["cases/qwen2-group-16/checkpoint"],
    "qwen2_instruct": ["cases/qwen2-group-16/checkpoint"],
}

HERE = Path(__file__).resolve().parent.parent


def messages_of(reference, conversation):
    message = reference.Message()
    for question, answered in conversation:
        message.add_message(question, answered)
    return message.messages


def conversations(reference, out, _scratch):
    """Prompts and ids of whole conversations, by template and tokenizer."""
    rows = []
    for template, folders in TOKENIZERS.items():
        for folder in folders:
            tokenizer = AutoTokenizer.from_pretrained(HERE / folder, use_fast=False)
            text = reference.TextPreprocess(tokenizer, template)
            for conversation in CONVERSATIONS:
                encoded = text(messages_of(reference, conversation), mode="eval")
                rows.append({
                    "template": template,
                    "tokenizer": folder,
                    "messages": conversation,
                    "prompt": encoded["prompt"],
                    "promptIds": encoded["input_ids"].tolist(),
                })
    # What a model of the first stage was trained to say, with its end.
    pretrain = reference.TextPreprocess(AutoTokenizer.from_pretrained(HERE / "tokenizers/llama", use_fast=False), "pretrain")
    trained = pretrain.template.prompt(["<image>\nDescribe it."], ["A red circle."])
    lines = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
    head = f'{{\n"versions": {json.dumps(versions("factory"))},\n"pretrain": {json.dumps(trained)},\n'
    (out / "conversations.json").write_text(f'{head}"prompts": [\n{lines}\n]\n}}\n', encoding="utf-8")


# Chosen so that the best logit leads at every step; see README.md.
ROUNDS = ["What happens in the video?", "How many are there now?", "Où est le café ☕? 红色?"]
ASKED_CASE = "qwen2-group-16"


def conversation(reference, out, scratch):
    """Three rounds with the case's model: each question is asked after the answers the model gave before."""
    case = next(case for case in CASES if case.name == ASKED_CASE)
    model = checkpoint.build(reference, case, Path(scratch) / "conversation")
    pixel_values = answer.pixels(reference, model, clip_of(case))
    rounds, asked = [], []
    for question in ROUNDS:
        record, _ = answer.ask(reference, model, case.template, pixel_values, question, rounds)
        kept = ("question", "prompt", "promptIds", "sequenceLength", "tokens", "text", "stoppedBy", "smallestGap")
        asked.append({key: record[key] for key in kept})
        rounds = [*rounds, (question, record["text"])]
    value = {"versions": versions(), "case": case.name, "template": case.template, "newTokens": answer.NEW_TOKENS, "rounds": asked}
    (out / "conversation.json").write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
