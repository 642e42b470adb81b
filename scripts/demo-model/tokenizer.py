"""Trains the demo model's tokenizer: Qwen2's kind of byte-level BPE on the questions and answers of some clips.

    python tokenizer.py --clips DIR --out MODEL_DIR

Saved as transformers' slow tokenizer saves it, which is what TinyLLaVA-Video checkpoints carry.
"""

import argparse
import json
import tempfile
from pathlib import Path

from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers
from transformers import Qwen2Tokenizer
from transformers.models.qwen2.tokenization_qwen2 import PRETOKENIZE_REGEX

BEFORE_IMAGE = (
    "A chat between a curious user and an artificial intelligence assistant. "
    "The assistant gives helpful, detailed, and polite answers to the user's questions. USER: "
)
END = "<|endoftext|>"
CHAT_MARKS = ["<|im_start|>", "<|im_end|>"]
#: Most entries of the vocabulary, without the special tokens.
VOCABULARY = 637


def after_image(question: str) -> str:
    """What follows the frames in the prompt; the answer's first token brings its own leading space."""
    return f"\n{question} ASSISTANT:"


def train(texts: list) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    split = pre_tokenizers.Split(Regex(PRETOKENIZE_REGEX), behavior="isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def save(tokenizer: Tokenizer, out: Path) -> Qwen2Tokenizer:
    with tempfile.TemporaryDirectory() as folder:
        vocabulary, merges = tokenizer.model.save(folder)
        slow = Qwen2Tokenizer(
            vocabulary,
            merges,
            eos_token=END,
            pad_token=END,
            additional_special_tokens=CHAT_MARKS,
            clean_up_tokenization_spaces=False,
            model_max_length=512,
            padding_side="right",
        )
        out.mkdir(parents=True, exist_ok=True)
        slow.save_pretrained(out)
    return slow


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()

    records = [json.loads(line) for line in (arguments.clips / "clips.jsonl").read_text().splitlines()]
    asked = [question for record in records for questions in record["rounds"] for question in questions]
    texts = [after_image(question["question"]) + " " + question["answer"] for question in asked]
    slow = save(train([*texts, *[BEFORE_IMAGE] * (len(records))]), arguments.out)
    print(f"{len(slow)} tokens;", slow.tokenize(BEFORE_IMAGE), slow.tokenize(texts[0]))
