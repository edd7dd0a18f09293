"""Which network is shown beside the original: its budget, its ranking, and with which weights.

It does not know what it answers.
"""

from dataclasses import dataclass

import streamlit as st

from app import state
from app.charts.style import CAPTIONS, COLOURS
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
        budget: as a command is given it, a fraction of the original's MACs.
        macs_fraction: what it has of them.
        run: the fine-tuning run whose weights it has; None: as pruned.
        name: of its comparison with the original.
    """

    study: Study
    ranking: RankingName
    budget: str
    macs_fraction: float
    run: FineTuned | None
    name: str

    @classmethod
    def at(cls, study: Study, ranking: RankingName, budget: float, finetuned: bool) -> "SelectedNetwork":
        """The network at a budget; with fine-tuned weights of exactly this kept set, where they are wanted and there.

        Raises:
            StudyError: the study cannot be read.
        """
        text = f"{budget:.6g}"
        curve = state.curve(study, ranking)
        step = curve.step(macs=float(text))
        keep = curve.keep(step)
        run = study.best_finetuned(keep) if finetuned else None
        return cls(study, ranking, text, float(curve.macs[step] / curve.dense.macs), run, comparison_name(keep, run))

    def is_of(self, job: Job) -> bool:
        """Whether a comparison that was started, here or on the command line, is of this network."""
        if not isinstance(job.request, CompareRequest):
            return False
        try:
            curve = state.curve(self.study, job.request.ranking or self.study.default_ranking)
            keep = curve.at(job.request.budget)
            run = self.study.best_finetuned(keep) if job.request.finetuned else None
        except LegrError:
            return False  # no ranking leads there any more
        return comparison_name(keep, run) == self.name

    @property
    def request(self) -> CompareRequest:
        """What asks for its comparison with the original; also what names it on the command line."""
        return CompareRequest(Budget(macs=float(self.budget)), self.ranking, finetuned=self.run is not None)

    @property
    def colour(self) -> str:
        """Of its marks on charts."""
        return COLOURS["finetuned" if self.run else self.ranking]

    @property
    def words(self) -> str:
        """Which network it is, as a sentence."""
        if self.macs_fraction == 1 and self.run is None:
            return "Nothing is removed at this budget: both networks are the original."
        weights = f"fine-tuned for {many(self.run.epochs, 'epoch')}" if self.run else "as pruned, not fine-tuned"
        which = f"{CAPTIONS[self.ranking].lower()} ranking, {100 * self.macs_fraction:.1f} % of the MACs"
        return f"Beside the original: {which}, {weights}."


def select_network(study: Study, ranking: RankingName, budget: float) -> SelectedNetwork:
    """Let the user choose between weights, where there are fine-tuned ones; say which network it is."""
    tuned = SelectedNetwork.at(study, ranking, budget, finetuned=True)
    with st.container(horizontal=True, vertical_alignment="center"):
        shown = tuned
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
            shown = SelectedNetwork.at(study, ranking, budget, finetuned=weights == "finetuned")
        st.markdown(shown.words)
    return shown


def go_to_weights(finetuned: bool) -> None:
    """Show a network with its fine-tuned weights, or as pruned; for callbacks."""
    state.keep_view(_VIEW, "finetuned" if finetuned else "pruned")
