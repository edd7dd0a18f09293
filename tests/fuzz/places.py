"""Every file that the program reads back, each with what a user does that reads it."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from legr.study.along import save_along
from legr.study.heights import CostsAtHeight, add_heights
from legr.study.latency import Latency
from legr.study.scaled import ScaledPoint, add_scaled
from legr.study.store import Study, keep_id
from legr.study.supernets import SupernetPoint, SupernetRun, save_supernet, supernets, weights_path
from legr.training.supernet_settings import SupernetSettings
from tests.app.profiled import add_profile
from tests.fuzz import users
from tests.study.along_by_hand import along

TESTS = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Place:
    """One file that may be damaged.

    Attributes:
        root: what the actions are given.
        kind: as `mutants.mutate` takes it.
        others: files of the same kind that may be swapped in.
    """

    file: Path
    root: Path
    kind: str
    actions: tuple[users.Action, ...]
    others: tuple[Path, ...] = ()


def make_places(folder: Path, source: Path, *, torch: bool = False) -> list[Place]:
    """Make a study, a second one of another network, and this machine's files, in an empty folder.

    Args:
        source: a study, which is copied.
        torch: whether weights and exports are among them, which takes longer.
    """
    study, other = folder / "studies" / "one", TESTS / "study" / "format_0_1"
    shutil.copytree(source, study)
    _complete(study)
    look = (users.look_at, users.drag)
    seen = (users.look_at_measured, users.hand_on, *look)
    places = [
        Place(study / "study.json", study, "json", seen, (other / "study.json",)),
        Place(study / "structure.json", study, "json", look, (other / "structure.json",)),
        Place(study / "ranking.json", study, "json", seen, (other / "ranking.json",)),
        Place(study / "shape.json", study, "json", look, (other / "shape.json",)),
        Place(study / "points.json", study, "json", seen, (other / "points.json",)),
        Place(study / "heights.json", study, "json", seen),
        Place(study / "scaled.json", study, "json", seen, (other / "points.json",)),
        Place(study / "statistics_choice.json", study, "json", seen),
        Place(study / "profiles" / "board.json", study, "json", (users.drag,), (study / "points.json",)),
        Place(study / "note.txt", study, "text", (users.look_at,)),
    ]
    for file in sorted((study / "finetuned").glob("*.json"))[:2]:
        places.append(Place(file, study, "json", seen, tuple((other / "finetuned").glob("*.json"))))
    for file in sorted((study / "supernets").glob("*.json")):
        places.append(Place(file, study, "json", seen, tuple((other / "finetuned").glob("*.json"))))
    for file in sorted((study / "jobs").glob("*.json")):
        places.append(Place(file, study, "json", (users.look_at_jobs,), (study / "points.json",)))
    for file in sorted((study / "searches").glob("*.journal")):
        foreign = TESTS / "search" / "journals" / "written_by_optuna.journal"
        places.append(Place(file, study, "lines", (users.replay,), (foreign,)))
    for file in sorted((study / "compared").glob("*.safetensors")):
        places.append(Place(file, study, "safetensors", (users.look_at_comparisons,)))
    for file in sorted((study / "along").glob("*.safetensors")):
        places.append(Place(file, study, "safetensors", (users.look_along,)))
    cut = folder / "studies" / "cut"
    shutil.copytree(other / "pruned", cut)
    places.append(Place(cut / "cuts.json", cut, "json", (users.look_at_cuts,), (study / "shape.json",)))
    return [*places, *_machine(folder, study), *(_of_torch(folder, study) if torch else ())]


def _complete(study: Path) -> None:
    """Give a study one file of every kind that it lacks."""
    info = json.loads((study / "study.json").read_text())
    (study / "study.json").write_text(json.dumps({**info, "sample": False}))
    (study / "note.txt").write_text("What it is about.\n")
    add_profile(Study.open(study))
    layer = json.loads((study / "structure.json").read_text())["structure"]["layers"][1][0]
    shape = {"format": 1, "multiple": 1, "floors": {layer: 3}, "excluded": [], "pins": {}}
    (study / "shape.json").write_text(json.dumps(shape))
    _add_supernet(Study.open(study))
    _add_scaled(Study.open(study))
    _add_along(Study.open(study))
    judged = {
        "networks": [{"budget": 0.5, "top1": {"plain": 0.5}}],
        "differences": {"both": {"mean": 0.1, "noise": 0.2}},
    }
    choice = {
        "images": "plain",
        "border": "mean",
        "heldout_images": 9,
        "heldout_seen": True,
        "deviations": {},
        **judged,
    }
    (study / "statistics_choice.json").write_text(json.dumps(choice))
    for run in (study / "finetuned").glob("*.json"):
        run.with_suffix(".safetensors").touch()
    if not (study / "jobs").is_dir():
        shutil.copytree(TESTS / "study" / "format_0_1" / "jobs", study / "jobs")
    if not (study / "searches").is_dir():
        (study / "searches").mkdir()
        shutil.copy(TESTS / "search" / "journals" / "written_by_optuna.journal", study / "searches" / "a.journal")
    (study / "compared").mkdir(exist_ok=True)
    classes, shares = np.array([[3, 1], [1, 3]], np.int32), np.array([[0.75, 0.25], [0.5, 0.25]], np.float32)
    same = {"classes": classes, "probabilities": shares}
    network = {"ranking": "identity", "macs_fraction": 0.5, "keep_id": "f4ebfb3d2c30"}
    header = {"network": json.dumps({**network, "finetuned": False, "recalibrated": True})}
    save_file({**same, "labels": np.array([3, 1], np.int32)}, study / "compared" / "original.safetensors")
    pictures, numbers = np.zeros((2, 3, 4, 4), np.uint8), np.array([0, 1], np.int32)
    save_file({**same, "pictures": pictures, "numbers": numbers}, study / "compared" / "a-pruned.safetensors", header)


def _add_along(study: Study) -> None:
    """Predictions of the supernet's networks for two images."""
    about = json.loads(next((study.path / "supernets").glob("*.json")).read_text())
    found = along(about["ranking"], about["ranking_id"], about["key"], about["created"])
    save_along(study, found)


