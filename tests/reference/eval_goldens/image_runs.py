"""Runs the Factory's scripts over the miniature data: prompts, result files, conversions and scores."""

import json
import runpy
import sys
import tempfile
import types
from pathlib import Path

from .choices import LISTS, odd_answers, table, write_rows
from .images import write_images
from .miniature import write_json
from .stage import import_scripts, no_chance, printed, set_up
from .streams import picture

SCRIPTS = ["model_vqa", "model_vqa_loader", "model_vqa_pope", "model_vqa_science", "model_vqa_mmmu", "eval_textvqa", "m4c_evaluator"]

# Script, question file, template and further arguments, as in scripts/eval/*.sh.
SETS = {
    "vqav2": ("model_vqa_loader", "vqav2/llava_vqav2_mscoco_test-dev2015.jsonl", {}),
    "gqa": ("model_vqa_loader", "gqa/llava_gqa_testdev_balanced.jsonl", {}),
    "mme": ("model_vqa_loader", "MME/llava_mme.jsonl", {}),
    "textvqa": ("model_vqa_loader", "textvqa/llava_textvqa_val_v051_ocr.jsonl", {}),
    "pope": ("model_vqa_pope", "pope/llava_pope_test.jsonl", {}),
    "mm-vet": ("model_vqa", "mm-vet/llava-mm-vet.jsonl", {}),
    "sqa": ("model_vqa_science", "scienceqa/llava_test_CQM-A.json", {"single_pred_prompt": True}),
    "mmmu": ("model_vqa_mmmu", "MMMU/anns_for_eval.json", {}),
}

WORDS = ["Two.", "2", "a Stop sign", "STOP!", "Dont", "The answer is forty-two, 4.2", "no", "Yes", "it is not. Yes", "No, it isn't", ""]
SCIENCE = ["A", "B. green", "The answer is C.", "The answer is A. The answer is B.", "D", "a", "E", "C", "B.", "The answer is Dx"]
PROCESSED = ["1,000 dollars", "a. b.c .5 5. " + "x. " * 40, "men's", "-5 -a a- b", "(left) right", "\u0663.\u0664 \u0663. x", "one\x1ctwo\u2003The", "İs", "what?!"]


def answers_for(name, questions, start):
    if name == "sqa":
        return [SCIENCE[(start + place) % len(SCIENCE)] for place in range(len(questions))]
    if name == "mmmu":
        return [odd_answers(1, list("ABCD"), list(LISTS[0][1].values()), start + place)[0] for place in range(len(questions))]
    return [WORDS[(start + place) % len(WORDS)] for place in range(len(questions))]


def run_set(scripts, name, folder, scratch, answers):
    """One script over one question file: what is noted, and the lines of its answers file."""
    script, question_file, more = SETS[name]
    module = scripts[script]
    notes = set_up(module, answers)
    module.Image = types.SimpleNamespace(open=lambda path: picture(0))
    if not hasattr(module, "plain_loader") and hasattr(module, "create_data_loader"):
        module.plain_loader = module.create_data_loader
        module.create_data_loader = lambda *args: module.plain_loader(*args, num_workers=0)
    answers_file = Path(scratch) / "answers" / f"{name}.jsonl"
    module.args = types.SimpleNamespace(
        model_path="hub/tiny-model",
        model_base=None,
        question_file=str(folder / question_file),
        image_folder="pictures",
        answers_file=str(answers_file),
        conv_mode="phi",
        num_chunks=1,
        chunk_idx=0,
        temperature=0,
        top_p=None,
        num_beams=1,
        max_new_tokens=128,
        **more,
    )
    with no_chance(notes):
        printed(module.eval_model, module.args)
    notes.lines = [json.loads(line) for line in answers_file.read_text().splitlines()]
    notes.answers_file = answers_file
    return notes


def run_script(path, *arguments):
    """Runs a script that has no functions as from the command line; gives what it printed."""
    before = sys.argv
    sys.argv = [str(path), *map(str, arguments)]
    try:
        return printed(lambda: runpy.run_path(str(path), run_name="__main__"))
    finally:
        sys.argv = before


def scored(root, name, folder, notes, scratch):
    """What the scripts behind make of an answers file: printed lines, and files."""
    source, made = notes.answers_file, Path(scratch) / "made.json"
    if name == "pope":
        arguments = ["--annotation-dir", folder / "pope" / "coco", "--question-file", folder / "pope" / "llava_pope_test.jsonl"]
        return {"printed": run_script(root / "tinyllava/eval/eval_pope.py", *arguments, "--result-file", source)}
    if name == "sqa":
        output = Path(scratch) / "output.json"
        arguments = ["--base-dir", folder / "scienceqa", "--result-file", source, "--output-file", output, "--output-result", made]
        lines = run_script(root / "tinyllava/eval/eval_science_qa.py", *arguments)
        return {"printed": lines, "file": json.loads(made.read_text())}
    if name == "gqa":
        run_script(root / "scripts/convert_gqa_for_eval.py", "--src", source, "--dst", made)
    elif name == "mm-vet":
        run_script(root / "scripts/convert_mmvet_for_eval.py", "--src", source, "--dst", made)
    elif name == "mmmu":
        run_script(root / "scripts/convert_answer_to_mmmu.py", "--answers-file", source, "--answers-output", made)
    elif name == "vqav2":
        merged = folder / "vqav2" / "answers" / "split" / "model" / "merge.jsonl"
        merged.parent.mkdir(parents=True, exist_ok=True)
        merged.write_text(source.read_text())
        run_script(root / "scripts/convert_vqav2_for_submission.py", "--dir", folder / "vqav2", "--ckpt", "model", "--split", "split")
        made = folder / "vqav2" / "answers_upload" / "split" / "model.json"
    else:
        return {}
    return {"file": json.loads(made.read_text())}


def golden(scripts, root, name, folder, scratch):
    count = len(run_set(scripts, name, folder, scratch, ["A"] * 99).lines)
    runs = []
    for start in (0, 3, 8):
        answers = answers_for(name, range(count), start)
        notes = run_set(scripts, name, folder, scratch, answers)
        # MMMU's script writes all questions into each line.
        lines = [{**line, "prompt": None} if name == "mmmu" else line for line in notes.lines]
        run = {"answers": answers, "guessed": notes.guesses, "lines": lines, **scored(root, name, folder, notes, scratch)}
        if name == "textvqa":
            file = folder / "textvqa" / "TextVQA_0.5.1_val.json"
            run["printed"] = printed(scripts["eval_textvqa"].eval_single, str(file), str(notes.answers_file))
        runs.append(run)
    return {"generate": notes.model.settings[0], "asked": notes.prompts, "runs": runs}


def write(folder):
    scripts = import_scripts("factory", SCRIPTS)
    root = Path(scripts["model_vqa"].__file__).parents[2]
    rows = table({"parsed": scripts["model_vqa_mmmu"].parse_multi_choice_response})
    write_rows(folder / "choices-mmmu.json", rows)
    processor = scripts["m4c_evaluator"].EvalAIAnswerProcessor()
    words = [*processor.CONTRACTIONS, *processor.CONTRACTIONS.values(), *processor.NUMBER_MAP, *WORDS, *PROCESSED]
    words += [f"a{mark}b {mark}c {mark} d" for mark in processor.PUNCTUATIONS] + [f"a{mark}b" for mark in processor.PUNCTUATIONS]
    write_rows(folder / "words.json", [[word, processor(word)] for word in dict.fromkeys(words)])
    write_images(folder / "data")
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch) / "data"
        write_images(data)
        for name in SETS:
            write_json(folder / f"{name}.json", golden(scripts, root, name, data, scratch))
