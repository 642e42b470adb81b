"""Runs the scripts of the video benchmarks over the miniature data: prompts, pictures, predictions and scores."""

import json
import os
import sys
import tempfile
import types
from pathlib import Path

import pandas

from .choices import odd_answers
from .miniature import write_json, write_videos
from .stage import no_chance, printed, set_up
from .streams import PyAv, Stream, decord_reader, encoded_video, picture

# How long made-up videos are, in turn: whole seconds and odd ones, late first pictures, lost pictures.
STREAMS = [
    Stream(frames=125),
    Stream(frames=154, rate=(30000, 1001), time_base=(1, 30000)),
    Stream(frames=61, rate=(24, 1), time_base=(1, 12288), start=1024, key_every=7),
    Stream(frames=10, rate=(10, 1), time_base=(1, 10240)),
    Stream(frames=200, rate=(50, 1), time_base=(1, 90000), dropped=(8, 9, 60, 199), key_every=25),
    Stream(frames=97, rate=(25, 1), is_variable=True),
]

# LongVideoBench tells the length itself, and a picture behind the end would end its script without a word.
LONG_STREAMS = [Stream(frames=300, rate=rate) for rate in ((25, 1), (30000, 1001), (24, 1), (50, 1))]

# `num_frame` and `max_frame`: as in the reference's scripts, and one frame a second.
SETTINGS = [(16, 16), (-1, 64), (-1, 2), (3, 3)]

# Pictures in a folder of a video that is stored so.
FOLDER_FRAMES = 25


class Videos:
    """Says which made-up video stands behind a path, and remembers it."""

    def __init__(self, folder, streams):
        self.folder = folder
        self.choice = streams
        self.streams = {}

    def find(self, path):
        name = os.path.relpath(path, self.folder)
        return self.streams.setdefault(name, self.choice[len(self.streams) % len(self.choice)])

    def written(self):
        return {name: stream.written() for name, stream in self.streams.items()}


class Benchmark:
    """How one script is run."""

    def __init__(self, script, data, arguments, samples, score_lines, streams=STREAMS):
        self.script, self.data, self.arguments, self.streams = script, data, arguments, streams
        # Of each question in the script's order: letters, texts of the choices, the right answer.
        self.samples = samples
        # Which printed lines tell the score.
        self.score_lines = score_lines

    def run(self, videos, answers, setting, folder):
        module = self.script
        notes = set_up(module, answers)
        module.av = PyAv(videos.find)
        # LongVideoBench's data set imports it anew for each video.
        module.VideoReader = sys.modules["decord"].VideoReader = decord_reader(videos.find)
        module.EncodedVideo = encoded_video(videos.find)
        answers_file = Path(folder) / "answers" / "answers.jsonl"
        # Video-MME's and LongVideoBench's scripts write none.
        answers_file.unlink(missing_ok=True)
        common = {
            "model_path": "model",
            "conv_mode": "qwen2_base",
            "temperature": 0,
            "num_beams": 1,
            "num_chunks": 1,
            "chunk_idx": 0,
            "num_frame": setting[0],
            "max_frame": setting[1],
            "answers_file": str(answers_file),
        }
        with no_chance(notes):
            lines = printed(module.eval_model, types.SimpleNamespace(**common, **self.arguments))
        notes.predicted = [line.removeprefix("pred_ans: ") for line in lines if line.startswith("pred_ans: ")]
        notes.printed = [line for line in lines if line.startswith(tuple(self.score_lines))][-len(self.score_lines) :]
        notes.file = [json.loads(line) for line in answers_file.read_text().splitlines()] if answers_file.exists() else None
        return notes

    def golden(self, videos, folder):
        """What is asked under each setting, and what each set of answers scores."""
        count = len(self.samples)
        asked = [self.asked(videos, setting, folder, count) for setting in SETTINGS]
        runs = [self.scored(videos, answers, folder) for answers in self.answer_sets()]
        return {"asked": asked, "runs": runs}

    def asked(self, videos, setting, folder, count):
        notes = self.run(videos, ["A"] * count, setting, folder)
        assert len(notes.prompts) == count, (len(notes.prompts), count)
        assert all(settings == notes.model.settings[0] for settings in notes.model.settings)
        parts = [notes.seen[start:end] for start, end in zip([0, *notes.model.seen_at], notes.model.seen_at)]
        pictures = [{"frames": [index for index, _ in part], "isPillow": part[0][1]} for part in parts]
        questions = [{**prompt, **shown} for prompt, shown in zip(notes.prompts, pictures)]
        return {"num_frame": setting[0], "max_frame": setting[1], "generate": notes.model.settings[0], "questions": questions}

    def scored(self, videos, answers, folder):
        notes = self.run(videos, answers, SETTINGS[0], folder)
        return {
            "answers": answers,
            "predicted": notes.predicted,
            "guessed": notes.guesses,
            "printed": notes.printed,
            "file": notes.file,
        }

    def answer_sets(self):
        yield [f"{right}." if place % 3 else "A" for place, (_, _, right) in enumerate(self.samples)]
        for start in (0, 7, 15):
            yield [
                odd_answers(1, letters, texts, start + place)[0] if letters else ODD_TEXTS[(start + place) % len(ODD_TEXTS)]
                for place, (letters, texts, _) in enumerate(self.samples)
            ]


