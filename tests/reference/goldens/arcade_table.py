"""Goldens of StableLM-2's first tokenizer. Its class is code of a published repository and never copied: the table is there where
ARCADE100K names that file, and wants tiktoken.

The vocabulary is a small one: the file has the ranks that were trained here, and `filled` closes it with tokens that no text has,
because the class takes 100,256 ranks and nothing else. The tests fill it in the same way.
"""

import base64
import importlib.util
import json
import os
import random
import shutil
from importlib.metadata import version
from pathlib import Path

from transformers.models.gpt2.tokenization_gpt2 import bytes_to_unicode

from .reference import versions
from .sentencepiece_strings import drawn_strings
from .sentencepiece_tables import ROW, row_of, write_rows
from .vocabulary import QWEN2_PATTERN, SENTENCES

SOURCE = "ARCADE100K"
FILE = "arcade100k.tiktoken"
RANKS = 100256
TRAINED = 700
# A token that no pairs of tokens lead to.
WHOLE = " vestibule"
SEQUENCES = 400

RUNS = ["    x", "        y", "\n\n\n", "\n\n\n\n", "!!!!", "....", "----", "\t\t", " (((", "'s 's 's 'll 'll", "2024 2024", "\r\n\r\n", "👩‍🚀 👍🏽 👍🏽"]

SPECIAL_BY_HAND = [
    f"the{WHOLE}", f"{WHOLE}s", WHOLE.strip(),
    "<|endoftext|>", "a<|endoftext|>b", "a <|endoftext|> b", "<|endoftext|><|endoftext|>", "<|fim_prefix|>x<|fim_suffix|> y<|fim_middle|>",
    "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n", "<|im_start|> ", " <|im_end|>", "<|im_end", "<|im_end|", "<|IM_END|>", "<<|im_end|>>",
    "<|pause|><|reg0|><|reg7|><|reg8|>", "<|extra0|>", "<|extra1|>", "<gh_stars>12<reponame>a/b<filename>x.py", "<jupyter_code>1 + 1<jupyter_output>2",
    "<commit_msg>fix<commit_after>", "<filenames>", "<|endofprompt|>e\u0301", "e<|pause|>\u0301", "  <|im_end|>  ", "\n<|im_end|>\n\n", "",
    "\ufeff", "a\ufeff b", "\u0085", "a\u0085\u0085b", "\u2028 \u2029", "\u200b", "\u00a0\u00a0x", "x\u3000\u3000", "\u1680\u180e", "'ſ it'ſ 'S 'LL",
    "\u0130'\u0130", "\ufffd", "\uffff\ufdd0", "\U0010ffff", "\u0000", "a\u0000b", "é e\u0301 Å \u212b ﬁ", "각 \u1100\u1161\u11a8", "12345 ١٢٣ ½ Ⅷ",
    "ababababab", "aaaaaaaaaaaaaaaaaaaaaaaaa", " " * 40, "x" + " " * 25, "\n" * 11 + "x", "\r\n\r\n\r\n", " \n \n x", "-" * 31, "the the the thethethe",
]

SPECIAL_PIECES = [
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|reg0|>", "<|pause|>", "<gh_stars>", "<empty_output>", "<|fim_pad|>", "<|extra0|>", "<|reg",
    "'S", "'ſ", "'re", "\ufeff", "\u0085", "\u200b", "   ", "\n\n\n", "1234", "２", "각", "e\u0301", "ing", "th", "ab", "aa",
]


def trained_ranks():
    """A vocabulary of TRAINED tokens and WHOLE; its bytes are in the order of OpenAI's vocabularies, printable ones first."""
    from tiktoken._educational import bpe_train

    order = {bytes([byte]): rank for rank, byte in enumerate(bytes_to_unicode())}
    ranks = bpe_train("\n".join(SENTENCES + RUNS * 3), TRAINED, QWEN2_PATTERN, visualise=None)
    return {token: order.get(token, rank) for token, rank in ranks.items()} | {WHOLE.encode(): TRAINED}


def filled(ranks):
    """All ranks the class wants: those that are missing are bytes no UTF-8 has."""
    return ranks | {b"\xff\xff" + rank.to_bytes(3, "big"): rank for rank in range(len(ranks), RANKS)}


def write_ranks(path, ranks):
    """tiktoken's format: a token in base64 and its rank a line."""
    by_rank = sorted(ranks.items(), key=lambda item: item[1])
    path.write_text("".join(f"{base64.b64encode(token).decode()} {rank}\n" for token, rank in by_rank), encoding="ascii")


def load_class():
    spec = importlib.util.spec_from_file_location("tokenization_arcade100k", os.environ[SOURCE])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Arcade100kTokenizer


def drawn_ids():
    """Sequences no text would give: bytes that make no character, special tokens between them."""
    draw = random.Random(99)
    kinds = [lambda: draw.randrange(256), lambda: draw.randrange(TRAINED), lambda: RANKS + 1 + draw.randrange(32)]
    weights = [[1, 0, 0], [0, 1, 0], [2, 2, 1], [4, 1, 1]]
    made = [[draw.choices(kinds, row)[0]() for _ in range(draw.randint(1, 12))] for row in draw.choices(weights, k=SEQUENCES)]
    return [[RANKS + 1], [RANKS + 32], [TRAINED], [RANKS - 1], *made]


def tokenizer_arcade100k(_reference, out, scratch):
    trained = trained_ranks()
    write_ranks(Path(scratch) / FILE, filled(trained))
    made = load_class()(f"{scratch}/{FILE}", model_max_length=2048)
    folder = out / "tokenizers" / "arcade100k"
    shutil.rmtree(folder, ignore_errors=True)
    made.save_pretrained(folder)
    tokenizer = load_class().from_pretrained(folder)
    rows = [row_of(tokenizer, text) for text in drawn_strings(SPECIAL_BY_HAND, SPECIAL_PIECES)]
    decodes = [[ids, tokenizer.decode(ids, skip_special_tokens=True)] for ids in drawn_ids()]
    write_ranks(folder / FILE, trained)
    name_code(folder / "tokenizer_config.json")
    for path in folder.iterdir():
        path.chmod(0o644)
    head = {"versions": {**versions(), "tiktoken": version("tiktoken")}, "tokenizerOf": "tokenizers/arcade100k", "row": ROW}
    write_rows(out / "tokenizer-arcade100k.json", head, rows, decodes)


def name_code(path):
    """As published: the configuration names code to run."""
    config = json.loads(path.read_text(encoding="utf-8"))
    config["auto_map"] = {"AutoTokenizer": ["tokenization_arcade100k.Arcade100kTokenizer", None]}
    path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


ARCADE_TABLES = {"tokenizer-arcade100k": tokenizer_arcade100k} if SOURCE in os.environ else {}
