"""Asks the reference and writes down what happened at every stage."""

from dataclasses import dataclass

import torch
from PIL import Image

from .reference import CudaMeansCpu

NEW_TOKENS = 24


def pixels(reference, model, frames):
    """pixel_values [T, 3, S, S], one frame at a time."""
    return {"video": video_pixels, "factory": picture_pixels}[reference.kind](reference, model, frames)


def video_pixels(reference, model, frames):
    """Each decoded frame as a float tensor, as TinyLLaVA-Video's run_tiny_llava.py does."""
    preprocess = reference.VideoPreprocess(model.vision_tower._image_processor, model.config)
    video = torch.from_numpy(frames).permute(0, 3, 1, 2).to(torch.float32)
    return torch.stack([preprocess(frame) for frame in video])


def picture_pixels(reference, model, frames):
    """Each frame as a picture of Pillow, rounded to half precision, as the Factory's run_tiny_llava.py does."""
    preprocess = reference.ImagePreprocess(model.vision_tower._image_processor, model.config)
    return torch.stack([preprocess(Image.fromarray(frame)) for frame in frames]).half().float()


def features(model, pixel_values):
    """The tower's selected features [T, tokens, hidden]."""
    return model.vision_tower(
        pixel_values,
        vision_feature_layer=model.config.vision_feature_layer,
        vision_feature_select_strategy=model.config.vision_feature_select_strategy,
    )


def connect(model, tower_features):
    """The connector's output [V, hidden] for these frames' features."""
    with CudaMeansCpu():
        return model.connector(tower_features.reshape(1, -1, tower_features.shape[-1]))[0]


@dataclass
class Trace:
    """What passed the stages during one `generate`."""

    features: torch.Tensor = None
    connector: torch.Tensor = None
    sequence: int = 0
    prefill: torch.Tensor = None
    steps: list = None


class Watch:
    """Hooks that fill a Trace while the reference generates."""

    def __init__(self, model):
        self.model = model
        self.trace = Trace(steps=[])

    def __enter__(self):
        model = self.model
        self.handles = [
            model.vision_tower.register_forward_hook(self.tower),
            model.connector.register_forward_hook(self.connector),
            model.language_model.register_forward_hook(self.language),
        ]
        return self.trace

    def __exit__(self, *_):
        for handle in self.handles:
            handle.remove()

    def tower(self, _module, _inputs, output):
        # Of two towers: side by side, as our graphs keep them.
        self.trace.features = torch.cat(output, dim=-1) if isinstance(output, tuple) else output

    def connector(self, _module, _inputs, output):
        self.trace.connector = output[0]

    def language(self, _module, _inputs, output):
        logits = output.logits[0].float()
        if self.trace.prefill is None:
            self.trace.sequence = logits.shape[0]
            self.trace.prefill = logits[-8:].clone()
        self.trace.steps.append(logits[-1].clone())


def encode(reference, model, template, question, rounds=()):
    """(prompt, ids, stop text) for one question about a video, after earlier rounds of (question, answer)."""
    text = reference.TextPreprocess(model.tokenizer, template)
    message = reference.Message()
    for place, (asked, answered) in enumerate([*rounds, (question, None)]):
        message.add_message(reference.image_marker + "\n" + asked if place == 0 else asked, answered)
    encoded = text(message.messages, mode="eval")
    return encoded["prompt"], encoded["input_ids"], text.template.separator.apply()[1]


def trim(text, stop):
    """run_tiny_llava.py's last steps."""
    text = text.strip()
    return text.removesuffix(stop).strip()


def why_stopped(model, tokens, stop_ids):
    """Which rule ended the answer."""
    if tokens[-1] == model.language_model.generation_config.eos_token_id:
        return "eos"
    if tokens[-len(stop_ids):] == stop_ids:
        return "end-text"
    return "length" if len(tokens) == NEW_TOKENS else "unknown"


def gap(logits):
    """How far the best logit lies above the second, in standard deviations of all logits."""
    best = logits.topk(2).values
    return float((best[0] - best[1]) / logits.std())


def visual_input(reference, pixel_values):
    """The argument of `generate` that holds a clip, or one picture."""
    return {"video": pixel_values.unsqueeze(0)} if reference.kind == "video" else {"images": pixel_values}


def ask(reference, model, template, pixel_values, question, rounds=()):
    """(record, trace): the question through the reference's own `generate`, greedy, after earlier rounds."""
    tokenizer = model.tokenizer
    prompt, ids, stop = encode(reference, model, template, question, rounds)
    batch = ids.unsqueeze(0)
    criterion = reference.KeywordsStoppingCriteria([stop], tokenizer, batch)
    with CudaMeansCpu(), Watch(model) as trace, torch.inference_mode():
        output = model.generate(
            batch,
            **visual_input(reference, pixel_values),
            do_sample=False,
            temperature=0,
            top_p=None,
            num_beams=1,
            pad_token_id=tokenizer.pad_token_id,
            max_new_tokens=NEW_TOKENS,
            use_cache=True,
            stopping_criteria=[criterion],
        )
    tokens = output[0].tolist()
    decoded = tokenizer.batch_decode(output, skip_special_tokens=True)[0]
    visual = trace.connector.shape[0]
    record = {
        "question": question,
        "prompt": prompt,
        "promptIds": ids.tolist(),
        "sequenceLength": trace.sequence,
        "truncated": trace.sequence < len(ids) - 1 + visual,
        "tokens": tokens,
        "decoded": decoded,
        "text": trim(decoded, stop),
        "stoppedBy": why_stopped(model, tokens, tokenizer(stop).input_ids),
        "smallestGap": round(min(gap(step) for step in trace.steps), 4),
    }
    return record, trace


def fair(record):
    """Whether the tokens make a good test: varied, and never a close call."""
    return record["smallestGap"] > 0.012 and len(set(record["tokens"])) >= min(9, len(record["tokens"]) * 0.4)
