"""What a Q-Former of the reference's own size is made of: names and shapes, as no checkpoint of that size is kept here."""

import importlib
import json
from types import SimpleNamespace

import torch
from transformers import BertConfig

from .checkpoint import inside
from .hub import write_json
from .reference import import_conditions, versions

BERT = "google-bert/bert-base-uncased"
SIZES = {"num_queries": 32, "vision_hidden_size": 1152, "hidden_size": 2048}


def qformer_shapes(_reference, out, scratch):
    """The class defaults of BertConfig are the configuration of bert-base-uncased."""
    write_json(f"{scratch}/{BERT}/config.json", BertConfig().to_dict())
    with import_conditions():
        qformer = importlib.import_module("tinyllava.model.connector.qformer")
    with inside(scratch), torch.device("meta"):
        connector = qformer.QFormerConnector(SimpleNamespace(**SIZES))
    shapes = {name: list(value.shape) for name, value in sorted(connector.state_dict().items())}
    head = {"versions": versions("factory"), "config": SIZES}
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(shape)}" for name, shape in shapes.items())
    text = json.dumps(head, indent=1)[:-2] + ',\n "shapes": {\n' + lines + "\n }\n}\n"
    (out / "qformer-shapes.json").write_text(text, encoding="utf-8")
