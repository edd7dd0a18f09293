"""A network as files that rebuild it anywhere: plain tensors and a recipe in JSON, no pickle.

It does not know studies, rankings or ONNX.
"""

import hashlib
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from legr.errors import ExportError, LegrError
from legr.files import read_json, replacing, write_json
from legr.structure.surgery import Plan, apply_plan
from legr.training.models import build_model
from legr.training.own_models import call_factory
from legr.training.weights import load_weights, save_weights

FORMAT = 2
_MOST_CLASSES = 1_000_000
WEIGHTS, RECIPE = "network.safetensors", "recipe.json"
_ATTRIBUTES = (
    *("in_channels", "out_channels", "groups", "in_features", "out_features", "num_features"),
    *("num_channels", "num_groups", "num_parameters", "normalized_shape"),
)


def write_recipe(
    folder: Path, network: nn.Module, model: str, num_classes: int, plan: Plan, facts: Mapping[str, Any]
) -> None:
    """Write weights and recipe of a pruned network into `folder`.

    Args:
        model: name in the zoo that `plan` was made for.
        facts: what else a reader should know: normalisation, classes, cost.
    """
    save_weights(network, folder / WEIGHTS)
    recipe = {
        "format": FORMAT,
        "model": model,
        "num_classes": num_classes,
        **facts,
        "weights": {"file": WEIGHTS, "sha256": hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()},
        "plan": {
            "slices": [[name, dim, positions.tolist()] for name, dim, positions in plan.slices],
            "attributes": [list(item) for item in plan.attributes],
            "indexes": [[name, values.tolist()] for name, values in plan.indexes],
        },
    }
    write_json(folder / RECIPE, recipe, indent=None)


def rebuild(recipe: Path | str, factory: Callable[..., nn.Module] | None = None) -> nn.Module:
    """Rebuild an exported network, in evaluation mode, from its recipe and the weights beside it.

    Args:
        recipe: path of a `recipe.json`.
        factory: what built the original, for a model of your own; called with `num_classes` where it takes that.
            A recipe alone never makes this program import code, unless this machine's user has named it before.

    Raises:
        ExportError: the recipe is damaged or of a newer version, or the weights are not the ones it names.
        SettingsError: it names code that this machine's user has not named, or the factory fails.
    """
    path = Path(recipe)
    try:
        data = read_json(path)
        if data["format"] > FORMAT:
            raise ExportError(
                f"{path.name} was written by a newer version (format {data['format']}, "
                f"this one reads {FORMAT}); update the program"
            )
        weights = path.parent / Path(data["weights"]["file"]).name
        if hashlib.sha256(weights.read_bytes()).hexdigest() != data["weights"]["sha256"]:
            raise ExportError(f"{weights.name} is not the file that {path.name} was written with; export again")
        if not 1 <= data["num_classes"] <= _MOST_CLASSES:
            raise ValueError(f"num_classes is {data['num_classes']}")
        if factory is None:
            network = build_model(data["model"], data["num_classes"])
        else:
            network = call_factory(factory, data["num_classes"])
        apply_plan(network, _plan(data["plan"]))
        load_weights(network, weights)
    except LegrError:
        raise
    except Exception as error:  # a recipe may come from anywhere: whatever is wrong in it, it is not used
        raise ExportError(f"{path.name} cannot be used ({error}); export the network again") from error
    return network.eval()


def zip_files(path: Path, files: Sequence[Path]) -> None:
    """Write files, without their folders, into one zip; the same files give the same bytes."""
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            entry = zipfile.ZipInfo(file.name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, file.read_bytes())


def _plan(data: Mapping[str, Any]) -> Plan:
    attributes = tuple(
        (str(module), str(name), next((int(p) for p in place if p is not None), None), int(value))
        for module, name, *place, value in data["attributes"]  # format 1 had no place
    )
    unknown = {name for _, name, _, _ in attributes} - set(_ATTRIBUTES)
    if unknown:
        raise ValueError(f"unknown attributes {sorted(unknown)}")
    return Plan(
        tuple((str(name), int(dim), np.array(values, dtype=np.int32)) for name, dim, values in data["slices"]),
        attributes,
        tuple((str(name), np.array(values, dtype=np.int32)) for name, values in data["indexes"]),
    )
