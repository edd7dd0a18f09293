"""The network that the page See it compares with the original: its budget, ranking and weights."""

from dataclasses import dataclass
from typing import Literal

import streamlit as st

from app import state
from app.charts.style import CAPTIONS, COLOURS
from app.curves import budget_curve
from app.words import plain, plural
from legr.errors import LegrError
from legr.jobs.records import Job
from legr.ranking.limits import Budget
from legr.requests.types import CompareRequest
from legr.study.comparison import comparison_name
from legr.study.records import FineTuned, RankingName
from legr.study.store import Study

Weights = Literal["finetuned", "pruned"]
WEIGHTS: dict[Weights, str] = {"finetuned": "Fine-tuned", "pruned": "Before fine-tuning"}
_VIEW_KEY = "weights"


@dataclass(frozen=True, slots=True)
class SelectedNetwork:
    """One network of a study.

    Attributes:
        budget: a limit on MACs.
        macs_fraction: MACs of the network as a fraction of the original's; at most the budget.
        run: the fine-tuning run whose weights it has; None where they are the original's, pruned.
        comparison_name: name of its stored comparison with the original.
    """

    study: Study
    ranking: RankingName
    budget: Budget
    macs_fraction: float
    run: FineTuned | None
    comparison_name: str

    @classmethod
    def at(cls, study: Study, ranking: RankingName, budget: Budget, weights: Weights) -> "SelectedNetwork":
        """The network at a budget.

        Args:
            weights: "finetuned" takes those of the best fine-tuning run of exactly this kept set, if there is one.

        Raises:
            StudyError: the study cannot be read.
        """
        curve = budget_curve(study, ranking)
        step = curve.step(budget)
        keep = curve.keep(step)
        run = study.best_finetuned(keep) if weights == "finetuned" else None
        macs_fraction = float(curve.macs[step] / curve.original.macs)
        return cls(study, ranking, budget, macs_fraction, run, comparison_name(keep, run))

    @property
    def weights(self) -> Weights:
        """Whether its weights are fine-tuned."""
        return "finetuned" if self.run else "pruned"

    def is_compared_by(self, job: Job) -> bool:
        """Whether a job compares this network with the original; it may have been started on the command line."""
        if not isinstance(job.request, CompareRequest):
            return False
        try:
            curve = budget_curve(self.study, job.request.ranking or self.study.default_ranking)
            keep = curve.at(job.request.budget)
            run = self.study.best_finetuned(keep) if job.request.finetuned else None
        except LegrError:
            return False  # the ranking no longer reaches that budget
        return comparison_name(keep, run) == self.comparison_name

    @property
    def request(self) -> CompareRequest:
        """The request that compares it with the original; its arguments also name the network for `look`."""
        return CompareRequest(self.budget, self.ranking, finetuned=self.weights == "finetuned")

    @property
    def colour(self) -> str:
        """Its colour on charts."""
        return COLOURS["finetuned" if self.run else self.ranking]

    @property
    def description(self) -> str:
        """One sentence that says which network this is."""
        if self.macs_fraction == 1 and self.run is None:
            return "Nothing is removed at this budget: both networks are the original."
        weights = f"fine-tuned for {plural(self.run.epochs, 'epoch')}" if self.run else "as pruned, not fine-tuned"
        which = f"{CAPTIONS[self.ranking].lower()} ranking, {100 * self.macs_fraction:.1f} % of the MACs"
        return f"Beside the original: {which}, {weights}."


def select_network(study: Study, ranking: RankingName, budget: Budget) -> SelectedNetwork:
    """Let the user choose between fine-tuned and pruned weights, where there are both; say which network it is."""
    tuned = SelectedNetwork.at(study, ranking, budget, "finetuned")
    with st.container(horizontal=True, vertical_alignment="center"):
        selected = tuned
        if tuned.run:
            key = f"{_VIEW_KEY}-{study.path.name}"
            st.session_state[key] = state.view(_VIEW_KEY, tuple(WEIGHTS))
            weights = st.segmented_control(
                "Weights",
                list(WEIGHTS),
                required=True,
                format_func=WEIGHTS.__getitem__,
                key=key,
                on_change=lambda: state.remember_view(_VIEW_KEY, st.session_state[key]),
                label_visibility="collapsed",
            )
            selected = SelectedNetwork.at(study, ranking, budget, weights or "pruned")
        st.markdown(plain(selected.description))
    return selected


def set_weights(weights: Weights) -> None:
    """Choose fine-tuned or pruned weights. Call only from a Streamlit callback."""
    state.remember_view(_VIEW_KEY, weights)
