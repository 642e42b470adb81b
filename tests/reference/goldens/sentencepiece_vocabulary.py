"""Small SentencePiece models in the style of Llama, of Gemma, and of older ones that normalize."""

from pathlib import Path

import sentencepiece
from transformers import AddedToken, GemmaTokenizer, GemmaTokenizerFast, LlamaTokenizer, LlamaTokenizerFast

from .vocabulary import SENTENCES

# As their base models have it; what a small corpus needs smaller is given by the callers.
SHARED = {
    "model_type": "bpe",
    "split_digits": True,
    "allow_whitespace_only_pieces": True,
    "byte_fallback": True,
    "normalization_rule_name": "identity",
    "remove_extra_whitespaces": False,
    "character_coverage": 0.985,  # some letters are pieces, others are spelled in bytes
    "num_threads": 1,
    "minloglevel": 2,
}

GEMMA_SYMBOLS = [
    "<mask>", "<2mass>", "[@BOS@]", "<unused0>", "<unused1>", "<unused10>", "<start_of_turn>", "<end_of_turn>",
    *("\n" * count for count in range(1, 7)), *("\u2581" * count for count in range(2, 9)),
    "<table>", "</table>", "<b>", "</b>",
]

# A normalizer's rules, as SentencePiece reads them: code points in, tab, code points out.
RULES = {
    "\t": " ", "\n": " ", "\r": " ", "\u00a0": " ", "\u3000": " ", "\u200b": "", "e\u0301": "é", "ﬁ": "fi", "…": "...",
    "½": "1/2", "２": "2", "Ａ": "A", "\u2028": " ", "안": "an", "안녕": "bye", "☕": "  cup ", "Å": "A\u030a",
}


def train(folder, **options):
    """Writes tokenizer.model and returns its path."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tokenizer.model"
    with path.open("wb") as file:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(SENTENCES * 3), model_writer=file, **{**SHARED, **options}
        )
    return str(path)


def write_llama_tokenizer(folder, **settings):
    """As Llama-2 and TinyLlama have it: a dummy prefix, <unk>, <s> and </s> first, then the bytes."""
    model = train(folder, vocab_size=640)
    settings = {"legacy": False, "pad_token": "<unk>", **settings}
    LlamaTokenizer(model, model_max_length=2048, **settings).save_pretrained(folder)


def write_gemma_tokenizer(folder):
    """As Gemma has it: no dummy prefix, <pad> first, many user-defined symbols, runs of blanks among them."""
    model = train(
        folder, vocab_size=680, add_dummy_prefix=False, user_defined_symbols=GEMMA_SYMBOLS,
        pad_id=0, eos_id=1, bos_id=2, unk_id=3, bos_piece="<bos>", eos_piece="<eos>",
    )
    GemmaTokenizer(model, model_max_length=8192).save_pretrained(folder)


def write_legacy_tokenizer(folder):
    """Llama as before transformers 4.31, with an <eos> behind, cleaning up, and tokens added later that take blanks."""
    write_llama_tokenizer(folder, legacy=True, add_eos_token=True, clean_up_tokenization_spaces=True)
    tokenizer = LlamaTokenizer.from_pretrained(folder)
    tokenizer.add_tokens([
        AddedToken("<left>", lstrip=True, special=False),
        AddedToken("<right>", rstrip=True, special=False),
        AddedToken("<word>", single_word=True, special=False),
        AddedToken("<rightmost>", special=False),
    ])
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|extra|>"]})
    tokenizer.save_pretrained(folder)


def write_normalizing_tokenizer(folder):
    """A model that normalizes by rules of its own, drops blanks, and has no bytes: unknown characters are <unk>."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rules = folder / "rules.tsv"
    hexadecimal = lambda text: " ".join(f"{ord(character):X}" for character in text)
    rules.write_text("".join(f"{hexadecimal(text)}\t{hexadecimal(to)}\n" for text, to in RULES.items()), encoding="utf-8")
    model = train(
        folder, vocab_size=380, byte_fallback=False, normalization_rule_name="", normalization_rule_tsv=str(rules),
        remove_extra_whitespaces=True, user_defined_symbols=["<sep>", "  keep  "],
    )
    rules.unlink()
    LlamaTokenizer(model, legacy=True).save_pretrained(folder)


def write_json_only(folder, fast):
    """A tokenizer.json, and no tokenizer.model beside it."""
    fast.init_kwargs.pop("from_slow", None)
    fast.save_pretrained(folder)
    for name in ("tokenizer.model", "special_tokens_map.json"):
        (Path(folder) / name).unlink(missing_ok=True)


def write_llama_json(folder):
    """As `tokenizers` writes Llama's: the prefix by a normalizer, the bytes by a decoder."""
    write_llama_tokenizer(folder)
    write_json_only(folder, LlamaTokenizerFast.from_pretrained(folder, from_slow=True))


def write_gemma_json(folder):
    """As `tokenizers` writes Gemma's: without a prefix."""
    write_gemma_tokenizer(folder)
    write_json_only(folder, GemmaTokenizerFast.from_pretrained(folder, from_slow=True))
