#!/usr/bin/env python3
"""Makes eval/frames/files.json: which pictures the reference's reader takes of real files, through PyAV itself.

    TINYLLAVA_VIDEO=<checkout of TinyLLaVA-Video> python make_file_goldens.py    (in this folder; needs PyAV 13.1 and ffmpeg)

The files are made from tests/media/bunny.mp4 by the options that tests/eval/frames.test.ts and tests/sources/helpers/media.ts have. None has
open groups of pictures: there the script finds other pictures, loses the last one or never ends, as the decoder has it.
"""

import json
import subprocess
import sys
import tempfile
import types
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import av

from eval_goldens.stage import import_scripts

BUNNY = str(HERE.parents[1] / "media" / "bunny.mp4")
H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "12", "-bf", "2"]
RECIPES = {
    "bunny.mp4": ["-i", BUNNY, "-c", "copy"],
    "film.mp4": ["-i", BUNNY, "-vf", "fps=30000/1001", *H264],
    "late.mp4": ["-itsoffset", "0.5", "-i", BUNNY, "-c", "copy", "-use_editlist", "0", "-avoid_negative_ts", "disabled"],
    "empty-edit.mp4": ["-itsoffset", "0.5", "-i", BUNNY, "-c", "copy"],
    "edit-list.mp4": ["-ss", "1.37", "-i", BUNNY, "-c", "copy"],
    "vfr.mp4": ["-i", BUNNY, "-vf", "select='not(mod(n,7))+not(mod(n,3))+between(n,40,70)'", "-fps_mode", "passthrough", "-enc_time_base", "1/90000", *H264],
    "matroska.mkv": ["-i", BUNNY, "-vf", "fps=30000/1001", *H264],
    "mpeg4.avi": ["-i", BUNNY, "-c:v", "mpeg4", "-g", "12", "-an"],
}
SETTINGS = [(16, 16), (-1, 64), (-1, 2), (1, 1), (5, 5), (200, 200)]


class Times:
    """PyAV, whose pictures come as their timestamps."""

    @staticmethod
    def open(path):
        container = av.open(path)
        decode = container.decode
        proxy = types.SimpleNamespace(streams=container.streams, seek=container.seek)
        proxy.decode = lambda **which: (
            types.SimpleNamespace(pts=frame.pts, to_image=lambda time=frame.pts: time) for frame in decode(**which)
        )
        return proxy


def main():
    module = import_scripts("video", ["eval_videomme"])["eval_videomme"]
    module.av = Times
    golden = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, options in RECIPES.items():
            path = str(Path(folder) / name)
            subprocess.run(["ffmpeg", "-v", "error", "-y", *options, path], check=True)
            times = [frame.pts for frame in av.open(path).decode(video=0)]
            golden[name] = []
            for number, most in SETTINGS:
                try:
                    taken = [times.index(time) for time in module.get_video_frames(path, number, most)]
                except TypeError as error:
                    # Matroska tells no length of a track, which the script needs for one picture a second.
                    print(name, number, most, error)
                    continue
                golden[name].append({"num_frame": number, "max_frame": most, "frames": taken})
    lines = [f'"{name}": [\n' + ",\n".join(f" {json.dumps(row)}" for row in rows) + "\n]" for name, rows in golden.items()]
    (HERE.parent / "eval" / "frames" / "files.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


main()
