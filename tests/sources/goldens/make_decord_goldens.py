"""Makes decord-rgb.json: what the reference's decoder (decord 0.6.0) makes of a few pictures, every 16th pixel.

Run in this folder, with decord, numpy and ffmpeg installed; not needed to run the tests.
"""

import base64
import json
import subprocess
import tempfile
from pathlib import Path

import decord

CLIP = Path(__file__).parent / "../../media/bunny.mp4"
FRAMES = [0, 60, 124]
STEP = 16
# The same coded pictures, told to be something else: no encoder has a say in it.
TAGS = {
    "untagged": None,
    "bt709-full": "h264_metadata=matrix_coefficients=1:video_full_range_flag=1",
}


def pixels(path):
    reader = decord.VideoReader(str(path))
    return [base64.b64encode(reader[i].asnumpy()[::STEP, ::STEP].tobytes()).decode() for i in FRAMES]


def main():
    clips = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, bitstream_filter in TAGS.items():
            path = Path(folder) / f"{name}.mp4"
            retag = ["-bsf:v", bitstream_filter] if bitstream_filter else []
            subprocess.run(["ffmpeg", "-v", "error", "-i", str(CLIP), "-c", "copy", *retag, str(path)], check=True)
            clips[name] = {"bitstreamFilter": bitstream_filter, "rgb": pixels(path)}
    golden = {"decord": decord.__version__, "frames": FRAMES, "step": STEP, "clips": clips}
    Path("decord-rgb.json").write_text(json.dumps(golden, indent=1) + "\n")


main()
