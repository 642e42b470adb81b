"""Imports the original TinyLLaVA-Video code and makes it run on a CPU.

The reference repository is found through the environment variable TINYLLAVA_VIDEO and is never copied or edited.
"""

import dataclasses
import importlib.machinery
import os
import platform
import sys
import types
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version

import torch
import transformers  # imported before the stand-ins below, so that it never sees them
from torch.overrides import TorchFunctionMode

REFERENCE_COMMIT = "2f02c97"

# Modules the reference imports at the top of files we need, for training or for reading videos only.
UNNEEDED = {
    "peft": [],
    "peft.tuners": [],
    "peft.tuners.lora": ["LoraLayer"],
    "deepspeed": ["zero"],
    "deepspeed.runtime": [],
    "deepspeed.runtime.zero": [],
    "deepspeed.runtime.zero.partition_parameters": ["ZeroParamStatus"],
    "av": [],
    "pytorchvideo": [],
    "pytorchvideo.data": [],
    "pytorchvideo.data.encoded_video": ["EncodedVideo"],
}


def stand_in(name, attributes):
    """An empty module that satisfies `import name` and `from name import attribute`."""
    module = types.ModuleType(name)
    module.__spec__ = importlib.machinery.ModuleSpec(name, None)
    module.__path__ = []
    for attribute in attributes:
        setattr(module, attribute, type(attribute, (), {}))
    return module


plain_dataclass = dataclasses.dataclass


def hashable_dataclass(cls=None, **options):
    """`dataclass` whose instances may be another dataclass's defaults, as before Python 3.11 (the reference needs it)."""
    if cls is None:
        return lambda decorated: hashable_dataclass(decorated, **options)
    made = plain_dataclass(cls, **options)
    if made.__hash__ is None:
        made.__hash__ = object.__hash__
    return made


@contextmanager
def import_conditions():
    """What must hold while the reference is imported, and no longer."""
    names = [name for name in UNNEEDED if name not in sys.modules]
    sys.modules.update({name: stand_in(name, UNNEEDED[name]) for name in names})
    dataclasses.dataclass = hashable_dataclass
    try:
        yield
    finally:
        dataclasses.dataclass = plain_dataclass
        for name in names:
            sys.modules.pop(name, None)


def load_reference():
    """Imports the reference's packages and returns the names the goldens need, as one namespace."""
    path = os.environ.get("TINYLLAVA_VIDEO")
    if not path or not os.path.isdir(os.path.join(path, "tinyllava")):
        sys.exit(f"Set TINYLLAVA_VIDEO to a checkout of ZhangXJ199/TinyLLaVA-Video at {REFERENCE_COMMIT}.")
    sys.path.insert(0, path)
    with import_conditions():
        import tinyllava.data as data
        import tinyllava.model as model
        import tinyllava.utils as utils
        from tinyllava.model.connector.groupresampler import PositionalEncoding
    return types.SimpleNamespace(
        Config=model.TinyLlavaConfig,
        Model=model.TinyLlavaForConditionalGeneration,
        TextPreprocess=data.TextPreprocess,
        VideoPreprocess=data.VideoPreprocess,
        Message=utils.Message,
        KeywordsStoppingCriteria=utils.KeywordsStoppingCriteria,
        PositionalEncoding=PositionalEncoding,
        image_marker=utils.DEFAULT_IMAGE_TOKEN,
    )


class CudaMeansCpu(TorchFunctionMode):
    """Turns the reference's `device='cuda'` literals into `device='cpu'` while it runs."""

    def __torch_function__(self, function, kinds, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if kwargs.get("device") == "cuda":
            kwargs["device"] = "cpu"
        return function(*args, **kwargs)


def versions():
    """What the goldens were made with."""
    packages = ["torch", "transformers", "tokenizers", "numpy", "pillow", "safetensors", "einops", "einops_exts", "regex"]
    found = {"python": platform.python_version(), "TinyLLaVA-Video": REFERENCE_COMMIT}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found


def steady():
    """One thread, no gradients, no chatter: the same numbers on every run."""
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    torch.use_deterministic_algorithms(True)
    transformers.logging.set_verbosity_error()
