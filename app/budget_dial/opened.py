"""The network of a fine-tuning run that is open in place of the slider's, whatever the ranking is by now."""

from dataclasses import dataclass

from app import state
from app.curves import budget_curve, measurements
from legr.charts.measurements import percent_of
from legr.charts.style import CAPTIONS
from legr.ranking.limits import Budget
from legr.structure.types import Keep
from legr.study.known import kept_set_of
from legr.study.records import FineTuned, RankingName
from legr.study.store import Study


@dataclass(frozen=True, slots=True)
class OpenedRun:
    """One network of a study, with the weights of its run.

    Attributes:
        order: the ranking on whose order it lies today; None: it lies on none.
    """

    run: FineTuned
    keep: Keep
    order: RankingName | None

    @property
    def ranking(self) -> RankingName | None:
        """The ranking that it was pruned by, as that was; None where an earlier version did not note it."""
        return self.run.ranking or None

    @property
    def budget(self) -> Budget:
        """A budget that it keeps within; not one that leads to it."""
        return Budget(macs=percent_of(self.run.macs_fraction) / 100)

    @property
    def name(self) -> str:
        """The network in words."""
        before = "" if self.order else " of an earlier ranking"
        return f"the network of {100 * self.run.macs_fraction:.1f} %{before}"

    @property
    def note(self) -> str:
        """How it relates to the order of today, in one sentence."""
        if self.order:
            return "This is the network of a fine-tuning run; move the slider to see others."
        ranking = f"the {CAPTIONS[self.ranking].lower()} ranking" if self.ranking else "the ranking"
        return (
            f"This network was fine-tuned before {ranking} or the constraints changed: it lies off the present order, "
            "to which the slider leads back."
        )


def opened_network(study: Study) -> OpenedRun | None:
    """The network that is open; None where it is the slider's, or the run of the link cannot be opened.

    Raises:
        StudyError: the study cannot be read.
    """
    key = state.opened_run()
    return None if key is None else network_of_run(study, key)


def network_of_run(study: Study, key: str) -> OpenedRun | None:
    """The network of a run; None where it cannot be opened.

    Raises:
        StudyError: the study cannot be read.
    """
    measured = measurements(study)
    run = next((run for run in measured.runs if run.key == key and key in measured.openable), None)
    keep = kept_set_of(study, run, lambda name: budget_curve(study, name)) if run else None
    return OpenedRun(run, keep, measured.order_of(run)) if run and keep else None
