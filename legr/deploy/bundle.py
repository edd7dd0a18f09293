"""A network as files that rebuild it anywhere: plain tensors and an export recipe in JSON, no pickle."""

import hashlib
import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from legr.errors import ExportError, LegrError
from legr.files import read_json, write_bytes, write_json
from legr.models.factories import call_factory
from legr.models.weights import load_weights, save_weights
from legr.models.zoo import build_model
from legr.structure.plans import plan_from_dict, plan_to_dict
from legr.structure.surgery import apply_plan
from legr.structure.types import Plan

FORMAT = 2
_MOST_CLASSES = 1_000_000
WEIGHTS, RECIPE = "network.safetensors", "recipe.json"


@dataclass(frozen=True)
class Recipe:
    """A recipe that was read, and found to belong to the weights beside it."""

    model: str  # what `find_spec` knows it by
    num_classes: int
    plan: Plan
    weights: Path
    facts: Mapping[str, Any]  # the whole JSON, unchecked


def write_recipe(
    folder: Path,
    network: nn.Module,
    model: str,
    num_classes: int,
    plan: Plan,
    facts: Mapping[str, Any],
    *,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write weights and recipe of a pruned network into `folder`.

    Args:
        model: name in the zoo that `plan` was made for.
        facts: what else a reader should know: normalization, classes, cost.
        metadata: text pairs for the header of the weights.
    """
    save_weights(network, folder / WEIGHTS, metadata)
    recipe = {
        "format": FORMAT,
        "model": model,
        "num_classes": num_classes,
        **facts,
        "weights": {"file": WEIGHTS, "sha256": hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()},
        "plan": plan_to_dict(plan),
    }
    write_json(folder / RECIPE, recipe, indent=None)


def read_recipe(recipe: Path | str) -> Recipe:
    """Read a recipe and compare the weights beside it with the ones it names.

    Raises:
        ExportError: it is damaged or of a newer version, or the weights are others.
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
        model, classes = str(data["model"]), int(data["num_classes"])
        return Recipe(model, classes, plan_from_dict(data["plan"]), weights, data)
    except LegrError:
        raise
    except Exception as error:  # a recipe may come from anywhere: whatever is wrong in it, it is not used
        raise ExportError(f"{path.name} cannot be used ({error}); export the network again") from error


def rebuild(recipe: Path | str, factory: Callable[..., nn.Module] | None = None) -> nn.Module:
    """Rebuild an exported network, in evaluation mode, from its recipe and the weights beside it.

    Args:
        recipe: path of a `recipe.json`.
        factory: what built the original, for a model of your own; called with `num_classes` where it takes that.
            A recipe alone never makes this program import code, unless this machine's user has named it before.

    Raises:
        ExportError: the recipe is damaged or of a newer version, or the weights are not the ones it names.
        SettingsError: it names code that this machine's user has not named, or the factory fails.
        TraceError, WeightsError: its plan or its weights do not fit the model.
    """
    parts = read_recipe(recipe)
    if factory is None:
        network = build_model(parts.model, parts.num_classes)
    else:
        network = call_factory(factory, parts.num_classes)
    apply_plan(network, parts.plan)
    load_weights(network, parts.weights)
    return network.eval()


def zip_files(path: Path, files: Sequence[Path]) -> None:
    """Write files, without their folders, into one zip; the same files give the same bytes."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            entry = zipfile.ZipInfo(file.name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, file.read_bytes())
    write_bytes(path, content.getbuffer())
