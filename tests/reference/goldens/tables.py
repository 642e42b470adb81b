"""Goldens that need no checkpoint: one function a file."""

import hashlib
import json
import random

import numpy as np
import torch
from safetensors.torch import save_file as save_safetensors
from transformers import (
    AutoTokenizer,
    CLIPVisionConfig,
    Dinov2Config,
    GemmaConfig,
    LlamaConfig,
    PhiConfig,
    Qwen2Config,
    SiglipImageProcessor,
    SiglipVisionConfig,
    StableLmConfig,
)

from .arcade_table import ARCADE_TABLES
from .attention_table import attention, attention_qformer
from .clip import make_clip
from .conversations import conversation, conversations
from .crop_table import crop
from .llava_hf import llava_hf
from .lora_table import lora_variants
from .openelm_table import openelm_sizes
from .pictures_table import pictures
from .qformer_table import qformer_shapes
from .reference import CudaMeansCpu, versions
from .sentencepiece_tables import SENTENCEPIECE_TABLES
from .strings import strings
from .text_only import text_only
from .torch_files import torch_files
from .vocabulary import write_phi_tokenizer, write_qwen2_tokenizer


def save_file(tensors, path):
    """No metadata: its order in the file would change from run to run."""
    save_safetensors(tensors, path)
    path.chmod(0o644)


def write_lines(path, head, name, rows):
    """A JSON object with one row of `name` a line, so that differences stay readable."""
    fields = "".join(f"{json.dumps(key)}: {json.dumps(value)},\n" for key, value in head.items())
    lines = ",\n".join(json.dumps(row, ensure_ascii=True, separators=(",", ":")) for row in rows)
    path.write_text("{\n" + fields + f"{json.dumps(name)}: [\n{lines}\n]\n}}\n", encoding="utf-8")


def uniform(total, count):
    """The reference's frame indices."""
    return np.linspace(0, total - 1, count, dtype=int).tolist()


def compact(indices):
    """The indices themselves where they are few, else the SHA-256 of them joined by commas."""
    if len(indices) <= 16:
        return indices
    return hashlib.sha256(",".join(map(str, indices)).encode()).hexdigest()


def per_second(frames, fps, max_frames):
    """The reference's number of frames under its '1 fps' rule; duration is frames / fps in float64."""
    duration = float(frames) / float(fps)
    return min(max_frames, max(1, int(duration)))


def indices(_reference, out, _scratch):
    draw = random.Random(154)
    pairs = [(154, 64), (1, 1), (1, 16), (2, 16), (16, 16), (17, 16), (200000, 128), (2, 1), (3, 2)]
    while len(pairs) < 10000:
        pairs.append((draw.randint(1, 200000) if draw.random() < 0.7 else draw.randint(1, 400), draw.randint(1, 128)))
    fps = [1, 10, 12.5, 15, 23.976, 24, 24000 / 1001, 25, 29.97, 30, 30000 / 1001, 50, 59.94, 60, 120]
    rules = [(154, 25, 64), (1, 30, 64), (29, 30, 64), (30, 30, 64), (3600 * 25, 25, 128)]
    rules += [(draw.randint(1, 5000), draw.choice(fps), draw.choice([1, 16, 64, 128])) for _ in range(195)]
    rows = [[total, count, compact(uniform(total, count))] for total, count in pairs]
    head = {
        "versions": {"numpy": np.__version__},
        "rowMeaning": "[total, n, indices if n <= 16, else sha256 of the indices joined by ',']",
        "perSecondMeaning": "[frames, fps, maxFrames, N]",
        "perSecond": [[frames, rate, most, per_second(frames, rate, most)] for frames, rate, most in rules],
    }
    write_lines(out / "indices.json", head, "uniform", rows)


RESIZES = [((53, 37), 30), ((16, 9), 30), ((5, 7), 24), ((68, 120), 37), ((1, 64), 20), ((200, 3), 16), ((31, 31), 31), ((173, 101), 48), ((27, 48), 96)]


def resize(_reference, out, _scratch):
    """Pairs input.N -> output.N, uint8 [H, W, 3], through the image processor's own resize."""
    tensors = {}
    for index, ((height, width), size) in enumerate(RESIZES):
        image = make_clip(1, height, width, {}, seed=index)[0]
        if index == 6:
            image = np.random.default_rng(6).choice(np.array([0, 255], np.uint8), image.shape)  # overshoot must clip
        processor = SiglipImageProcessor(size={"height": size, "width": size})
        channels_first = torch.from_numpy(image).permute(2, 0, 1).to(torch.float32)
        resized = processor(channels_first, return_tensors="np", do_rescale=False, do_normalize=False)["pixel_values"][0]
        tensors[f"input.{index}"] = torch.from_numpy(image)
        tensors[f"output.{index}"] = torch.from_numpy(resized.astype(np.uint8)).permute(1, 2, 0).contiguous()
    save_file(tensors, out / "resize.safetensors")


def decode_inputs(tokenizer):
    """Id sequences that decoding must cope with: cut characters, special and added tokens, runs of both."""
    draw = random.Random(99)
    known = len(tokenizer)
    end = tokenizer.eos_token_id
    made = [[draw.randrange(known) for _ in range(draw.randint(1, 16))] for _ in range(100)]
    made += [[end], [end, end], [320, end, 321], [known - 1], [320, known - 1, 321], [known - 1, known - 2], []]
    return made


