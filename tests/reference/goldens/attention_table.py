"""Where the reference looks while it answers: attention of its language model and of its connector."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from . import answer, checkpoint
from .cases import CASES
from .record import clip_of
from .reference import CudaMeansCpu

# By the file they go to. Uneven parts and shared heads, then one part and more layers; a Q-Former, which the Factory has.
NAMES = {"attention.safetensors": ["qwen2-group-uneven", "qwen2-naive"], "attention-qformer.safetensors": ["picture-qformer"]}


class Prompted:
    """Keeps the embeddings of the prompt that `generate` begins with."""

    def __init__(self, model):
        self.embeddings = None
        self.handle = model.language_model.register_forward_pre_hook(self.see, with_kwargs=True)

    def see(self, _module, _inputs, named):
        if self.embeddings is None:
            self.embeddings = named["inputs_embeds"]


def language_attention(model, prompt, tokens):
    """[tokens, positions]: mean over layers and heads, from the position that chose each token."""
    said = model.language_model.get_input_embeddings()(torch.tensor([tokens[:-1]]))
    output = model.language_model(inputs_embeds=torch.cat([prompt, said], dim=1), output_attentions=True)
    mean = torch.stack(output.attentions).mean(dim=(0, 2))[0]
    return mean[prompt.shape[1] - 1 :], output.logits[0, prompt.shape[1] - 1 :]


def qformer_attention(model, features):
    """[1, queries, tokens]: mean over heads and those layers that look at the picture, as the reference's own BERT says it."""
    former = model.connector._connector
    seen = torch.ones(features.shape[:-1], dtype=torch.long)
    output = former.bert(
        query_embeds=former.query_tokens, encoder_hidden_states=features, encoder_attention_mask=seen, output_attentions=True, return_dict=True
    )
    # Where a layer doesn't look at the picture, something else stands in its place.
    looks = [look for layer, look in zip(former.bert.encoder.layer, output.cross_attentions) if layer.has_cross_attention]
    return torch.stack(looks).mean(dim=(0, 2))


def perceiver_attention(model, features):
    """[parts, queries, tokens of the longest part]: mean over layers and heads, from the reference's own queries and keys."""
    layers = [layer[0] for layer in model.connector._connector.layers]
    seen = {"query": [], "context": []}
    handles = []
    for layer in layers:
        handles.append(layer.to_q.register_forward_hook(lambda _m, _i, out: seen["query"].append(out)))
        handles.append(layer.to_kv.register_forward_hook(lambda _m, _i, out: seen["context"].append(out)))
    answer.connect(model, features)
    for handle in handles:
        handle.remove()
    looks = [look(layers[0], query, context) for query, context in zip(seen["query"], seen["context"])]
    parts = [torch.stack(looks[at : at + len(layers)]).mean(dim=0) for at in range(0, len(looks), len(layers))]
    longest = max(part.shape[1] for part in parts)
    return torch.stack([torch.nn.functional.pad(part, (0, longest - part.shape[1])) for part in parts])


def look(layer, query, context):
    """[queries, tokens], without the latents that close the context."""
    keys = context.chunk(2, dim=-1)[0]
    heads = [x[0, 0].unflatten(-1, (layer.heads, -1)).transpose(0, 1) for x in (query * layer.scale, keys)]
    weights = (heads[0] @ heads[1].transpose(1, 2)).softmax(dim=-1)
    return weights.mean(dim=0)[:, : keys.shape[2] - query.shape[2]]


def attention(reference, out, scratch):
    write_attention(reference, out / "attention.safetensors", scratch, perceiver_attention)


def attention_qformer(reference, out, scratch):
    write_attention(reference, out / "attention-qformer.safetensors", scratch, qformer_attention)


def write_attention(reference, path, scratch, connector_attention):
    tensors = {}
    for case in (case for case in CASES if case.name in NAMES[path.name]):
        hub = Path(scratch) / case.name
        checkpoint.build(reference, case, hub)
        folder = Path(__file__).resolve().parents[1] / "cases" / case.name
        model = checkpoint.load(reference, hub, folder / "checkpoint")
        prompted = Prompted(model)
        pixel_values = answer.pixels(reference, model, clip_of(case))
        record, trace = answer.ask(reference, model, case.template, pixel_values, case.questions["plain"])
        prompted.handle.remove()
        known = json.loads((folder / "golden.json").read_text(encoding="utf-8"))["questions"]["plain"]["tokens"]
        assert record["tokens"] == known, case.name
        with CudaMeansCpu():
            looked, logits = language_attention(model, prompted.embeddings, known)
            tensors[f"{case.name}.connector"] = connector_attention(model, trace.features)
        tensors[f"{case.name}.language"] = looked
        tensors[f"{case.name}.probabilities"] = logits.softmax(dim=-1)
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)
    path.chmod(0o644)
