"""A study on disk: one folder, read lazily, written atomically. Loads without torch, so a page opens it at once.

study.json            what it is about          ranking.json     the map learned at equal MACs
structure.json        units, costs and norms    ranking-ms.json  and at equal milliseconds
weights.safetensors   the original network      shape.json       constraints of the result
cuts.json             cut before it began       points.json      measured networks; scaled.json: with images of heights
searches/  candidates   finetuned/ supernets/  weights, records   compared/ along/ statistics/ exports/ jobs/ …
"""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from legr.errors import StudyError
from legr.files import write_json
from legr.held import HeldFolder, is_handed_on
from legr.ranking.budget import BudgetCurve
from legr.ranking.constraints import UNCONSTRAINED, Constraints
from legr.ranking.limits import Budget
from legr.ranking.order import Ranker
from legr.ranking.types import Norms, Ranking
from legr.structure.types import Keep, Structure
from legr.study.calibration_choice import CHOICE, read_choice
from legr.study.device_choice import device_of
from legr.study.folder import INFO, StudyFolder
from legr.study.json_file import FORMAT, REMEDY, damaged_file, file_errors, read_record
from legr.study.kept_sets import digest, keep_id, kept_set, packed, with_kept_sets
from legr.study.making import left_out_of_copies, making_study
from legr.study.measured import POINTS, read_points, read_runs, write_points
from legr.study.network_file import NETWORK, WEIGHTS, load_ranker, save_network
from legr.study.records import MAPS, RANKINGS, FineTuned, Learned, Point, RankingName, StudyInfo
from legr.study.shape_file import SHAPE, write_constraints
from legr.training.calibration import PLAIN, Calibration

__all__ = ["Study", "keep_id"]

_SHAPE_REMEDY = "set the shape again, or none with `python -m legr shape --clear`"


