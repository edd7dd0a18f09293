"""`python -m tests.fuzz --mutants 5000 --seed 0`: many mutants of every file that the program reads."""

import argparse
import logging
import os
import tempfile
import time
import warnings
from pathlib import Path


def main() -> int:
    """Run, and print what was wrong; 1 where anything was."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutants", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--study", type=Path, default=Path("samples/digits-resnet20"))
    parser.add_argument("--light", action="store_true", help="without weights and exports, which take longest")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        places = {"LEGR_DATA": "data", "LEGR_CACHE": "cache", "LEGR_STUDIES": "studies", "LEGR_CONFIG": "legr.toml"}
        os.environ |= {variable: str(folder / place) for variable, place in places.items()}
        from tests.fuzz.places import make_places
        from tests.fuzz.run import run

        start = time.monotonic()
        tally = run(make_places(folder, given.study, torch=not given.light), given.mutants, given.seed)
    for text in tally.wrong:
        print(text)
    print(f"{tally.mutants} mutants in {time.monotonic() - start:.0f} s: {tally.said} sentences, {dict(tally.kinds)}")
    return 1 if tally.wrong else 0


raise SystemExit(main())
