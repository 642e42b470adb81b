"""Goldens of more tokenizers of transformers, most of them SentencePiece's: their files, and what they make of many strings."""

import json
import random
import shutil
from importlib.metadata import version

from transformers import AutoTokenizer, PreTrainedTokenizerFast

from .reference import versions
from .sentencepiece_strings import sentencepiece_strings
from .sentencepiece_vocabulary import (
    write_gemma_json,
    write_gemma_tokenizer,
    write_legacy_tokenizer,
    write_llama_json,
    write_llama_tokenizer,
    write_normalizing_tokenizer,
)
from .vocabulary import write_gpt2_tokenizer

ROW = "[text, ids, decoded without special tokens], the last left out where it is the text"


def row_of(tokenizer, text):
    ids = tokenizer(text).input_ids
    decoded = tokenizer.decode(ids, skip_special_tokens=True)
    return [text, ids] if decoded == text else [text, ids, decoded]


def drawn_ids(tokenizer, count):
    """Sequences no text would give: bytes that make no character, special and added tokens between them, many blanks."""
    draw = random.Random(99)
    known = len(tokenizer)
    usual = [number for number in range(known) if tokenizer.convert_ids_to_tokens(number).startswith(("\u2581", "Ġ"))]
    every = lambda: draw.randrange(known)
    early = lambda: draw.randrange(min(known, 262))
    blank = lambda: draw.choice(usual)
    kinds = [[every], [early], [every, early, blank], [blank, every], [early, early, early, every]]
    made = [[draw.choice(draw.choice(kinds))() for _ in range(draw.randint(1, 12))] for _ in range(count)]
    return [[], [0], [1], [2], [3], [known - 1], [usual[0]], [usual[0]] * 3, [2, usual[0]], *made]


def write_rows(path, head, strings, decodes):
    """One row a line, in UTF-8: what is written in escapes would be twice as long."""
    lines = lambda rows: ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
    fields = "".join(f"{json.dumps(key)}: {json.dumps(value)},\n" for key, value in head.items())
    path.write_text(f'{{\n{fields}"strings": [\n{lines(strings)}\n],\n"decodes": [\n{lines(decodes)}\n]\n}}\n', encoding="utf-8")


def table(write, name, strings, decodes, fast=False):
    """Makes the tokenizer's files with `write`, and its golden: of the slow class, or of the fast one."""

    def make(_reference, out, _scratch):
        folder = out / "tokenizers" / name
        shutil.rmtree(folder, ignore_errors=True)
        write(folder)
        for path in folder.iterdir():
            path.chmod(0o644)
        # Their own fast classes would want the slow class's files.
        tokenizer = PreTrainedTokenizerFast.from_pretrained(folder) if fast else AutoTokenizer.from_pretrained(folder, use_fast=False)
        rows = [row_of(tokenizer, text) for text in sentencepiece_strings(strings)]
        ids = drawn_ids(tokenizer, decodes)
        decoded = [[row, tokenizer.decode(row, skip_special_tokens=True)] for row in ids if row]
        head = {
            "versions": {**versions(), "sentencepiece": version("sentencepiece")},
            "tokenizerOf": f"tokenizers/{name}",
            "row": ROW,
        }
        write_rows(out / f"tokenizer-{name}.json", head, rows, decoded)

    return make


SENTENCEPIECE_TABLES = {
    "tokenizer-llama": table(write_llama_tokenizer, "llama", 2000, 400),
    "tokenizer-gemma": table(write_gemma_tokenizer, "gemma", 2000, 400),
    "tokenizer-llama-legacy": table(write_legacy_tokenizer, "llama-legacy", 500, 200),
    "tokenizer-llama-normalizing": table(write_normalizing_tokenizer, "llama-normalizing", 500, 200),
    "tokenizer-llama-json": table(write_llama_json, "llama-json", 400, 200, fast=True),
    "tokenizer-gemma-json": table(write_gemma_json, "gemma-json", 400, 200, fast=True),
    "tokenizer-gpt2": table(write_gpt2_tokenizer, "gpt2", 400, 200),
}
