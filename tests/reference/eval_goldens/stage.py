"""Runs the reference's evaluation scripts as they are, with a model, videos and pictures that are made up.

The scripts are imported from a checkout outside of this repository and never copied or edited. What they take from their
surroundings (the loader of checkpoints, decoders, chance) is replaced in their own name space.
"""

import contextlib
import importlib
import io
import os
import random
import sys
import types

import torch
from PIL import Image

from goldens.reference import REPOSITORIES, import_conditions, stand_in

# Modules that the scripts import and that nothing here needs.
UNNEEDED = {
    "cv2": [],
    "decord": ["VideoReader", "cpu"],
    "shortuuid": [],
    "torchvision": ["transforms"],
    "requests": [],
}


def import_scripts(kind, names):
    """The evaluation scripts `names` of `video` or `factory`, as modules by name."""
    repository = REPOSITORIES[kind]
    path = os.environ.get(repository.variable)
    if not path or not os.path.isdir(os.path.join(path, "tinyllava")):
        sys.exit(f"Set {repository.variable} to a checkout of {repository.name} at {repository.commit}.")
    sys.path.insert(0, path)
    sys.modules.update({name: stand_in(name, attributes) for name, attributes in UNNEEDED.items()})
    sys.modules["shortuuid"].uuid = lambda: "made-up"
    sys.modules["decord"].cpu = lambda number: None
    with import_conditions():
        modules = {name: importlib.import_module(f"tinyllava.eval.{name}") for name in names}
    # No number is computed here: a tensor may stay where it is.
    torch.Tensor.cuda = torch.Tensor.to = lambda tensor, *args, **kwargs: tensor
    return modules


class Tokenizer:
    """Nothing is read from its ids; `batch_decode` gives the answer whose place the model has generated."""

    pad_token_id = 0
    bos_token_id = None

    def __init__(self, answers):
        self.answers = answers

    def __call__(self, text):
        return types.SimpleNamespace(input_ids=[1] * len(text))

    def batch_decode(self, ids, skip_special_tokens):
        return [self.answers[int(ids[0, 0])]]


class Model:
    """Generates the place of the question, and notes with which settings it was asked."""

    def __init__(self, seen):
        self.config = types.SimpleNamespace(image_aspect_ratio="square")
        self.settings = []
        self.seen = seen
        # How many pictures had been seen when each question was asked.
        self.seen_at = []

    def to(self, *args, **kwargs):
        return self

    def generate(self, input_ids, **settings):
        # Pictures and ids are not for a file.
        self.seen_at.append(len(self.seen))
        kept = ("do_sample", "max_new_tokens", "num_beams", "top_p")
        self.settings.append({key: settings[key] for key in kept if key in settings})
        return torch.tensor([[len(self.settings) - 1]])


def index_of(picture):
    """The number that a made-up picture carries in its first pixel."""
    if isinstance(picture, Image.Image):
        red, green, blue = picture.getpixel((0, 0))
    else:
        red, green, blue = (int(value) for value in picture.reshape(-1)[:3])
    return red * 65536 + green * 256 + blue


def colour_of(index):
    """The first pixel of a made-up picture."""
    return (index // 65536, index // 256 % 256, index % 256)


def recording_text(base, prompts):
    """The reference's text processor, which also notes what came in and what prompt it made."""

    class TextPreprocess(base):
        def __call__(self, messages, mode="train"):
            result = super().__call__(messages, mode)
            prompts.append({"message": messages[0]["value"], "prompt": result["prompt"]})
            return result

    return TextPreprocess


def recording_pictures(seen):
    """A processor of pictures that notes which came in, and whether as a Pillow image."""

    class Preprocess:
        def __init__(self, image_processor, data_args):
            pass

        def __call__(self, picture):
            seen.append((index_of(picture), isinstance(picture, Image.Image)))
            return torch.zeros(1)

    return Preprocess


@contextlib.contextmanager
def no_chance(notes):
    """`random.choice` takes the last, and the place of the question is noted."""
    choice = random.choice
    random.choice = lambda choices: notes.guesses.append(len(notes.prompts) - 1) or choices[-1]
    try:
        yield
    finally:
        random.choice = choice


def printed(call, *args):
    """What a call prints, line by line."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(io.StringIO()):
        call(*args)
    return output.getvalue().splitlines()


def set_up(module, answers):
    """Puts a made-up model with these answers into a script; returns what is noted while it runs."""
    seen = []
    notes = types.SimpleNamespace(prompts=[], seen=seen, model=Model(seen), guesses=[])
    module.load_pretrained_model = lambda path: (notes.model, Tokenizer(answers), None, 2048)
    if not hasattr(module, "PlainTextPreprocess"):
        module.PlainTextPreprocess = module.TextPreprocess
    module.TextPreprocess = recording_text(module.PlainTextPreprocess, notes.prompts)
    module.VideoPreprocess = module.ImagePreprocess = recording_pictures(notes.seen)
    module.tqdm = lambda items, **kwargs: items
    return notes
