"""Makes checkpoints with the reference's own classes and its own way of saving them."""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import torch

from . import hub as hubs
from .reference import CudaMeansCpu
from .weights import fill


@contextmanager
def inside(folder):
    """Runs with `folder` as the working directory, so that relative hub names resolve there."""
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def build(reference, case, hub, seed=None):
    """A model as the reference's train.py makes it, with lively random weights rounded to the case's type."""
    os.makedirs(hub, exist_ok=True)
    llm = hubs.write_llm(hub, case.llm, case.text)
    tower = hubs.write_tower(hub, case.tower, case.vision, case.processor)
    tower2 = hubs.write_tower(hub, case.tower2, case.vision2, {}) if case.tower2 else ""
    for name, config in case.bases.items():
        hubs.write_json(Path(hub) / name / "config.json", config)
    arguments = SimpleNamespace(
        model_name_or_path=llm,
        tokenizer_name_or_path=None,
        vision_tower=case.tower_prefix + tower,
        vision_tower2=tower2,
        connector_type=case.connector,
        mm_vision_select_layer=case.feature_layer,
        mm_vision_select_feature=case.strategy,
        image_aspect_ratio=case.aspect,
        resampler_hidden_size=768,
        num_queries=case.queries,
        group=case.group,
        num_resampler_layers=case.resampler_layers,
        model_max_length=case.max_length,
        tokenizer_padding_side="right",
        tokenizer_use_fast=False,
    )
    with inside(hub):
        config = reference.Config()
        config.load_from_config(arguments)
        model = reference.Model(config)
    finish_config(model, case)
    fill(model, case.seed if seed is None else seed, len(model.tokenizer), case.dtype)
    return model.eval()


def finish_config(model, case):
    """What the reference sets on the config between creating the model and saving it."""
    model.config.text_config.torch_dtype = case.dtype
    model.config.pad_token = model.tokenizer.pad_token
    model.config.pad_token_id = model.tokenizer.pad_token_id
    model.config.tune_type_connector = "full"
    model.config.tune_type_llm = "full"
    model.config.tune_type_vision_tower = "frozen"
    model.config.tune_vision_tower_from_layer = 0
    model.config.image_aspect_ratio = case.aspect
    model.config.use_cache = True


def save(model, case, hub, folder):
    """Tokenizer, then config and weights, in the case's type; the image processor's numbers where the case has its own."""
    model.tokenizer.save_pretrained(folder)
    model.to(case.dtype).save_pretrained(folder, max_shard_size=case.shard or "5GB")
    if case.processor:
        shutil.copy(Path(hub) / hubs.TOWERS[case.tower].name / "preprocessor_config.json", folder)


def load(reference, hub, folder):
    """The saved checkpoint through the reference, in float32 as its evaluation runs it."""
    folder = os.path.abspath(folder)
    with inside(hub):
        model = reference.Model.from_pretrained(folder).eval()
    if model.dtype != torch.float32:
        raise RuntimeError(f"expected the reference to load as float32, got {model.dtype}")
    return model


def run_on_cpu():
    """The context in which the reference's cuda literals mean the CPU."""
    return CudaMeansCpu()