# Answers to open questions whose right ones are `Blue Square` and `İstanbul circle`.
ODD_TEXTS = ["blue square", "It is a Blue Square.", "blue", "", "istanbul circle", "İSTANBUL CIRCLE", " blue square", "green", "circle"]


def video_mme(script, folder, duration):
    file = folder / "videomme" / "test-00000-of-00001.parquet"
    rows = pandas.read_parquet(file)
    rows = rows[rows["duration"] == duration].to_dict(orient="records")
    samples = [(list("ABCD"), [option[3:-1] for option in row["options"]], row["answer"]) for row in rows]
    arguments = {"question_file": str(file), "image_folder": str(folder / "data"), "duration": duration}
    return Benchmark(script, folder, arguments, samples, [f"{duration} Acc: ", f"{duration} num: "])


def tasks(script, folder, arguments, score_lines):
    """MVBench and MLVU: a file a task."""
    samples = []
    for name, *_ in script.data_list.values():
        for row in json.loads((folder / "json" / name).read_text()):
            letters = [chr(ord("A") + place) for place in range(len(row["candidates"]))]
            right = chr(ord("A") + row["candidates"].index(row["answer"])) if row["answer"] in row["candidates"] else "@"
            samples.append((letters, [str(text) for text in row["candidates"]], right))
    return Benchmark(script, folder, {"question_file": str(folder / "json"), **arguments}, samples, score_lines)


def mvbench(script, folder):
    script.Image = types.SimpleNamespace(open=lambda path: picture(int(Path(path).stem)))
    for row in json.loads((folder / "json" / "episodic_reasoning.json").read_text()):
        frames = folder / "video" / "tvqa" / "frames_fps3_hq" / row["video"]
        frames.mkdir(parents=True, exist_ok=True)
        for number in range(1, FOLDER_FRAMES + 1):
            (frames / f"{number:05}.jpg").touch()
    return tasks(script, folder, {"image_folder": str(folder / "video")}, ["Total Acc: "])


def mlvu(script, folder):
    return tasks(script, folder, {"video_folder": str(folder / "video")}, ["Overall  Acc: "])


def mmvu(script, folder):
    samples = []
    for row in json.loads((folder / "validation.json").read_text()):
        is_open = row["question_type"] == "open-ended"
        letters = [] if is_open else list(row["choices"])
        samples.append((letters, list(row["choices"].values()), row["answer"]))
    arguments = {"question_file": str(folder / "validation.json"), "image_folder": str(folder)}
    return Benchmark(script, folder, arguments, samples, ["Total Acc: "])


def long_video_bench(script, folder):
    samples = []
    for row in json.loads((folder / "lvb_val.json").read_text()):
        letters = [chr(ord("A") + place) for place in range(len(row["candidates"]))]
        samples.append((letters, [text[:-1] for text in row["candidates"]], letters[row["correct_choice"]]))
    return Benchmark(script, folder, {"data_folder": str(folder)}, samples, ["val correct: "], LONG_STREAMS)


def write(folder, scripts):
    """The goldens of all video benchmarks; `folder` holds the miniature data."""
    write_videos(folder / "data", scripts)
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch)
        write_videos(data, scripts)
        made = {
            "mvbench": mvbench(scripts["eval_mvbench"], data / "mvbench"),
            "mlvu": mlvu(scripts["eval_mlvu"], data / "mlvu"),
            "mmvu": mmvu(scripts["eval_mmvu"], data / "mmvu"),
            "longvideobench": long_video_bench(scripts["eval_lvbench"], data / "longvideobench"),
        }
        for duration in ("short", "medium", "long"):
            made[f"video-mme-{duration}"] = video_mme(scripts["eval_videomme"], data / "video-mme", duration)
        for name, benchmark in made.items():
            videos = Videos(benchmark.data, benchmark.streams)
            golden = benchmark.golden(videos, scratch)
            write_json(folder / f"{name}.json", {"streams": videos.written(), **golden})
