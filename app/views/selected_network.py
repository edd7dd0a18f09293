"""The networks that the page See it compares: the one on screen, and the original or the one that is held."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

import streamlit as st

from app import state
from app.budget_dial.opened import OpenedRun
from app.curves import budget_curve, budget_of, structures_with_sizes
from app.views.weights import VIEW_KEY, WEIGHTS, Weights, weights_of
from app.words import plain, plural
from legr.charts.measurements import percent_of
from legr.charts.style import CAPTIONS, COLOURS
from legr.errors import LegrError, StudyError
from legr.jobs.records import Job
from legr.ranking.limits import Budget
from legr.requests.measure import CompareRequest
from legr.structure.cost import cost
from legr.study.comparison import Comparison, between, comparison_name, load_comparison
from legr.study.heights import other_height
from legr.study.records import RankingName
from legr.study.store import Study
from legr.study.supernets import SupernetRun
from legr.study.trained import TrainedRun, chosen_network

Images = Literal["one", "all", "along"]
IMAGES: dict[Images, str] = {"one": "One image", "all": "All test images", "along": "Along the slider"}
Choice = TypeVar("Choice", bound=str)


@dataclass(frozen=True, slots=True)
class SelectedNetwork:
    """One network of a study.

    Attributes:
        budget: a limit on MACs.
        macs_fraction: MACs of the network with its images as a fraction of the original's; at most the budget.
        run: the fine-tuning run or the supernet whose weights it has; None where they are the original's, pruned.
        comparison_name: name of its stored comparison with the original.
        opened: key of the fine-tuning run by which it is there; None where the budget leads to it.
        height: of the images that it takes, pixels; None: the study's own.
    """

    study: Study
    ranking: RankingName
    budget: Budget
    macs_fraction: float
    run: TrainedRun | None
    comparison_name: str
    opened: str | None = None
    height: int | None = None

    @classmethod
    def of_run(cls, study: Study, opened: OpenedRun, weights: Weights) -> "SelectedNetwork":
        """The network of a run, with the weights of exactly this run or as it was pruned for it."""
        run = opened.run if weights == "finetuned" else None
        ranking = opened.ranking or study.default_ranking
        name = comparison_name(opened.keep, run)
        return cls(study, ranking, opened.budget, opened.run.macs_fraction, run, name, opened.run.key)

    @classmethod
    def at(
        cls, study: Study, ranking: RankingName, budget: Budget, weights: Weights, height: int | None = None
    ) -> "SelectedNetwork":
        """The network at a budget.

        Args:
            weights: of the kinds that `weights_of` gives; of one that it has not, the first of them.
            height: of the images that it takes, pixels; None: the study's own.

        Raises:
            StudyError: the study cannot be read.
        """
        curve = budget_curve(study, ranking)
        step = curve.step(budget)
        keep = curve.keep(step)
        runs = weights_of(study, ranking, keep, height)
        run = runs[weights] if weights in runs else next(iter(runs.values()))
        macs = int(curve.macs[step]) if height is None else cost(structures_with_sizes(study)[height], keep).macs
        name = comparison_name(keep, run, height)
        return cls(study, ranking, budget, macs / curve.original.macs, run, name, height=height)

    @property
    def weights(self) -> Weights:
        """What its weights are."""
        if isinstance(self.run, SupernetRun):
            return "together"
        return "finetuned" if self.run else "pruned"

    def is_compared_by(self, job: Job) -> bool:
        """Whether a job compares this network with the original; it may have been started on the command line."""
        if not isinstance(job.request, CompareRequest):
            return False
        request = job.request
        try:
            other = chosen_network(
                self.study,
                request.budget,
                request.ranking,
                trained=request.finetuned,
                run=request.run,
                curve_of=lambda name: budget_curve(self.study, name),
                height=(height := other_height(self.study, request.size)),
            )
        except LegrError:
            return False  # the ranking no longer reaches that budget, or the run is gone
        return comparison_name(other.keep, other.run, height) == self.comparison_name

    @property
    def request(self) -> CompareRequest:
        """The request that compares it with the original; its arguments also name the network in a question."""
        supernet = self.run.key if isinstance(self.run, SupernetRun) else None
        run = self.opened or supernet
        return CompareRequest(self.budget, self.ranking, finetuned=self.run is not None, size=self.height, run=run)

    @property
    def colour(self) -> str:
        """Its colour on charts."""
        return COLOURS["finetuned" if self.run else self.ranking]

    @property
    def title(self) -> str:
        """The network above its predictions."""
        return (
            f"Pruned: {100 * self.macs_fraction:.1f} % of the MACs"
            + {
                "finetuned": ", fine-tuned",
                "together": ", trained together",
                "pruned": "",
            }[self.weights]
            + self._of_images
        )

    @property
    def description(self) -> str:
        """Which network this is, in words."""
        weights = "as pruned, not fine-tuned"
        if self.run:
            how = "trained together with all budgets" if self.weights == "together" else "fine-tuned"
            weights = f"{how} for {plural(self.run.epochs, 'epoch')}"
        which = f"the network of run {self.opened}" if self.opened else f"{CAPTIONS[self.ranking].lower()} ranking"
        return f"{which}, {100 * self.macs_fraction:.1f} % of the MACs, {weights}{self._of_images}"

    @property
    def _of_images(self) -> str:
        """Which images it takes, behind a description; "" where they are the study's own."""
        return f", images of {self.height} px" if self.height else ""