def _add_supernet(study: Study) -> None:
    """One whose weights are never read."""
    curve = study.curve("uniform")
    points = tuple(
        SupernetPoint(
            keep_id(curve.keep(step)), int(curve.macs[step]), 9, curve.macs[step] / curve.macs[0], 32, 0.5, 1.0, 9
        )
        for step in (0, len(curve.macs) // 2, -1)
    )
    facts = points[-1].macs_fraction, SupernetSettings(), 0.5, 1, 9.0, "plain", points
    run = SupernetRun("abc", "uniform", study.ranking_id("uniform"), *facts)
    save_supernet(study, run)
    weights_path(study, run.key).touch()


def _add_scaled(study: Study) -> None:
    """Its smallest network with images of another height, with the weights of that supernet."""
    add_heights(study, [CostsAtHeight(16, tuple(op.macs // 4 for op in study.structure.ops))])
    (run,), latency = supernets(study), Latency(1.5, "PyTorch", "cpu", 1, 1)
    smallest = run.points[-1]
    facts = smallest.macs // 4, smallest.params, smallest.macs_fraction, 0.4, 1.5, 9, True, study.calibration.key
    point = ScaledPoint(run.ranking, run.ranking_id, smallest.keep_id, 16, run.key, *facts, latency)
    add_scaled(study, [point])


def _machine(folder: Path, study: Path) -> list[Place]:
    """What this machine remembers; the caller has LEGR_DATA, LEGR_CACHE and LEGR_CONFIG point into `folder`."""
    sha256 = json.loads((study / "study.json").read_text())["weights_sha256"]
    files = {
        "data/data.json": json.dumps({"digits-1": "/images"}),
        "data/models.json": json.dumps({"robot.nets:build": "/robot"}),
        "cache/seconds_per_pass.json": json.dumps({sha256: {"any": 0.5, "gradient": 1.5}}),
        "legr.toml": '[models.mine]\nfactory = "robot.nets:build"\ninput = "1x3x96x160"\nweights = "w.safetensors"\n',
        "images/a.bin": "content",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "arrays").mkdir()
    for name, array in (("images", np.zeros((2, 3, 4, 4), np.uint8)), ("labels", np.zeros(2, np.int64))):
        for split in ("train", "test"):
            np.save(folder / "arrays" / f"{split}_{name}.npy", array)
    users.use_machine(folder)
    (hashes,) = (folder / "cache" / "hashes").glob("*.json")
    machine = (users.use_machine,)
    return [
        Place(folder / "data" / "data.json", folder, "json", machine),
        Place(folder / "data" / "models.json", folder, "json", machine),
        Place(folder / "cache" / "seconds_per_pass.json", study, "json", (users.look_at,)),
        Place(hashes, folder, "json", machine),
        Place(folder / "legr.toml", folder, "text", machine),
        Place(folder / "arrays" / "train_images.npy", folder, "bytes", machine),
        Place(folder / "arrays" / "test_labels.npy", folder, "bytes", machine),
    ]


def _of_torch(folder: Path, study: Path) -> list[Place]:
    """Files that the engine reads: weights, statistics, exports, and what is pruned by."""
    import legr
    from legr.commands.original import original
    from legr.deploy.bundle import write_recipe, zip_files
    from legr.structure.surgery import plan as plan_of
    from legr.study.store import Study

    opened = Study.open(study)
    keep = opened.curve().at(macs=0.5)
    model = original(opened)
    plan = plan_of(model, opened.structure, keep)
    export = folder / "export"
    export.mkdir()
    facts = {"normalization": opened.info.normalization.to_dict(), "classes": list(opened.info.classes)}
    write_recipe(export, legr.prune(model, opened.structure, keep), opened.info.model, 10, plan, facts)
    zip_files(folder / "export.zip", [export / "recipe.json", export / "network.safetensors"])
    weights = (users.use_weights,)
    places = [
        Place(export / "recipe.json", export, "json", (users.rebuild_export,)),
        Place(export / "network.safetensors", export, "safetensors", (users.rebuild_export,)),
        Place(folder / "export.zip", folder / "export.zip", "bytes", (users.rebuild_export,)),
        Place(study / "weights.safetensors", study, "safetensors", (*weights, users.look_at)),
        Place(study / "structure.json", study, "json", weights, (TESTS / "study" / "format_0_1" / "structure.json",)),
        Place(study / "ranking.json", study, "json", weights),
        Place(study.with_name("cut") / "cuts.json", study.with_name("cut"), "json", weights),
    ]
    for file in sorted((study / "statistics").glob("*.safetensors"))[:3]:
        places.append(Place(file, study, "safetensors", weights))
    return places
