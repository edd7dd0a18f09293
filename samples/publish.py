"""Turn a study into a sample of the program: what a reader of it needs, with a note, never written again.

It does not know how the study was made.
"""

import shutil
from pathlib import Path

import torch

from legr.commands.images import images_of
from legr.commands.network import choose_statistics, network_at
from legr.commands.original import original
from legr.commands.statistics_cache import store_statistics
from legr.files import temporary_beside
from legr.ranking.limits import Budget
from legr.study.catalog import save_note
from legr.study.store import Study

LEFT_OUT = ("jobs", "checkpoints", "compared", "exports")


def publish(study: Study, out: Path, note: str) -> None:
    """Copy a study to the folder of a sample, in place of what was there; its images do not come along.

    The measured networks of the default ranking get the batch-norm statistics they were measured with, so that they
    answer as they were measured where the images are not. Fine-tuned weights of the other rankings stay behind.
    """
    _keep_statistics(study)
    made, before = temporary_beside(out), temporary_beside(out)
    try:
        sample = study.copy_to(made).with_info(name=out.name)
        for name in LEFT_OUT:
            shutil.rmtree(made / name, ignore_errors=True)
        _drop_compared_weights(sample)
        save_note(sample, note)
        sample.mark_as_sample()
        if out.exists():
            out.rename(before)
        made.rename(out)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    shutil.rmtree(before, ignore_errors=True)


def _keep_statistics(study: Study) -> None:
    model, images, device = original(study), images_of(study), torch.device("cpu")
    for point in study.points:
        if point.ranking == study.default_ranking:
            budget, tuned = Budget(macs=point.budget), point.finetuned is not None
            network = network_at(study, model, budget, finetuned=tuned)
            store_statistics(study, choose_statistics(study, network, images, device))


def _drop_compared_weights(sample: Study) -> None:
    """Other rankings are there to be compared with: their points do that, their weights would be half the sample."""
    for run in sample.finetuned:
        if run.ranking != sample.default_ranking:
            for path in (sample.path / "finetuned").glob(f"{run.key}.*"):
                path.unlink()