class Study(StudyFolder):
    """One study folder. Make one with `Study.open` or `Study.create`."""

    def __init__(self, path: Path, info: StudyInfo, held: HeldFolder | None = None) -> None:
        super().__init__(path, held)
        self.info = info

    # -- open and create ---------------------------------------------------------------------------------------

    @classmethod
    def open(cls, path: Path | str) -> "Study":
        """Open a study folder.

        Raises:
            StudyError: it is not there, damaged, or written by a newer version.
        """
        path = Path(path)
        held = HeldFolder(path) if is_handed_on(path) else None
        if not (path / INFO).is_file():
            name = held.path if held else path
            raise StudyError(
                f"{name} is not a study: it has no study.json; make one with `python -m legr new --study {name} …`"
            )
        return cls(path, read_record(path / INFO, StudyInfo), held)

    @classmethod
    def create(cls, path: Path | str, info: StudyInfo, structure: Structure, norms: Norms) -> "Study":
        """Write a new study (all but its weights, which the caller has put there).

        `study.json` is written last: a folder without it is no study, so a crash leaves none half-made.

        Raises:
            StudyError: there is a study already.
        """
        path = Path(path)
        if (path / INFO).exists():
            raise StudyError(f"{path} holds a study already; open it, or choose another folder")
        save_network(path, structure, norms)
        return cls(path, info).with_info()

    def copy_to(self, path: Path) -> "Study":
        """Copy a sample to a folder where it can be worked on; one that is there already is used as it is."""
        if not (path / INFO).exists():
            try:
                with making_study(path) as folder:
                    shutil.copytree(self.path, folder, ignore=left_out_of_copies, dirs_exist_ok=True)
                    Study(folder, self.info).with_info(sample=False)
            except StudyError:
                if not (path / INFO).exists():  # else another process was faster: its copy is as good
                    raise
        return Study.open(path)

    def mark_as_sample(self) -> "Study":
        """Make this finished study one that is never written again, only copied."""
        return self.with_info(sample=True)

    def with_info(self, **changes: Any) -> "Study":
        """Write changed facts of what the study is about, and open it anew."""
        write_json(self.within(INFO), {"format": FORMAT, **replace(self.info, **changes).to_dict()})
        return Study.open(self.path)

    def require_writable(self) -> None:
        """Refuse to write into a sample.

        Raises:
            StudyError: this is a sample.
        """
        if self.info.sample:
            raise StudyError(f"{self.path.name} is a sample and stays as it is; work on a copy")

    # -- the network -------------------------------------------------------------------------------------------

    @property
    def weights_path(self) -> Path:
        """Weights of the original network."""
        return self.within(WEIGHTS)

    @cached_property
    def ranker(self) -> Ranker:
        """Ranks this network."""
        for name in (NETWORK, WEIGHTS):
            self.within(name)
        return load_ranker(self.folder)

    @property
    def structure(self) -> Structure:
        """Units and costs of the network."""
        return self.ranker.structure

    @property
    def norms(self) -> Norms:
        """Filter norms of the original network."""
        return self.ranker.norms

    @property
    def calibration(self) -> Calibration:
        """What the batch norms of its networks are recalibrated on: as was chosen, else plain images."""
        choice = read_choice(self.within(CHOICE).parent)
        return choice.calibration if choice else PLAIN

    # -- rankings ----------------------------------------------------------------------------------------------

    @property
    def learned(self) -> Learned | None:
        """The learned map of the default ranking, or None before a search has finished once."""
        return self.map_of(self.default_ranking)

    def map_of(self, name: str) -> Learned | None:
        """The learned map of a ranking; None where it has none."""
        path = self.within(MAPS[name]) if name in MAPS else None
        return read_record(path, Learned) if path and path.exists() else None

    def save_learned(self, learned: Learned) -> None:
        """Store a learned map in place of one of the same ranking; the slider uses it from now on."""
        self.require_writable()
        self._note_kept_sets()
        write_json(self.within(MAPS[learned.settings.ranking]), {"format": FORMAT, **learned.to_dict()})

    @property
    def rankings(self) -> list[RankingName]:
        """The rankings that there are."""
        return [name for name in RANKINGS if name not in MAPS or self.within(MAPS[name]).exists()]

    @property
    def default_ranking(self) -> RankingName:
        """A learned ranking where there is one, rather that of a device; else the identity."""
        return self.rankings[0]

    @property
    def constraints(self) -> Constraints:
        """What the user asks of every network of the study, whatever its ranking."""
        path = self.within(SHAPE)
        return read_record(path, Constraints) if path.exists() else UNCONSTRAINED

    def save_constraints(self, constraints: Constraints) -> None:
        """Store constraints in place of those before; none leave no file. Raises as `Constraints.check` does."""
        self.require_writable()
        with self.held():
            self.ranker.rank(constraints=constraints)  # refuses what the network cannot have
            self._note_kept_sets()
            write_constraints(self.within(SHAPE).parent, constraints)

    def ranking_id(self, name: str, constraints: Constraints | None = None) -> str:
        """Which learned map and constraints a measured point belongs to; "" for the original, which never changes.

        Args:
            constraints: None are the study's.
        """
        if name == "original":
            return ""
        return self.id_of_map(self.map_of(name), constraints)

    def id_of_map(self, learned: Learned | None, constraints: Constraints | None = None) -> str:
        """`ranking_id` of a ranking if it had this map; None: it has none."""
        learned_id = digest(np.array([learned.alpha, learned.kappa])) if learned else ""
        return "-".join(filter(None, (learned_id, (constraints or self.constraints).key)))

    def ranking(self, name: RankingName | None = None, constraints: Constraints | None = None) -> Ranking:
        """The order of removal under a ranking and constraints; None are the default one, and the study's.

        Raises:
            StudyError: a learned one is asked for and has not been learned.
        """
        name, constraints = name or self.default_ranking, constraints or self.constraints
        with file_errors(self.within(SHAPE), _SHAPE_REMEDY):
            constraints.check(self.structure)
        if name == "uniform":
            return self.ranker.rank_uniform(constraints)
        if name == "identity":
            return self.ranker.rank(constraints=constraints)
        learned = self.map_of(name)
        if learned is None:
            cost = " --cost latency" if name == "learned-ms" else ""
            raise StudyError(
                f"{self.path.name} has no {name} ranking yet; run `python -m legr learn --study {self.path}{cost}`"
            )
        if learned.layers != tuple(layer.name for layer in self.structure.layers):
            raise damaged_file(self.within(MAPS[name]), "its layers are those of another network", REMEDY)
        return self.ranker.rank(learned.affine, constraints)

    def curve(self, name: RankingName | None = None, budget: Budget | None = None) -> BudgetCurve:
        """The budget curve of a ranking; None is the default one.

        Args:
            budget: that is to be read on it, of which only the device counts here; errors as of `device_of`.
        """
        return BudgetCurve(self.structure, self.ranking(name), device_of(self, self.structure, budget))

    # -- measured networks -------------------------------------------------------------------------------------

    @property
    def points(self) -> list[Point]:
        """Measured points of the original and of the rankings as they are now; fine-tuned ones for good."""
        points, calibration = self.all_points, self.calibration
        current = {name: self.ranking_id(name) for name in {p.ranking for p in points}}
        return [
            p for p in points if p.finetuned or (p.ranking_id == current[p.ranking] and p.is_measured_with(calibration))
        ]

    @property
    def all_points(self) -> list[Point]:
        """Those of earlier learned maps and constraints as well; damaged ones are left out."""
        return read_points(self.within(POINTS).parent)[0]

    def save_points(self, points: Sequence[Point]) -> None:
        """Replace the measured points."""
        self.require_writable()
        write_points(self.within(POINTS).parent, points)

    def add_point(self, point: Point) -> None:
        """Store one point; another of the same ranking, budget and fine-tuning is replaced."""

        def identity(p: Point) -> tuple[object, ...]:
            latency = p.latency and p.latency.conditions
            return p.ranking, p.ranking_id, p.budget, p.finetuned, latency, p.calibration or PLAIN.key

        with self.lock("points"):
            self.save_points([*(p for p in self.all_points if identity(p) != identity(point)), point])

    @property
    def finetuned(self) -> list[FineTuned]:
        """Every finished fine-tuning run whose weights are there, oldest first; damaged records are left out."""
        runs, _ = read_runs(self.folder)
        return sorted((run for run in runs if self.finetuned_weights(run.key).exists()), key=lambda run: run.created)

    def finetuned_run(self, key: str) -> FineTuned | None:
        """The finished run of a key, or None."""
        return next((run for run in self.finetuned if run.key == key), None)

    def best_finetuned(self, keep: Keep) -> FineTuned | None:
        """The run of exactly this kept set that is best on held-out images, or None."""
        runs = [run for run in self.finetuned if run.keep_id == keep_id(keep)]
        return max(runs, key=lambda run: run.heldout_top1, default=None)

    def finetuned_weights(self, key: str) -> Path:
        """Where the weights of a fine-tuning run lie."""
        return self.within("finetuned", f"{key}.safetensors")

    def save_finetuned(self, run: FineTuned) -> None:
        """Store the record of a run; its weights are there already."""
        self.require_writable()
        write_json(self.within("finetuned", f"{run.key}.json"), run.to_dict())

    def _note_kept_sets(self) -> None:
        """Before ranking or constraints change: note the kept sets that an earlier version left to them."""
        runs, points, n_units = [run for run in self.finetuned if not run.kept], self.all_points, self.structure.n_units
        if not runs and all(point.keep_id for point in points):
            return
        try:
            curves = {(name, self.ranking_id(name)): self.curve(name) for name in self.rankings}
        except StudyError:  # what is about to be replaced is damaged: nothing is certain
            return
        for run, keep in ((run, kept_set(run, curves.values(), n_units)) for run in runs):
            if keep is not None:
                self.save_finetuned(replace(run, kept=packed(keep)))
        with self.lock("points"):
            self.save_points(with_kept_sets(self.all_points, curves, n_units))
