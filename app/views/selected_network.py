"""The network that the page See it compares with the original: its budget, ranking and weights."""

from dataclasses import dataclass

import streamlit as st

from app import state
from app.charts.style import CAPTIONS, COLOURS
from app.curves import budget_curve, budget_of
from app.words import many
from legr.errors import LegrError
from legr.jobs.records import Job
from legr.ranking.limits import Budget
from legr.requests.types import CompareRequest
from legr.study.comparison import comparison_name
from legr.study.records import FineTuned, RankingName
from legr.study.store import Study

WEIGHTS = {"finetuned": "Fine-tuned", "pruned": "Before fine-tuning"}
_VIEW = "weights"


@dataclass(frozen=True, slots=True)
class SelectedNetwork:
    """One network of a study.

    Attributes:
        budget: a limit on MACs.
        macs_fraction: MACs of the network as a fraction of the original's; at most the budget.
        run: the fine-tuning run whose weights it has; None: the weights as pruned.
        name: names its comparison with the original.
    """

    study: Study
    ranking: RankingName
    budget: Budget
    macs_fraction: float
    run: FineTuned | None
    name: str

    @classmethod
    def at(cls, study: Study, ranking: RankingName, budget: float, finetuned: bool) -> "SelectedNetwork":
        """The network at a budget.

        Args:
            budget: fraction of the original's MACs.
            finetuned: take the weights of the best fine-tuning run of exactly this kept set, if there is one.

        Raises:
            StudyError: the study cannot be read.
        """
        limit = budget_of(budget)
        curve = budget_curve(study, ranking)
        step = curve.step(limit)
        keep = curve.keep(step)
        run = study.best_finetuned(keep) if finetuned else None
        return cls(study, ranking, limit, float(curve.macs[step] / curve.dense.macs), run, comparison_name(keep, run))

    def is_of(self, job: Job) -> bool:
        """Whether a job compares this network with the original, whether started here or on the command line."""
        if not isinstance(job.request, CompareRequest):
            return False
        try:
            curve = budget_curve(self.study, job.request.ranking or self.study.default_ranking)
            keep = curve.at(job.request.budget)
            run = self.study.best_finetuned(keep) if job.request.finetuned else None
        except LegrError:
            return False  # the ranking no longer reaches that budget
        return comparison_name(keep, run) == self.name

    @property
    def request(self) -> CompareRequest:
        """The request that compares it with the original; its arguments also name the network for `look`."""
        return CompareRequest(self.budget, self.ranking, finetuned=self.run is not None)

    @property
    def colour(self) -> str:
        """Its colour on charts."""
        return COLOURS["finetuned" if self.run else self.ranking]

    @property
    def words(self) -> str:
        """One sentence that says which network this is."""
        if self.macs_fraction == 1 and self.run is None:
            return "Nothing is removed at this budget: both networks are the original."
        weights = f"fine-tuned for {many(self.run.epochs, 'epoch')}" if self.run else "as pruned, not fine-tuned"
        which = f"{CAPTIONS[self.ranking].lower()} ranking, {100 * self.macs_fraction:.1f} % of the MACs"
        return f"Beside the original: {which}, {weights}."


def select_network(study: Study, ranking: RankingName, budget: float) -> SelectedNetwork:
    """Let the user choose between fine-tuned and pruned weights, where there are both; say which network it is."""
    tuned = SelectedNetwork.at(study, ranking, budget, finetuned=True)
    with st.container(horizontal=True, vertical_alignment="center"):
        selected = tuned
        if tuned.run:
            key = f"{_VIEW}-{study.path.name}"
            st.session_state[key] = state.view(_VIEW, tuple(WEIGHTS))
            weights = st.segmented_control(
                "Weights",
                list(WEIGHTS),
                required=True,
                format_func=WEIGHTS.__getitem__,
                key=key,
                on_change=lambda: state.keep_view(_VIEW, st.session_state[key]),
                label_visibility="collapsed",
            )
            selected = SelectedNetwork.at(study, ranking, budget, finetuned=weights == "finetuned")
        st.markdown(selected.words)
    return selected


def go_to_weights(finetuned: bool) -> None:
    """Choose fine-tuned or pruned weights; for callbacks."""
    state.keep_view(_VIEW, "finetuned" if finetuned else "pruned")
