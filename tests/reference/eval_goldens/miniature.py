"""Writes the miniature data sets: a few made-up questions in the files and formats in which each benchmark is published."""

import json
import re
from pathlib import Path

import pyarrow
import pyarrow.parquet

CHOICES = ["The red one.", "The green one, which moves.", "A. blue square. It stands still.", "None of them."]


def write_json(path, value):
    """Lists of numbers stay on one line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(value, indent=1, ensure_ascii=False)
    text = re.sub(r"\[\s+(?=[-\d])[-\d.e,\s]+\]", lambda found: re.sub(r"\s+", " ", found[0]), text)
    path.write_text(text + "\n", encoding="utf-8")


def write_lines(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def video_mme(folder):
    """`videomme/test-00000-of-00001.parquet`; a video has three questions."""
    rows = []
    for number, duration in enumerate(["short", "short", "medium", "long"], 1):
        for part in range(1, 4):
            rows.append(
                {
                    "video_id": f"{number:03}",
                    "duration": duration,
                    "domain": "Knowledge",
                    "sub_category": "Shapes",
                    "url": f"https://www.youtube.com/watch?v=clip-{number}",
                    "videoID": f"clip-{number}",
                    "question_id": f"{number:03}-{part}",
                    "task_type": "Object Recognition",
                    "question": f" Which of the shapes moves{' first' * part}? ",
                    "options": [f"{letter}. {choice}" for letter, choice in zip("ABCD", CHOICES)],
                    "answer": "ABCD"[(number + part) % 4],
                }
            )
    folder.joinpath("videomme").mkdir(parents=True, exist_ok=True)
    table = pyarrow.Table.from_pylist(rows)
    pyarrow.parquet.write_table(table, folder / "videomme" / "test-00000-of-00001.parquet", compression="snappy")


def mvbench(folder, tasks):
    """`json/*.json`, one a task, by the reference's own table of tasks."""
    for place, (name, _, kind, bound) in enumerate(tasks.values()):
        extension = {"video": ".mp4", "video_avi": ".avi", "video_webm": ".webm", "frame": ""}[kind]
        rows = []
        for part in range(3):
            candidates = ["red", "green circle", "the blue square stands still", "nothing", "all"][: 2 + (place + part) % 4]
            row = {
                "video": f"clip-{place}-{part}{extension}",
                "question": f"What moves in part {part}? \n ",
                "candidates": candidates,
                "answer": candidates[(place * part) % len(candidates)] if part != 2 or place % 5 else "something else",
            }
            if bound:
                row.update(start=[0.0, 1.5, 2][part], end=[4.0, 3.7, 60.25][part])
            rows.append(row)
        write_json(folder / "json" / name, rows)


def mlvu(folder, tasks):
    """`json/*.json`, one a task."""
    for place, (name, _, _) in enumerate(tasks.values()):
        rows = []
        for part in range(3 if place else 4):
            candidates = [3, 2, 1, 0] if name == "4_count.json" and part < 2 else ["red", "green", "blue square", "none"]
            rows.append(
                {
                    "video": f"clip-{place}-{part}.mp4",
                    "duration": 5.0 + part,
                    "question": f"Which shape is number {part}?",
                    "candidates": candidates,
                    "answer": candidates[(place + part) % 4],
                    "question_type": name[2:-5],
                }
            )
        write_json(folder / "json" / name, rows)


def long_video_bench(folder):
    """`lvb_val.json` and `subtitles/*.json`, in both of their forms."""
    spoken = [
        {"start": "00:00:00.000", "end": "00:00:01.500", "line": "Here is a red circle."},
        {"start": "00:00:01.500", "end": "00:00:01.900", "line": " It moves to the left, <image> and"},
        {"start": "00:00:02.000", "end": "00:00:04.250", "line": "comes back — naïve 🙂"},
        {"start": "00:01:00.000", "end": "00:01:02.000", "line": "long after the end"},
    ]
    heard = [
        {"timestamp": [12.4, 12.9], "text": "first words"},
        {"timestamp": [11.2, 13], "text": "an end that is a whole number"},
        {"timestamp": [12.0, 13.0], "text": "Question: does anybody listen?"},
        {"timestamp": [13.25, None], "text": "open end"},
    ]
    write_json(folder / "subtitles" / "clip-1_en.json", spoken)
    write_json(folder / "subtitles" / "clip-2_en.json", heard[:2] + heard[3:])
    write_json(folder / "subtitles" / "clip-3_en.json", heard)
    write_json(folder / "subtitles" / "clip-4_en.json", [])
    rows = []
    for number in range(1, 5):
        for part in range(2):
            rows.append(
                {
                    "video_id": f"clip-{number}",
                    "question": "Which shape is seen?" if part == 0 else "Question: which one, then? Question: and why?",
                    "question_wo_referring_query": "Which shape?",
                    "candidates": ["red circle", "green. Really green", "blue square that stands still", "no", "yes"][: 4 + part],
                    "correct_choice": (number + part) % 4,
                    "position": [1, 2],
                    "topic_category": "KS-Knowledge-STEM",
                    "question_category": "S2E",
                    "level": "IntraMoment",
                    "id": f"clip-{number}_{part}",
                    "video_path": f"clip-{number}.mp4",
                    "subtitle_path": f"clip-{number}_en.json",
                    "duration_group": 15,
                    "starting_timestamp_for_subtitles": 0 if number in (1, 4) else 10.25,
                    "duration": [5.0, 4.96, 5, 2.4][number - 1],
                    "view_count": 1,
                }
            )
    write_json(folder / "lvb_val.json", rows)


def mmvu(folder):
    """`validation.json`."""
    prefix = "https://huggingface.co/datasets/yale-nlp/MMVU/resolve/main/videos"
    rows = []
    for number in range(6):
        is_open = number % 3 == 2
        rows.append(
            {
                "id": f"validation_{number}",
                "video": f"{prefix}/Shapes/{number}.mp4",
                "youtube_url": "",
                "question_type": "open-ended" if is_open else "multiple-choice",
                "metadata": {"subject": "Shapes"},
                "question": f"Which shape is number {number}?",
                "choices": {letter: None for letter in "ABCDE"}
                if is_open
                else {"A": "red circle", "B": "green circle", "C": "blue square that stands still", "D": "Ünder", "E": "none"},
                "answer": ["B", "E", "Blue Square", "A", "C", "İstanbul circle"][number],
            }
        )
    write_json(folder / "validation.json", rows)


def write_videos(folder, scripts):
    """All video benchmarks, each in its folder."""
    folder = Path(folder)
    video_mme(folder / "video-mme")
    mvbench(folder / "mvbench", scripts["eval_mvbench"].data_list)
    mlvu(folder / "mlvu", scripts["eval_mlvu"].data_list)
    long_video_bench(folder / "longvideobench")
    mmvu(folder / "mmvu")