def tokenizer_table(out, name, folder):
    tokenizer = AutoTokenizer.from_pretrained(folder, use_fast=False)
    rows = []
    for text in strings():
        ids = tokenizer(text).input_ids
        rows.append({
            "text": text,
            "ids": ids,
            "decoded": tokenizer.decode(ids, skip_special_tokens=True),
            "decodedWithSpecial": tokenizer.decode(ids),
        })
    decodes = [[ids, tokenizer.batch_decode([ids], skip_special_tokens=True)[0]] for ids in decode_inputs(tokenizer)]
    head = {"versions": versions(), "tokenizerOf": name, "decodes": decodes}
    write_lines(out, head, "strings", rows)


def tokenizer_qwen2(_reference, out, scratch):
    write_qwen2_tokenizer(f"{scratch}/tokenizer-qwen2")
    tokenizer_table(out / "tokenizer-qwen2.json", "cases/qwen2-group-16/checkpoint", f"{scratch}/tokenizer-qwen2")


def tokenizer_phi(_reference, out, scratch):
    write_phi_tokenizer(f"{scratch}/tokenizer-phi")
    tokenizer_table(out / "tokenizer-phi.json", "cases/phi-naive/checkpoint", f"{scratch}/tokenizer-phi")


CONVERSATIONS = [
    [("What happens?", None)],
    [("<image>\n What happens?  ", None)],
    [("<image>\nWhat happens?", "A circle moves."), ("  And then?  ", None)],
    [("<image>\nFirst", " one "), ("second <image> with marker", "Two"), ("third", None)],
    [("<image>", None)],
    [("No video {{content}} here: {0}", "Yes: no."), ("Why?", None)],
]


def prompts(reference, out, scratch):
    """Prompts and ids for conversations of several rounds, by template and tokenizer."""
    write_qwen2_tokenizer(f"{scratch}/prompt-qwen2")
    write_phi_tokenizer(f"{scratch}/prompt-phi")
    rows = []
    for template, tokens in [("qwen2_base", "qwen2"), ("phi", "phi"), ("gemma", "qwen2"), ("pretrain", "qwen2")]:
        tokenizer = AutoTokenizer.from_pretrained(f"{scratch}/prompt-{tokens}", use_fast=False)
        text = reference.TextPreprocess(tokenizer, template)
        for conversation in CONVERSATIONS:
            message = reference.Message()
            for question, answer in conversation:
                message.add_message(question, answer)
            encoded = text(message.messages, mode="eval")
            rows.append({
                "template": template,
                "tokenizer": tokens,
                "messages": [list(turn) for turn in conversation],
                "prompt": encoded["prompt"],
                "promptIds": encoded["input_ids"].tolist(),
            })
    write_lines(out / "prompts.json", {"versions": versions()}, "prompts", rows)


LARGE = (11648, 2048)


def positions(reference, out, _scratch):
    """The connector's position encoding as the reference rounds it: all of a small one, samples of a large one."""
    with CudaMeansCpu():
        small = reference.PositionalEncoding(64)(510)[0]
        large = reference.PositionalEncoding(LARGE[1])(LARGE[0])[0]
    generator = torch.Generator().manual_seed(0)
    edges = torch.tensor([0, 1, 2, 3, LARGE[0] - 2, LARGE[0] - 1])
    rows = torch.cat([edges, torch.randint(4, LARGE[0] - 2, (58,), generator=generator)]).sort().values
    columns = torch.cat([torch.arange(0, 64), torch.randint(64, LARGE[1], (192,), generator=generator)]).sort().values
    save_file(
        {
            "small": small.contiguous(),
            "large.rows": rows.to(torch.int32),
            "large.columns": columns.to(torch.int32),
            "large": large[rows][:, columns].contiguous(),
        },
        out / "positions.safetensors",
    )


def config_defaults(_reference, out, _scratch):
    """The class defaults that a missing key in text_config or vision_config takes."""
    kinds = {
        "qwen2": Qwen2Config,
        "phi": PhiConfig,
        "llama": LlamaConfig,
        "stablelm": StableLmConfig,
        "gemma": GemmaConfig,
        "siglip_vision_model": SiglipVisionConfig,
        "clip_vision_model": CLIPVisionConfig,
        "dinov2": Dinov2Config,
    }
    table = {name: dict(sorted(kind().to_dict().items())) for name, kind in kinds.items()}
    path = out / "config-defaults.json"
    path.write_text(json.dumps({"versions": versions(), **table}, indent=1) + "\n", encoding="utf-8")


TABLES = {
    "video": {
        "indices": indices,
        "resize": resize,
        "crop": crop,
        "tokenizer-qwen2": tokenizer_qwen2,
        "tokenizer-phi": tokenizer_phi,
        "prompts": prompts,
        "positions": positions,
        "config-defaults": config_defaults,
        "torch-files": torch_files,
        "attention": attention,
        "conversation": conversation,
        **SENTENCEPIECE_TABLES,
        **ARCADE_TABLES,
    },
    "factory": {"llava-hf": llava_hf, "lora-variants": lora_variants, "pictures": pictures, "openelm-sizes": openelm_sizes, "conversations": conversations, "qformer-shapes": qformer_shapes, "attention-qformer": attention_qformer, "text-only": text_only},
}
