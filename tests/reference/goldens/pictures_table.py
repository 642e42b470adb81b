"""Pictures of many kinds as files, and what Pillow's `convert("RGB")` makes of them, as the Factory's run_tiny_llava.py loads pictures."""

import io

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

from .clip import make_clip

SIZE = (33, 47)


def kinds():
    """(name, picture, how it is saved)."""
    colour = Image.fromarray(make_clip(1, *SIZE, {}, seed=3)[0])
    y, x = np.mgrid[0 : SIZE[0], 0 : SIZE[1]]
    alpha = Image.fromarray(((x * 7 + y * 3) % 256).astype(np.uint8))
    see_through = colour.copy()
    see_through.putalpha(alpha)
    turned = Image.Exif()
    turned[0x112] = 6
    return [
        ("444.jpg", colour, {"quality": 90, "subsampling": 0}),
        ("420.jpg", colour, {"quality": 75}),
        ("progressive.jpg", colour, {"quality": 80, "progressive": True}),
        ("grey.jpg", colour.convert("L"), {"quality": 90}),
        ("cmyk.jpg", colour.convert("CMYK"), {"quality": 95}),
        ("turned.jpg", colour, {"quality": 90, "exif": turned}),
        ("rgb.png", colour, {}),
        ("alpha.png", see_through, {}),
        ("grey-alpha.png", see_through.convert("LA"), {}),
        ("palette.png", colour.convert("P"), {}),
        ("one-bit.png", colour.convert("1"), {}),
        ("lossless.webp", see_through, {"lossless": True}),
        ("lossy.webp", colour, {"quality": 80}),
    ]


def pictures(_reference, out, _scratch):
    """Pairs file.NAME (U8, the bytes) -> rgb.NAME (U8 [H, W, 3])."""
    tensors = {}
    for name, picture, options in kinds():
        file = io.BytesIO()
        picture.save(file, {"jpg": "JPEG", "png": "PNG", "webp": "WEBP"}[name.split(".")[1]], **options)
        tensors[f"file.{name}"] = torch.frombuffer(bytearray(file.getvalue()), dtype=torch.uint8)
        tensors[f"rgb.{name}"] = torch.from_numpy(np.array(Image.open(io.BytesIO(file.getvalue())).convert("RGB")))
    path = out / "pictures.safetensors"
    save_file(tensors, path)
    path.chmod(0o644)