@dataclass(frozen=True, slots=True)
class Reference:
    """What a network is compared with: the original, or the network that is held.

    Attributes:
        held: None: the original.
    """

    held: SelectedNetwork | None

    @property
    def words(self) -> str:
        """The network within a sentence."""
        return "the held network" if self.held else "the original"

    @property
    def word(self) -> str:
        """The network in one word."""
        return "held" if self.held else "original"

    @property
    def title(self) -> str:
        """The network above its predictions."""
        return f"Held: {100 * self.held.macs_fraction:.1f} % of the MACs" if self.held else CAPTIONS["original"]

    @property
    def colour(self) -> str:
        """Its colour on charts."""
        return COLOURS["original"]

    def say(self, text: str) -> str:
        """A text of ours about the original, about this network instead."""
        if not self.held:
            return text
        return text.replace("the original", self.words).replace("Original", "Held").replace("original", self.word)

    def description(self, selected: SelectedNetwork) -> str:
        """One sentence that says what is compared with what."""
        if self.held:
            return f"Beside the held network ({self.held.description}): {selected.description}."
        if selected.macs_fraction == 1 and selected.run is None and selected.height is None:
            return "Nothing is removed at this budget: both networks are the original."
        return f"Beside the original: {selected.description}."


def select_network(
    study: Study, ranking: RankingName, budget: Budget, opened: OpenedRun | None, height: int | None = None
) -> tuple[SelectedNetwork, Reference]:
    """Let the user choose between the weights that the network has, where there are several; say what is compared.

    Args:
        opened: the network that is open in place of the budget's, with the study's own images.
        height: of the images that it takes, pixels; None: the study's own.
    """
    found: list[Weights] = ["finetuned", "pruned"]
    if opened is None:
        found = list(weights_of(study, ranking, budget_curve(study, ranking).at(budget), height))
    weights = _choose("Weights", VIEW_KEY, {name: WEIGHTS[name] for name in found}, study) if found[1:] else found[0]
    if opened:
        selected = SelectedNetwork.of_run(study, opened, weights)
    else:
        selected = SelectedNetwork.at(study, ranking, budget, weights, height)
    reference = _reference(study, ranking, selected)
    st.markdown(plain(reference.description(selected)))
    return selected, reference


def images_chosen() -> Images:
    """What the networks are shown, as it was chosen."""
    return state.view("images", tuple(IMAGES))


def choose_images(study: Study) -> Images:
    """Let the user choose what the networks are shown."""
    return _choose("Images", "images", IMAGES, study)


def _choose(label: str, view: str, options: Mapping[Choice, str], study: Study) -> Choice:
    """One of the options of a setting of the view."""
    key = f"{view}-{study.path.name}"
    st.session_state[key] = state.view(view, tuple(options))
    chosen = st.segmented_control(
        plain(label),
        list(options),
        required=True,
        format_func=options.__getitem__,
        key=key,
        on_change=lambda: state.remember_view(view, st.session_state[key]),
        label_visibility="collapsed",
    )
    return chosen or state.view(view, tuple(options))


def _reference(study: Study, ranking: RankingName, selected: SelectedNetwork) -> Reference:
    """The network that is held, with weights of the same kind; the original where none is, or it is the same one."""
    percent = state.reference_percent()
    if percent is None:
        return Reference(None)
    floor = percent_of(budget_curve(study, ranking).floor)
    held = SelectedNetwork.at(
        study, ranking, budget_of(max(floor, percent) / 100), state.view(VIEW_KEY, tuple(WEIGHTS)), selected.height
    )
    return Reference(None if held.comparison_name == selected.comparison_name else held)


def stored_comparison(selected: SelectedNetwork) -> tuple[Comparison | None, str]:
    """The stored comparison of a network, and an error where its file is damaged; (None, "") where there is none."""
    try:
        return load_comparison(selected.study, selected.comparison_name), ""
    except StudyError as error:
        return None, str(error)


def compared_with(reference: Reference, comparison: Comparison | None) -> Comparison | None:
    """A network compared with the reference; None where one of the two was not compared yet.

    Args:
        comparison: of the network with the original.
    """
    if comparison is None or reference.held is None:
        return comparison
    other, _ = stored_comparison(reference.held)
    return between(other, comparison) if other else None
