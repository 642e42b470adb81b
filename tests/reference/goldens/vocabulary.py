"""Small byte-level BPE vocabularies in the style of Qwen2 and of Phi-2 (CodeGen)."""

import json
from pathlib import Path

from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers
from transformers import AddedToken, CodeGenTokenizer, GPT2Tokenizer, Qwen2Tokenizer

SYSTEM = (
    "A chat between a curious user and an artificial intelligence assistant. "
    "The assistant gives helpful, detailed, and polite answers to the user's questions. "
)

SENTENCES = [
    SYSTEM + "USER: <image>\nDescribe the video in detail. ASSISTANT: A large red circle moves to the right.",
    SYSTEM + "USER: <image>\nWhat happens at the beginning of the video? ASSISTANT: A small blue square appears.",
    "The video shows a small green triangle that moves slowly across a plain background and then stays still.",
    "Which way does the yellow star move? It moves up, and then it turns to the left before the end of the video.",
    "How many shapes are there? There are two shapes: a purple circle and an orange square, moving in the same way.",
    "When does the second shape appear? In the middle of the video, after the first shape has changed its colour.",
    "A person walks into the room, opens the window and looks outside; the light changes from dark to bright.",
    "Two children are playing with a ball in the park while a dog is running around them and barking loudly.",
    "The camera follows the train as it is leaving the station, and people are waving at the passengers.",
    "Somebody is cooking: she cuts the onions, heats the oil, and stirs everything in a pan for ten minutes.",
    "I don't know what's happening, but they're going there; we've seen that he'll be late and she'd be early.",
    "In 2024 there were 1,234 videos of 30 seconds at 25 frames per second, which makes about 925,500 frames.",
    "The question is whether the answer is right, wrong, or somewhere in between; please explain your reasoning.",
    "for (let i = 0; i < 10; i++) {\n    if (frames[i] === null) {\n        return answer;\n    }\n}\n",
    "def describe(video):\n    for frame in video:\n        print(frame.time, frame.text)\n    return None\n",
    "Le café est près de la forêt, où les élèves ont déjà été; señor Muñoz está aquí, schöne Grüße aus Köln.",
    "红色的圆形在视频中向右移动。视频里有什么？ 赤い丸が右に動きます。これはビデオです。",
    "Что происходит в видео? Красный круг движется вправо. Это видео о движении.",
    "☕🌟🌟 👩‍🚀 🙂🙂 🎬 — “quoted” … done.",
]

QWEN2_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CODEGEN_PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"

BPE_SIZE = 600
END = "<|endoftext|>"


def train(pattern):
    """(vocabulary, merges) of a byte-level BPE with BPE_SIZE tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=BPE_SIZE, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False, min_frequency=1
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return model["vocab"], model["merges"]


def write_bpe(folder, vocabulary, merges):
    """Writes vocab.json and merges.txt and returns their paths."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n", encoding="utf-8")
    return str(folder / "vocab.json"), str(folder / "merges.txt")


def write_qwen2_tokenizer(folder):
    """As Qwen2.5 has it: the special tokens lie beyond vocab.json, and some added tokens are not special."""
    files = write_bpe(folder, *train(QWEN2_PATTERN))
    tokenizer = Qwen2Tokenizer(*files, model_max_length=131072)
    special = [END, "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>"]
    plain = ["<tool_call>", "</tool_call>"]
    tokenizer.add_tokens([AddedToken(text, normalized=False, special=True) for text in special])
    tokenizer.add_tokens([AddedToken(text, normalized=False, special=False) for text in plain])
    tokenizer.add_special_tokens({"additional_special_tokens": special[1:]})
    tokenizer.save_pretrained(folder)


def write_phi_tokenizer(folder):
    """As Phi-2 has it: the end token closes vocab.json; runs of 31..2 spaces and 9..2 tabs are added tokens."""
    vocabulary, merges = train(CODEGEN_PATTERN)
    vocabulary[END] = len(vocabulary)
    files = write_bpe(folder, vocabulary, merges)
    tokenizer = CodeGenTokenizer(*files, model_max_length=2048, clean_up_tokenization_spaces=True)
    runs = [" " * n for n in range(31, 1, -1)] + ["\t" * n for n in range(9, 1, -1)]
    tokenizer.add_tokens([AddedToken(text, normalized=True, special=False) for text in runs])
    tokenizer.save_pretrained(folder)


def write_gpt2_tokenizer(folder):
    """As StableLM-2 has it: GPT-2's class, chat tokens behind the vocabulary, cleaning up by default."""
    vocabulary, merges = train(CODEGEN_PATTERN)
    files = write_bpe(folder, vocabulary, merges)
    tokenizer = GPT2Tokenizer(*files, model_max_length=4096)
    special = [END, "<|im_start|>", "<|im_end|>"]
    tokenizer.add_tokens([AddedToken(text, normalized=False, special=True) for text in special])
    tokenizer.add_tokens([AddedToken("<tool_call>", normalized=False, special=False)])
    tokenizer.add_special_tokens({"additional_special_tokens": special[1:], "pad_token": END})
    tokenizer.save_pretrained(folder)
