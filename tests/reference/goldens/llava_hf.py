"""A case of Hugging Face's own LLaVA classes: the layout of `tiny-llava-v1-hf`."""

import json
import shutil

import torch
from PIL import Image
from safetensors.torch import save_file
from transformers import AddedToken, CLIPImageProcessor, CLIPVisionConfig, LlamaConfig, LlamaTokenizer, LlavaConfig
from transformers import LlavaForConditionalGeneration

from .answer import NEW_TOKENS, fair, gap
from .clip import make_clip
from .reference import versions
from .sentencepiece_vocabulary import write_llama_tokenizer
from .weights import fill

NAME, SEED = "llava-hf", 1
QUESTIONS = {"plain": "What happens in the picture?", "unicode": "Où est le café ☕? 红色的圆形"}
PROMPT = "USER: <image>\n{}\nASSISTANT:"  # as the model's own page asks
PICTURE = (1, 37, 53)


def make_tokenizer(folder):
    """As it lies in the published folder: Llama's, with one more token for the picture."""
    write_llama_tokenizer(folder, legacy=True)
    tokenizer = LlamaTokenizer.from_pretrained(folder)
    tokenizer.add_tokens([AddedToken("<image>", special=True, normalized=False)])
    tokenizer.save_pretrained(folder)
    return tokenizer


def make_model(tokenizer):
    vision = CLIPVisionConfig(hidden_size=36, image_size=30, intermediate_size=113, num_attention_heads=3, num_hidden_layers=3, patch_size=7)
    text = LlamaConfig(
        hidden_size=48, intermediate_size=104, max_position_embeddings=2048, num_attention_heads=3, num_hidden_layers=2,
        num_key_value_heads=1, rms_norm_eps=1e-5, vocab_size=656,
    )
    image = tokenizer.convert_tokens_to_ids("<image>")
    model = LlavaForConditionalGeneration(LlavaConfig(vision, text, image_token_index=image, pad_token_id=0)).eval()
    fill(model, SEED, image, torch.float16)
    return model


class Watch:
    """What passes the stages during one `generate`."""

    def __init__(self, model):
        self.tensors, self.steps = {}, []
        self.handles = [
            model.vision_tower.register_forward_hook(self.tower),
            model.multi_modal_projector.register_forward_hook(self.connector),
            model.language_model.register_forward_hook(self.language),
        ]

    def tower(self, _module, _inputs, output):
        self.tensors["features"] = output.hidden_states[-2][:, 1:]

    def connector(self, _module, _inputs, output):
        self.tensors["connector"] = output[0]

    def language(self, _module, _inputs, output):
        self.steps.append(output.logits[0].float())


def ask(model, tokenizer, pixel_values, question):
    prompt = PROMPT.format(question)
    ids = tokenizer(prompt, return_tensors="pt").input_ids
    watch = Watch(model)
    output = model.generate(ids, pixel_values=pixel_values, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=NEW_TOKENS)
    for handle in watch.handles:
        handle.remove()
    tokens = output[0, ids.shape[1]:].tolist()
    decoded = tokenizer.decode(tokens, skip_special_tokens=True)
    last = torch.stack([step[-1] for step in watch.steps])
    record = {
        "question": question,
        "prompt": prompt,
        "promptIds": [-200 if token == model.config.image_token_index else token for token in ids[0].tolist()],
        "sequenceLength": watch.steps[0].shape[0],
        "truncated": False,
        "tokens": tokens,
        "decoded": decoded,
        "text": decoded.strip(),
        "stoppedBy": "eos" if tokens[-1] == tokenizer.eos_token_id else "length",
        "smallestGap": round(min(gap(step) for step in last), 4),
    }
    return record, {**watch.tensors, "logits": watch.steps[0][-8:], "steps": last}


def llava_hf(_reference, out, _scratch):
    folder = out / "cases" / NAME
    shutil.rmtree(folder, ignore_errors=True)
    tokenizer = make_tokenizer(folder / "checkpoint")
    make_model(tokenizer).half().save_pretrained(folder / "checkpoint")
    processor = CLIPImageProcessor(size={"shortest_edge": 30}, crop_size={"height": 30, "width": 30})
    processor.save_pretrained(folder / "checkpoint")
    model = LlavaForConditionalGeneration.from_pretrained(folder / "checkpoint").eval()

    frames = make_clip(*PICTURE, {}, seed=len(NAME))
    # Half precision, as the published code hands pixels to the model.
    pixel_values = processor(Image.fromarray(frames[0]), return_tensors="pt")["pixel_values"].half().float()
    tensors, questions = {"frames": torch.from_numpy(frames), "pixel_values": pixel_values}, {}
    for key, question in QUESTIONS.items():
        record, trace = ask(model, tokenizer, pixel_values, question)
        if not fair(record):
            raise RuntimeError(f"seed {SEED} makes a close call: {record}")
        questions[key] = record
        tensors |= {"features": trace["features"], "connector": trace["connector"], f"logits.{key}": trace["logits"]}
        if key == "plain":
            tensors["steps.plain"] = trace["steps"]
    save_file({key: value.clone().contiguous() for key, value in tensors.items()}, folder / "golden.safetensors")
    golden = {
        "case": NAME, "seed": SEED, "template": "llava_hf", "dtype": "float16", "reference": "factory", "versions": versions("factory"),
        "darkFrames": {}, "newTokens": NEW_TOKENS, "questions": questions,
    }
    (folder / "golden.json").write_text(json.dumps(golden, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
