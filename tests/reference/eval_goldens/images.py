"""Writes the miniature image data sets, in the files that the Factory's scripts read."""

from .miniature import write_json, write_lines

SHORT = "Answer the question using a single word or phrase."


def question_lines(count, image, text, **more):
    """`question_id`, `image` and `text`, as LLaVA's question files have them."""
    rows = []
    for number in range(count):
        extra = {key: value(number) for key, value in more.items()}
        rows.append({"question_id": 1000 + number, "image": image.format(number), "text": text.format(number), **extra})
    return rows


def loader_sets(folder):
    """VQAv2, GQA, MME and MM-Vet: only questions, their answers are scored elsewhere."""
    vqav2 = question_lines(6, "COCO_test2015_{:012}.jpg", "How many shapes in picture {}?\n" + SHORT)
    write_lines(folder / "vqav2" / "llava_vqav2_mscoco_test-dev2015.jsonl", vqav2)
    more = [*vqav2, {"question_id": 7, "image": "COCO_test2015_000000000007.jpg", "text": "Not in this split?\n" + SHORT}]
    write_lines(folder / "vqav2" / "llava_vqav2_mscoco_test2015.jsonl", more)
    gqa = question_lines(6, "n{}.jpg", "Is shape {} red?\n" + SHORT)
    write_lines(folder / "gqa" / "llava_gqa_testdev_balanced.jsonl", [{**row, "question_id": str(row["question_id"])} for row in gqa])
    mme = question_lines(4, "existence/{:06}.jpg", " Is there a circle in picture {}? Please answer yes or no.\n" + SHORT)
    named = [{**row, "question_id": row["image"], "category": "existence"} for row in mme]
    write_lines(folder / "MME" / "llava_mme.jsonl", named)
    vet = question_lines(3, "v1_{}.png", "What is shown in <image> {}, and why?", category=lambda number: "mm-vet")
    write_lines(folder / "mm-vet" / "llava-mm-vet.jsonl", [{**row, "question_id": number} for number, row in enumerate(vet)])


OCR = "Reference OCR token: STOP, 42\n"

TEXTS = [
    ("What does sign {} say?", "What does sign {} say?\n" + OCR + SHORT),
    ("What NUMBER is {}?", "What NUMBER is {}?\n" + SHORT),
    ("Which brand is {}?", OCR + "Which brand is {}?\n" + SHORT),
    ("What is the word {}?", "OCR tokens: A, B Question: What is the word {}? Short answer: "),
]


def text_vqa(folder):
    questions, annotations = [], []
    for number in range(12):
        plain, text = TEXTS[number % 4]
        row = {"question_id": f"image-{number // 4}", "image": f"image-{number // 4}.jpg", "text": text.format(number)}
        questions.append(row)
        answers = (["stop"] * (number % 5) + ["Stop sign.", "42", "forty two", "the stop", "STOP!", "4.2", "dont", "don't", "a", "two"])[:10]
        annotations.append({"image_id": row["question_id"], "question": plain.format(number), "answers": answers})
    write_lines(folder / "textvqa" / "llava_textvqa_val_v051_ocr.jsonl", questions)
    write_json(folder / "textvqa" / "TextVQA_0.5.1_val.json", {"dataset_type": "val", "data": annotations})


def pope(folder):
    categories = ["adversarial", "popular", "random"]
    questions = question_lines(
        21, "COCO_val2014_{:012}.jpg", "Is there a shape {} in the image?\n" + SHORT, category=lambda number: categories[number * 2 % 3]
    )
    write_lines(folder / "pope" / "llava_pope_test.jsonl", questions)
    for category in categories:
        mine = [row for row in questions if row["category"] == category]
        labels = [{**row, "label": "yes" if row["question_id"] % 4 < 2 else "no"} for row in mine]
        write_lines(folder / "pope" / "coco" / f"coco_pope_{category}.json", labels)


def science_qa(folder):
    problems, questions = {}, []
    for number in range(1, 13):
        choices = ["red", "green", "blue", "none", "all"][: 2 + number % 4]
        has_image = number % 3 != 0
        problems[str(number)] = {"choices": choices, "answer": number % len(choices), "image": "image.png" if has_image else None}
        text = f"Which shape is number {number}?\nA. red\nB. green"
        row = {"id": str(number), "conversations": [{"from": "human", "value": f"<image>\n{text}" if has_image else text}]}
        row["conversations"].append({"from": "gpt", "value": "The answer is A."})
        questions.append({**row, "image": f"{number}/image.png"} if has_image else row)
    write_json(folder / "scienceqa" / "llava_test_CQM-A.json", questions)
    write_json(folder / "scienceqa" / "problems.json", {**problems, "99": {"choices": ["a", "b"], "answer": 0}})
    write_json(folder / "scienceqa" / "pid_splits.json", {"train": ["99"], "test": [str(number) for number in range(12, 0, -1)]})


def mmmu(folder):
    questions = []
    for number in range(8):
        is_open = number % 4 == 3
        row = {
            "id": f"validation_Shapes_{number}",
            "question_type": "short-answer" if is_open else "multiple-choice",
            "prompt": f"Which is number {number}? Answer.",
            "answer": "B",
        }
        if number % 3 != 2:
            row["image"] = f"{row['id']}.png"
        if not is_open:
            row["all_choices"] = ["A", "B", "C", "D"]
            row["index2ans"] = {"A": "red circle", "B": "green", "C": "blue square that stands", "D": "none"}
        questions.append(row)
    write_json(folder / "MMMU" / "anns_for_eval.json", questions)


def write_images(folder):
    for write in (loader_sets, text_vqa, pope, science_qa, mmmu):
        write(folder)
