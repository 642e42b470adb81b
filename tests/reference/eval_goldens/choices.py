"""Answers that a model might give, and what each script's parser makes of them."""

import json
import random

# What to put where `{right}` and the others stand: letters, and the text of the choices.
FORMS = [
    "{right}",
    "{right}.",
    "({right})",
    " {right}\n",
    "{right}. {text}",
    "The answer is ({right}).",
    "The answer is {right}.",
    "I think {wrong} or {right}",
    "I think {right} or {wrong} , no: {wrong} it is",
    "({wrong}) no, ({right}) is it, not ({wrong}) alone",
    "(A) {wrong} but {right} ",
    "It is certainly to be said that {text} is what one sees",
    "one might say {upper} and {other} are both what one sees",
    "{text}",
    "maybe",
    "'{right}'",
    "!?;:,.{right}",
    "{lower}",
    "{lower} is right",
    "because of {right}: yes",
    "\u3000{right}\u00a0",
    "\x1c{right}\x85",
    "\ufeff{right}",
    "🙂 {right} 🙂",
    "no no no no no no no",
    "Answer",
    "one\x1ctwo\u2003three\x85four five six {text}",
]

# Too little to find a letter in: most scripts stop with an error.
EMPTY = ["", " ", ".", "'.'", " , "]


def fill(form, letters, texts, place):
    """One answer, about the choice `place`."""
    right, wrong = letters[place % len(letters)], letters[(place + 1) % len(letters)]
    text, other = str(texts[place % len(texts)]), str(texts[(place + 1) % len(texts)])
    values = {"right": right, "wrong": wrong, "text": text, "other": other, "upper": text.upper(), "lower": right.lower()}
    return form.format(**values)


def odd_answers(count, letters, texts, start):
    """Answers in all forms, in turn."""
    return [fill(FORMS[(start + place) % len(FORMS)], letters, texts, place) for place in range(count)]


LISTS = [
    (["A", "B", "C", "D"], {"A": "red", "B": "green one", "C": "blue", "D": ""}),
    (["A", "B"], {"A": "Yes", "B": "no"}),
    (["A", "B", "C", "D", "E"], {"A": "İ", "B": "Straße", "C": "ΣΑΣ", "D": "the red, one", "E": "🙂"}),
    (["1", "2"], {"1": "red", "2": "green"}),
]


def table(parsers):
    """Rows of choices, answer, and what came out: a letter, `guess`, or `error`; of those parsers that differ."""
    rows = []
    for letters, index2ans in LISTS:
        texts = list(index2ans.values())
        answers = [fill(form, letters, texts, place) for form in FORMS for place in range(len(letters))]
        for answer in [*dict.fromkeys(answers), *EMPTY]:
            row = {"choices": letters, "texts": index2ans, "answer": answer}
            rows.append({**row, **{name: parse(parser, answer, letters, index2ans) for name, parser in parsers.items()}})
    return rows


def parse(parser, answer, letters, index2ans):
    choice = random.choice
    random.choice = lambda choices: "guess"
    try:
        return parser(answer, letters, index2ans)
    except IndexError:
        return "error"
    finally:
        random.choice = choice


def write_rows(path, rows):
    """A list with a row a line."""
    text = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text(f"[\n{text}\n]\n", encoding="utf-8")
