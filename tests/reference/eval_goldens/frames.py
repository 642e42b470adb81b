"""Which pictures of a video each script takes: rows over many lengths, rates and bounds."""

import random
import types

import torch

from .choices import write_rows
from .stage import index_of
from .streams import PyAv, Stream, decord_reader, picture

RATES = [((25, 1), (1, 12800)), ((30, 1), (1, 15360)), ((30000, 1001), (1, 30000)), ((24000, 1001), (1, 24000))]
RATES += [((24, 1), (1, 600)), ((60, 1), (1, 90000)), ((10, 1), (1, 1000)), ((15, 1), (1, 1000)), ((30000, 1001), (1, 1000))]
SETTINGS = [(16, 16), (-1, 64), (-1, 8), (1, 1), (5, 5), (64, 64)]


def any_stream(chance):
    """A stream with the faults that containers have."""
    rate, time_base = chance.choice(RATES)
    frames = chance.choice([1, 2, 3, 16, 17, 154, chance.randint(1, 400)])
    ticks = int(time_base[1] * rate[1] / rate[0])
    lost = chance.random() < 0.3 and frames > 8
    return Stream(
        frames=frames,
        rate=rate,
        time_base=time_base,
        start=chance.choice([0, 0, 0, 2 * ticks, ticks // 2, -ticks, 7 * ticks]),
        key_every=chance.choice([1, 5, 12, 30, 250]),
        dropped=tuple(sorted(chance.sample(range(1, frames), frames // 6))) if lost else (),
        header_frames=chance.choice([None, None, None, None, 0, frames + 3, max(1, frames - 2)]),
        is_variable=chance.random() < 0.15,
    )


def pyav_rows(module, count=400):
    """Video-MME and MLVU."""
    chance = random.Random(1)
    rows = []
    for _ in range(count):
        stream, (num_frame, max_frame) = any_stream(chance), chance.choice(SETTINGS)
        module.av = PyAv(lambda path, stream=stream: stream)
        taken = [index_of(frame) for frame in module.get_video_frames("video", num_frame, max_frame)]
        rows.append({"stream": stream.written(), "num_frame": num_frame, "max_frame": max_frame, "frames": taken})
    return rows


def segment_rows(module, count=400):
    """MVBench's middles of segments: bound, fps, last frame, first index, number; what comes out."""
    chance = random.Random(2)
    get_index = module.MVBench_dataset.get_index
    rows = []
    for _ in range(count):
        fps = chance.choice([3, 25.0, 30.0, 29.97002997002997, 23.976023976023978, 12.0])
        last = chance.choice([1, 2, 15, 16, 17, chance.randint(1, 500), chance.randint(1, 20000)])
        start = chance.choice([0, 0.5, round(chance.uniform(0, 20), 1)])
        bound = chance.choice([None, (start, start + chance.choice([0.5, 4, round(chance.uniform(1, 60), 2)]))])
        first, number = chance.choice([0, 1]), chance.choice([1, 4, 16, 64])
        taken = get_index(None, bound, fps, last, first, number)
        rows.append({"bound": bound, "fps": fps, "last": last, "first": first, "count": number, "frames": taken.tolist()})
    return rows


def whole_step_rows(module, count=300):
    """LongVideoBench: seconds, fps, most frames; places."""
    chance = random.Random(3)
    rows = []
    for _ in range(count):
        rate = chance.choice(RATES)[0]
        duration = chance.choice([1.0, 8.0, 15, round(chance.uniform(1, 60), 2), round(chance.uniform(60, 900), 3)])
        stream = Stream(frames=int(duration * rate[0] / rate[1]) + 50, rate=rate)
        most = chance.choice([1, 16, 64, 256, duration])
        module.decord.VideoReader = decord_reader(lambda path, stream=stream: stream)
        frames, times = module.load_video("video", duration, max_num_frames=most)
        row = {"fps": stream.rate[0] / stream.rate[1], "duration": duration, "most": most}
        assert times == [index_of(frame) / row["fps"] for frame in frames]
        rows.append({**row, "frames": [index_of(frame) for frame in frames]})
    return rows


def decord_rows(module, count=150):
    """MVBench's AVI and WebM files: frames of the file, its rate, the setting."""
    chance = random.Random(4)
    rows = []
    for _ in range(count):
        stream = Stream(frames=chance.choice([1, 2, 16, chance.randint(1, 600)]), rate=chance.choice(RATES)[0])
        num_frame, max_frame = chance.choice(SETTINGS)
        module.VideoReader = decord_reader(lambda path, stream=stream: stream)
        readers = (module.MVBench_dataset.read_video_avi, module.MVBench_dataset.read_video_webm)
        avi, webm = (seen_by(module, read, ("video",), num_frame, max_frame) for read in readers)
        assert avi == webm
        row = {"total": stream.frames, "fps": stream.rate[0] / stream.rate[1]}
        rows.append({**row, "num_frame": num_frame, "max_frame": max_frame, "frames": avi})
    return rows


def folder_rows(module, count=150):
    """MVBench's folders of pictures: how many there are, the bound, the setting."""
    chance = random.Random(5)
    module.Image = types.SimpleNamespace(open=lambda path: picture(int(path[-9:-4])))
    listdir = module.os.listdir
    rows = []
    for _ in range(count):
        total = chance.choice([1, 2, 3, 20, chance.randint(1, 300)])
        start = round(chance.uniform(0, total / 6), 1)
        bound = (start, round(start + chance.uniform(0.4, total / 2), 1))
        num_frame, max_frame = chance.choice(SETTINGS)
        module.os.listdir = lambda path, total=total: [None] * total
        taken = seen_by(module, module.MVBench_dataset.read_frame, ("folder", bound), num_frame, max_frame)
        module.os.listdir = listdir
        rows.append({"total": total, "bound": bound, "num_frame": num_frame, "max_frame": max_frame, "frames": taken})
    return rows


def seen_by(module, read, arguments, num_frame, max_frame):
    """The pictures that a method of MVBench's data set takes."""
    taken = []

    def process(frame):
        taken.append(index_of(frame))
        return torch.zeros(1)

    dataset = types.SimpleNamespace(num_frames=num_frame, max_num_frames=max_frame, video_processor=process)
    dataset.get_index = lambda *args, **kwargs: module.MVBench_dataset.get_index(None, *args, **kwargs)
    read(dataset, *arguments)
    return taken


def write(folder, scripts):
    mlvu, mme = pyav_rows(scripts["eval_mlvu"]), pyav_rows(scripts["eval_videomme"])
    assert mlvu == mme
    folder.joinpath("frames").mkdir(exist_ok=True)
    write_rows(folder / "frames" / "pyav.json", mme)
    write_rows(folder / "frames" / "segments.json", segment_rows(scripts["eval_mvbench"]))
    write_rows(folder / "frames" / "decord.json", decord_rows(scripts["eval_mvbench"]))
    write_rows(folder / "frames" / "folders.json", folder_rows(scripts["eval_mvbench"]))
    write_rows(folder / "frames" / "whole-steps.json", whole_step_rows(scripts["lvbenchdataset"]))
