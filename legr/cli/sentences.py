"""What each command says to a person who does not ask for `--json`."""

from legr.commands.results import Evaluation


def evaluation(result: Evaluation) -> str:
    notes = [name for name, holds in (("recalibrated", result.recalibrated), ("finetuned", result.finetuned)) if holds]
    loss = "no loss, as an output is NaN or infinite" if result.loss is None else f"loss {result.loss:.4f}"
    return (
        f"{100 * result.top1:.2f} % top-1 on {result.images} test images"
        f"{' (' + ', '.join(notes) + ')' if notes else ''}, {loss}"
    )
