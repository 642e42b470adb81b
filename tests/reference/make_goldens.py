#!/usr/bin/env python3
"""Makes everything under tests/reference/ from the original PyTorch code. See README.md.

    TINYLLAVA_VIDEO=<checkout of TinyLLaVA-Video> python make_goldens.py [--out FOLDER] [--only NAME ...]
    TINYLLAVA_FACTORY=<checkout of TinyLLaVA_Factory> python make_goldens.py [--out FOLDER] [--only NAME ...]
    TINYLLAVA_VIDEO=<...> python make_goldens.py --search NAME [--start SEED] [--tries N]

Names are those of the cases and of the tables; without --only, all that need the reference at hand are made: one process has
one of the two.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["HF_HUB_OFFLINE"] = "1"
sys.dont_write_bytecode = True

from goldens.cases import CASES
from goldens.record import make_case, search_seed
from goldens.reference import REPOSITORIES, is_there, load_reference, steady
from goldens.tables import TABLES


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default=str(Path(__file__).resolve().parent), help="where to write (default: here)")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="cases and tables to make")
    parser.add_argument("--search", metavar="NAME", help="look for a seed for this case and print it")
    parser.add_argument("--start", type=int, default=1, help="the first seed to try")
    parser.add_argument("--tries", type=int, default=2000, help="how many seeds to try")
    return parser.parse_args()


def kind_at_hand():
    """Which of the references the environment names."""
    named = [kind for kind in REPOSITORIES if is_there(kind)]
    if len(named) == 1:
        return named[0]
    sys.exit(f"Set one of {', '.join(repository.variable for repository in REPOSITORIES.values())}.")


def main():
    options = arguments()
    os.umask(0o022)
    steady()
    kind = kind_at_hand()
    reference = load_reference(kind)
    cases = {case.name: case for case in CASES if case.reference == kind}
    with tempfile.TemporaryDirectory() as scratch:
        if options.search:
            print(search_seed(reference, cases[options.search], scratch, options.start, options.tries))
            return
        tables = TABLES[kind]
        for name in options.only or [*cases, *tables]:
            started = time.time()
            if name in cases:
                questions = make_case(reference, cases[name], options.out, scratch)
                gaps = ", ".join(f"{key} {record['smallestGap']}" for key, record in questions.items())
                print(f"{name}: smallest gaps {gaps}", end="")
            else:
                tables[name](reference, Path(options.out), scratch)
                print(name, end="")
            print(f" ({time.time() - started:.1f} s)", flush=True)


if __name__ == "__main__":
    main()
