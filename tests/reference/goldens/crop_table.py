"""What CLIP's image processor makes of pictures of many sizes: shortest edge resized, centre cut out."""

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import CLIPImageProcessor

from .clip import make_clip

# (height, width), shortest edge, side of the square. In the last two some edges are shorter than the square.
CROPS = [((53, 37), 30, 30), ((16, 90), 30, 30), ((41, 40), 24, 20), ((200, 7), 40, 40), ((31, 31), 31, 28), ((173, 101), 48, 33), ((27, 48), 20, 26), ((40, 21), 12, 28)]


def crop(_reference, out, _scratch):
    """Pairs input.N -> output.N, uint8 [H, W, 3], and sizes [N, 2]: shortest edge and side."""
    tensors = {"sizes": torch.tensor([[edge, side] for _, edge, side in CROPS], dtype=torch.int32)}
    for index, ((height, width), edge, side) in enumerate(CROPS):
        image = make_clip(1, height, width, {}, seed=20 + index)[0]
        processor = CLIPImageProcessor(size={"shortest_edge": edge}, crop_size={"height": side, "width": side})
        made = processor(torch.from_numpy(image).permute(2, 0, 1), return_tensors="np", do_rescale=False, do_normalize=False)["pixel_values"][0]
        tensors[f"input.{index}"] = torch.from_numpy(image)
        tensors[f"output.{index}"] = torch.from_numpy(made.astype(np.uint8)).permute(1, 2, 0).contiguous()
    path = out / "crop.safetensors"
    save_file(tensors, path)
    path.chmod(0o644)
