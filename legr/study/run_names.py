"""Runs of a study, fine-tuned or trained together, are named and removed. No torch."""

from dataclasses import replace

from legr.errors import StudyError
from legr.study.comparison import run_tag
from legr.study.records import FineTuned
from legr.study.scaled import drop_scaled
from legr.study.store import Study
from legr.study.supernets import (
    FOLDER,
    SupernetRun,
    save_supernet,
    statistics_path,
    supernet_run,
    weights_path,
)

LONGEST_NAME = 60
_LOCK = "runs"
_APART = ("compared", "statistics")  # folders of files that are named after a network and its run


def run_of_key(study: Study, key: str) -> FineTuned | SupernetRun:
    """The run of a key.

    Raises:
        StudyError: there is none.
    """
    run = study.finetuned_run(key) or supernet_run(study, key)
    if run is None:
        raise StudyError(f"{study.path.name} has no run {key!r}; it may have been removed")
    return run


def name_run(study: Study, key: str, name: str) -> None:
    """Give a run a name; "" takes it away.

    Raises:
        StudyError: the study is a sample, there is no such run, or the name is too long or not printable.
    """
    study.require_writable()
    name = " ".join(name.split())
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise StudyError(f"a name has at most {LONGEST_NAME} printable characters, got {len(name)}; choose another")
    with study.lock(_LOCK):
        run = run_of_key(study, key)
        if isinstance(run, FineTuned):
            study.save_finetuned(replace(run, name=name))
        else:
            save_supernet(study, replace(run, name=name))


def remove_run(study: Study, key: str) -> None:
    """Remove a run for good: what was measured with its weights, its record, its weights.

    A removal that was stopped is done by removing again; once the record is gone, all that is left are weights that
    nobody reads.

    Raises:
        StudyError: the study is a sample, or there is no such run.
    """
    study.require_writable()
    with study.lock(_LOCK):
        run = run_of_key(study, key)
        for folder in _APART:
            for path in study.files(folder, f"*-{run_tag(run)}*.safetensors"):
                path.unlink(missing_ok=True)
        if isinstance(run, SupernetRun):
            drop_scaled(study, key)
            for path in study.files("along", f"*-{key}.safetensors"):
                path.unlink(missing_ok=True)
            record = study.within(FOLDER, f"{key}.json")
            weights = [weights_path(study, key), statistics_path(study, key)]
        else:
            with study.lock("points"):
                study.save_points([p for p in study.all_points if p.finetuned is None or p.finetuned.key != key])
            record, weights = study.within("finetuned", f"{key}.json"), [study.finetuned_weights(key)]
        record.unlink()
        for path in weights:
            path.unlink(missing_ok=True)
