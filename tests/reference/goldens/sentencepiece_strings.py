"""Strings for the SentencePiece tokenizers: many scripts, emoji, runs of blanks, control characters, special tokens in the text."""

import random

from .strings import BY_HAND, PIECES
from .vocabulary import SENTENCES

SPECIAL_BY_HAND = [
    "<s>", "</s>", "<unk>", "a<s>b", "a </s> b", "<s> <s>", "</s></s> x", "<s></s>\n<s>", " <s>", "  <s>  a", "<s>▁a", "▁<s>",
    "<s", "<S>", "< s >", "<<s>>", "</s", "<unk><unk> a <unk>b",
    "<bos>", "<eos>", "<pad>", "a<eos>b", "a <eos> b<bos>", "<start_of_turn>user\nHi<end_of_turn>\n", "x<unused1>y<unused10>z<unused",
    "<mask> <2mass>[@BOS@]", "<table><b>1</b></table>", "<0x0A>", "<0x41> <0xE2><0x96><0x81>", "<0x00", "a<left>b", "a  <left>  b",
    "a  <right>  b", "<word>", "a <word> b", "a<word>b", "a <word>b", "a<word> b", "<rightmost> <right> <rightmost", "<|extra|> x<|extra|>",
    "▁", "▁▁", "▁ ▁", " ▁a", "a▁b", "▁▁▁▁▁▁▁▁▁a", "⁇ ⁇", "a<sep>b <sep>", "a  keep  b", "  keep  ", "keep   keep  keep  ",
    "ﬁne ２Ａ…½ e\u0301 e\u0300 안녕 안 ☕☕ Å\u200bx\u3000\u3000y", "\u200b", " \u200b ", "\u3000a\u3000", "…", "☕",
    "\n", "\n\n\n\n\n\n\n\n\n", "\n \n", "\r\n", "\t", "\u0000", "a\u0000b\u0000\u0000", " ", "  ", " " * 17, "a" + " " * 23 + "b ", "\n" * 13 + " ",
    "éé éééé eeee aaaaaaa ttttttt ssssss", "wwww wwwww", "ing inging inginging ininin thethethe", "0000000 11 2222", "........ ,,,,,, ----- ((((",
]

SPECIAL_PIECES = [
    "<s>", "</s>", "<unk>", "<bos>", "<eos>", "<pad>", "<mask>", "<unused1>", "<end_of_turn>", "<table>", "<left>", "<right>", "<word>", "<0x0A>",
    "<sep>", "  keep  ", "▁", "▁▁", "   ", "\n\n", "\n\n\n", "\u0000", "\u001b", "\u200b", "ﬁ", "２", "☕", "안녕", "⁇", "ing", "th", "ee", "s", "t", "0",
]

# Letters of many scripts, where one is drawn by itself.
RANGES = [
    (0x20, 0x7E), (0xA0, 0x24F), (0x370, 0x3FF), (0x400, 0x4FF), (0x531, 0x556), (0x5D0, 0x5EA), (0x620, 0x64A), (0x904, 0x939), (0xE01, 0xE3A),
    (0x10A0, 0x10FF), (0x1200, 0x1248), (0x2010, 0x205F), (0x2190, 0x21FF), (0x2580, 0x259F), (0x2600, 0x26FF), (0x3041, 0x30FF), (0x4E00, 0x9FFF),
    (0xAC00, 0xD7A3), (0xFE00, 0xFE0F), (0x1F300, 0x1F64F), (0x1F900, 0x1F9FF), (0x20000, 0x2A6DF), (0, 0x1F), (0x80, 0x9F), (0x300, 0x36F),
]

COUNT = 2000


def of_pieces(draw, pieces):
    return "".join(draw.choice(pieces) for _ in range(draw.randint(1, 7)))


def of_characters(draw):
    first, last = draw.choice(RANGES)
    return "".join(chr(draw.randint(first, last)) for _ in range(draw.randint(1, 8)))


def of_mixed_characters(draw):
    return "".join(chr(draw.randint(*draw.choice(RANGES))) for _ in range(draw.randint(2, 8)))


def of_sentences(draw):
    sentence = draw.choice(SENTENCES)
    start = draw.randrange(len(sentence))
    return sentence[start : start + draw.randint(2, 40)]


def of_repetitions(draw):
    return "".join(draw.choice(["a", "e", "t", "s", "in", "he", " ", "\u2581", "."]) * draw.randint(1, 6) for _ in range(draw.randint(1, 4)))


def drawn_strings(by_hand, special_pieces):
    """The strings by hand, then drawn ones of each kind in turn, COUNT in all; none comes twice."""
    draw = random.Random(2024)
    joined = lambda draw: of_pieces(draw, PIECES + special_pieces)
    kinds = [joined, of_characters, of_sentences, of_mixed_characters, joined, of_sentences, of_repetitions]
    found = dict.fromkeys(by_hand + [text for text in BY_HAND if len(text) <= 90])
    while len(found) < COUNT:
        found.setdefault(kinds[len(found) % len(kinds)](draw))
    return list(found)


def sentencepiece_strings(count=COUNT):
    """The first `count` strings for SentencePiece's tokenizers."""
    return drawn_strings(SPECIAL_BY_HAND, SPECIAL_PIECES)[:count]
