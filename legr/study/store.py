"""A study on disk: one folder, read lazily, written atomically.

It does not know how anything in it was computed, and loads without torch: a page opens it in milliseconds.

    study.json            what it is about          ranking.json     the learned map
    structure.json        units, costs and norms    points.json      measured networks
    weights.safetensors   the original network      finetuned/       weights and record of each run
    search.journal        every candidate           jobs/  exports/  checkpoints/
"""

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from legr.errors import StudyError
from legr.files import read_json, write_json
from legr.ranking.budget import BudgetCurve
from legr.ranking.order import Ranker
from legr.ranking.types import Norms, Ranking
from legr.structure.codec import from_dict, to_dict
from legr.structure.types import Keep, Structure
from legr.study.records import FineTuned, Learned, Point, RankingName, StudyInfo

FORMAT = 1


class Study:
    """One study folder. Make one with `Study.open` or `Study.create`."""

    def __init__(self, path: Path, info: StudyInfo) -> None:
        self.path = path
        self.info = info

    # -- open and create ---------------------------------------------------------------------------------------

    @classmethod
    def open(cls, path: Path | str) -> "Study":
        """Open a study folder.

        Raises:
            StudyError: it is not there, damaged, or written by a newer version.
        """
        path = Path(path)
        if not (path / "study.json").is_file():
            raise StudyError(
                f"{path} is not a study: it has no study.json; make one with `python -m legr new --study {path} …`"
            )
        data = _read(path / "study.json")
        if not isinstance(data, dict) or data.get("format", 0) > FORMAT:
            found = data.get("format") if isinstance(data, dict) else None
            raise StudyError(
                f"{path.name} was written by a newer version (format {found}, this one reads {FORMAT}); "
                "update the program"
            )
        try:
            return cls(
                path,
                StudyInfo.from_dict(
                    {**data, "input_shape": tuple(data["input_shape"]), "classes": tuple(data["classes"])}
                ),
            )
        except (KeyError, TypeError) as error:
            raise _damaged(path / "study.json", error) from error

    @classmethod
    def create(cls, path: Path | str, info: StudyInfo, structure: Structure, norms: Norms) -> "Study":
        """Write a new study (all but its weights, which the caller has put there).

        `study.json` is written last: a folder without it is no study, so a crash leaves nothing half-made.

        Raises:
            StudyError: there is a study already.
        """
        path = Path(path)
        if (path / "study.json").exists():
            raise StudyError(f"{path} holds a study already; open it, or choose another folder")
        data = {"structure": to_dict(structure), "norms": [values.tolist() for values in norms.values]}
        write_json(path / "structure.json", data, indent=None)
        write_json(path / "study.json", {"format": FORMAT, **info.to_dict()})
        return cls.open(path)

    def copy_to(self, path: Path) -> "Study":
        """Copy a sample to a folder where it can be worked on; one that is there already is used as it is."""
        if not (path / "study.json").exists():
            partial = path.with_name(f".{path.name}.part")
            shutil.rmtree(partial, ignore_errors=True)
            shutil.copytree(self.path, partial, ignore=shutil.ignore_patterns("jobs", "*.lock"))
            info = replace(self.info, sample=False)
            write_json(partial / "study.json", {"format": FORMAT, **info.to_dict()})
            partial.rename(path)
        return Study.open(path)

    # -- the network -------------------------------------------------------------------------------------------

    @property
    def weights_path(self) -> Path:
        """Weights of the original network."""
        return self.path / "weights.safetensors"

    @cached_property
    def _network(self) -> tuple[Structure, Norms]:
        data = _read(self.path / "structure.json")
        try:
            norms = Norms(tuple(np.array(values, dtype=np.float64) for values in data["norms"]))
            return from_dict(data["structure"]), norms
        except (KeyError, TypeError, ValueError) as error:
            raise _damaged(self.path / "structure.json", error) from error

    @property
    def structure(self) -> Structure:
        """Units and costs of the network."""
        return self._network[0]

    @property
    def norms(self) -> Norms:
        """Filter norms of the original network."""
        return self._network[1]

    # -- rankings ----------------------------------------------------------------------------------------------

    @cached_property
    def ranker(self) -> Ranker:
        """Ranks this network."""
        return Ranker(self.structure, self.norms)

    @property
    def learned(self) -> Learned | None:
        """The learned map, or None before the search has finished once."""
        path = self.path / "ranking.json"
        if not path.exists():
            return None
        try:
            learned = Learned.from_dict(_read(path))
            _ = learned.affine
        except (TypeError, ValueError) as error:
            raise _damaged(path, error) from error
        return learned

    def save_learned(self, learned: Learned) -> None:
        """Store a learned map; the slider uses it from now on."""
        write_json(self.path / "ranking.json", {"format": FORMAT, **learned.to_dict()})

    @property
    def default_ranking(self) -> RankingName:
        """The learned ranking where there is one, else the identity."""
        return "learned" if (self.path / "ranking.json").exists() else "identity"

    def ranking_id(self, name: str) -> str:
        """Which learned map a measured point belongs to; "" for rankings that never change."""
        learned = self.learned if name == "learned" else None
        return _digest(np.array([learned.alpha, learned.kappa])) if learned else ""

    def ranking(self, name: RankingName | None = None) -> Ranking:
        """The order of removal under a ranking; None is the default one.

        Raises:
            StudyError: "learned" is asked for and nothing has been learned.
        """
        name = name or self.default_ranking
        if name == "uniform":
            return self.ranker.rank_uniform()
        if name == "identity":
            return self.ranker.rank()
        learned = self.learned
        if learned is None:
            raise StudyError(
                f"{self.path.name} has no learned ranking yet; run `python -m legr learn --study {self.path}`"
            )
        return self.ranker.rank(learned.affine)

    def curve(self, name: RankingName | None = None) -> BudgetCurve:
        """The budget curve of a ranking; None is the default one."""
        return BudgetCurve(self.structure, self.ranking(name))

    # -- measured networks -------------------------------------------------------------------------------------

    @property
    def points(self) -> list[Point]:
        """Measured points of the original and of the three rankings as they are now; fine-tuned ones for good."""
        path = self.path / "points.json"
        if not path.exists():
            return []
        try:
            points = [Point.from_dict(item) for item in _read(path)["points"]]
        except (KeyError, TypeError) as error:
            raise _damaged(path, error) from error
        current = self.ranking_id("learned")
        return [p for p in points if p.finetuned or p.ranking != "learned" or p.ranking_id == current]

    def save_points(self, points: Sequence[Point]) -> None:
        """Replace the measured points."""
        write_json(self.path / "points.json", {"format": FORMAT, "points": [p.to_dict() for p in points]})

    def add_point(self, point: Point) -> None:
        """Store one point; another of the same ranking, budget and fine-tuning is replaced."""

        def same(other: Point) -> bool:
            return (other.ranking, other.budget, other.finetuned) == (
                point.ranking,
                point.budget,
                point.finetuned,
            )

        with self.lock("points"):
            self.save_points([*(p for p in self.points if not same(p)), point])

    @property
    def finetuned(self) -> list[FineTuned]:
        """Every finished fine-tuning run, oldest first."""
        runs = []
        for path in sorted((self.path / "finetuned").glob("*.json")):
            try:
                runs.append(FineTuned.from_dict(_read(path)))
            except TypeError as error:
                raise _damaged(path, error) from error
        return sorted(runs, key=lambda run: run.created)

    def best_finetuned(self, keep: Keep) -> FineTuned | None:
        """The run of exactly this kept set that is best on held-out images, or None."""
        runs = [run for run in self.finetuned if run.keep_id == keep_id(keep)]
        return max(runs, key=lambda run: run.heldout_top1, default=None)

    def finetuned_weights(self, key: str) -> Path:
        """Where the weights of a fine-tuning run lie."""
        return self.path / "finetuned" / f"{key}.safetensors"

    def save_finetuned(self, run: FineTuned) -> None:
        """Store the record of a run; its weights are there already."""
        write_json(self.path / "finetuned" / f"{run.key}.json", run.to_dict())

    # -- locks -------------------------------------------------------------------------------------------------

    def lock(self, name: str) -> FileLock:
        """A lock of this study; the system frees it when its process ends, however it ends."""
        return FileLock(self.path / f".{name}.lock")


def keep_id(keep: Keep) -> str:
    """A short name for a kept set."""
    return _digest(np.packbits(keep.units))


def _digest(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:12]


def _read(path: Path) -> Any:
    try:
        return read_json(path)
    except FileNotFoundError as error:
        raise StudyError(
            f"{path.name} is missing from the study {path.parent.name}; restore it or make the study again"
        ) from error
    except (OSError, ValueError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> StudyError:
    return StudyError(
        f"{path.parent.name}/{path.name} cannot be read ({error}); restore the file or remove it and run the step again"
    )
