"""Imports the original code and makes it run on a CPU.

There are two: TinyLLaVA-Video for clips, TinyLLaVA_Factory for pictures. Each is found through an environment variable and is
never copied or edited. Both call their package `tinyllava`, so one process has one of them.
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


@dataclasses.dataclass(frozen=True)
class Repository:
    """Where one of the references comes from."""

    variable: str
    name: str
    commit: str


REPOSITORIES = {
    "video": Repository("TINYLLAVA_VIDEO", "ZhangXJ199/TinyLLaVA-Video", "2f02c97"),
    "factory": Repository("TINYLLAVA_FACTORY", "TinyLLaVA/TinyLLaVA_Factory", "53f12c7"),
}

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


def is_there(kind):
    """Whether the environment says where this reference is."""
    return bool(os.environ.get(REPOSITORIES[kind].variable))


def load_reference(kind):
    """Imports the packages of `video` or `factory` and returns the names the goldens need, as one namespace."""
    repository = REPOSITORIES[kind]
    path = os.environ.get(repository.variable)
    if not path or not os.path.isdir(os.path.join(path, "tinyllava")):
        sys.exit(f"Set {repository.variable} to a checkout of {repository.name} at {repository.commit}.")
    sys.path.insert(0, path)
    with import_conditions():
        import tinyllava.data as data
        import tinyllava.model as model
        import tinyllava.utils as utils
    reference = types.SimpleNamespace(
        kind=kind,
        Config=model.TinyLlavaConfig,
        Model=model.TinyLlavaForConditionalGeneration,
        TextPreprocess=data.TextPreprocess,
        Message=utils.Message,
        KeywordsStoppingCriteria=utils.KeywordsStoppingCriteria,
        image_marker=utils.DEFAULT_IMAGE_TOKEN,
    )
    {"video": add_video, "factory": add_factory}[kind](reference)
    return reference


def add_video(reference):
    """What only TinyLLaVA-Video has."""
    with import_conditions():
        from tinyllava.data import VideoPreprocess
        from tinyllava.model.connector.groupresampler import PositionalEncoding
    reference.VideoPreprocess = VideoPreprocess
    reference.PositionalEncoding = PositionalEncoding


def add_factory(reference):
    """What only TinyLLaVA_Factory has."""
    with import_conditions():
        from tinyllava.data.image_preprocess import ImagePreprocess
        from tinyllava.model.llm import openelm
    reference.ImagePreprocess = ImagePreprocess
    reference.openelm = openelm
    # The base model's repository brings its own, and the Factory runs that code.
    transformers.AutoConfig.register("openelm", openelm.OpenELMConfig)


class CudaMeansCpu(TorchFunctionMode):
    """Turns the reference's `device='cuda'` literals into `device='cpu'` while it runs."""

    def __torch_function__(self, function, kinds, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if kwargs.get("device") == "cuda":
            kwargs["device"] = "cpu"
        return function(*args, **kwargs)


def versions(kind="video"):
    """What the goldens were made with."""
    packages = ["torch", "transformers", "tokenizers", "numpy", "pillow", "safetensors", "einops", "einops_exts", "regex"]
    repository = REPOSITORIES[kind]
    found = {"python": platform.python_version(), repository.name.split("/")[1]: repository.commit}
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
