#!/usr/bin/env python3
"""Makes everything under tests/reference/eval/ from the original evaluation scripts. See eval/README.md.

    TINYLLAVA_VIDEO=<checkout of TinyLLaVA-Video> TINYLLAVA_FACTORY=<checkout of TinyLLaVA_Factory> python make_eval_goldens.py
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["HF_HUB_OFFLINE"] = "1"
sys.dont_write_bytecode = True

VIDEO_SCRIPTS = ["eval_videomme", "eval_mvbench", "eval_mlvu", "eval_mmvu", "eval_lvbench", "lvbenchdataset"]


def video(folder):
    from eval_goldens import choices, frames, video_runs
    from eval_goldens.stage import import_scripts

    scripts = import_scripts("video", VIDEO_SCRIPTS)
    tables = [choices.table({"parsed": scripts[name].parse_multi_choice_response}) for name in VIDEO_SCRIPTS[:-1]]
    # The scripts repeat one function; only LongVideoBench's makes something of an empty answer.
    assert all(table == tables[0] for table in tables[:-1])
    both = zip(tables[0], tables[-1])
    choices.write_rows(folder / "choices.json", [{**row, "longVideoBench": other["parsed"]} for row, other in both])
    frames.write(folder, scripts)
    video_runs.write(folder, scripts)


def factory(folder):
    from eval_goldens import image_runs

    image_runs.write(folder)


PARTS = {"video": video, "factory": factory}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    here = Path(__file__).resolve().parent / "eval"
    parser.add_argument("--out", type=Path, default=here, help="where to write (default: eval/)")
    parser.add_argument("--part", choices=PARTS, help="make only these; both, where none is named, in processes of their own")
    options = parser.parse_args()
    os.umask(0o022)
    options.out.mkdir(parents=True, exist_ok=True)
    if options.part:
        PARTS[options.part](options.out)
        return
    # Both references call their package `tinyllava`: one process has one of them.
    for part in PARTS:
        subprocess.run([sys.executable, __file__, "--out", options.out, "--part", part], check=True)


if __name__ == "__main__":
    main()
