"""A network as files that rebuild it anywhere: plain tensors and an export recipe in JSON, no pickle."""

import hashlib
import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, WrapValidator, model_validator
from torch import nn

from legr.data.normalization import Normalization
from legr.errors import ExportError, SettingsError
from legr.files import write_bytes, write_json
from legr.models.factories import call_factory
from legr.models.weights import load_weights, save_weights
from legr.models.zoo import build_model
from legr.record import Record
from legr.schema import Count, Name, SchemaError, Several, in_words, opened, parse, read_bytes
from legr.structure.plans import LARGEST_PLAN, StoredPlan, plan_of, plan_to_dict
from legr.structure.surgery import apply_plan
from legr.structure.types import Plan

FORMAT = 3
_WITHOUT_REMOVED = 2  # of recipes of networks that still have every block, which earlier versions read as well
_MOST_CLASSES = 1_000_000
WEIGHTS, RECIPE = "network.safetensors", "recipe.json"


@dataclass(frozen=True)
class Recipe:
    """A recipe that was read, and found to belong to the weights beside it."""

    model: str  # what `find_spec` knows it by
    num_classes: int
    plan: Plan
    weights: Path
    normalization: Normalization | None  # None: it does not say, as all below
    classes: tuple[str, ...] | None  # that the network predicts, in its order
    input_shape: tuple[int, ...] | None


@dataclass(frozen=True)
class _Head(Record):
    format: Count


@dataclass(frozen=True)
class _StoredWeights(Record):
    file: Name
    sha256: Name


def _usable(data: Any, build: Callable[[Any], Normalization]) -> Normalization:
    try:
        return build(data)
    except (ValidationError, SettingsError) as error:
        why = in_words(error) if isinstance(error, ValidationError) else error
        raise ValueError(f"the recipe's normalization cannot be used ({why})") from None


@dataclass(frozen=True)
class _StoredRecipe(Record):
    """`recipe.json`, as far as it is read back."""

    model: Name
    num_classes: Annotated[int, Field(ge=1, le=_MOST_CLASSES)]
    weights: _StoredWeights
    plan: StoredPlan
    normalization: Annotated[Normalization, WrapValidator(_usable)] | None = None
    classes: Several[Name] | None = None
    input_shape: Several[Count] | None = None

    @model_validator(mode="after")
    def _check(self) -> "_StoredRecipe":
        if self.classes is not None and not len(set(self.classes)) == len(self.classes) == self.num_classes:
            raise ValueError(
                f"the recipe names {len(self.classes)} classes for {self.num_classes} outputs, and each must have one "
                "of its own"
            )
        return self


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
        "format": FORMAT if plan.removed else _WITHOUT_REMOVED,
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
        content = read_bytes(path, LARGEST_PLAN)
        if parse(content, _Head).format > FORMAT:
            raise ExportError(
                f"{path.name} was written by a newer version (format {parse(content, _Head).format}, "
                f"this one reads {FORMAT}); update the program"
            )
        stored = parse(content, _StoredRecipe)
        weights = path.parent / Path(stored.weights.file).name
        if _sha256(weights) != stored.weights.sha256:
            raise ExportError(f"{weights.name} is not the file that {path.name} was written with; export again")
        plan = plan_of(stored.plan)
    except (OSError, SchemaError, SettingsError) as error:
        raise ExportError(f"{path.name} cannot be used ({error}); export the network again") from error
    return Recipe(
        model=stored.model,
        num_classes=stored.num_classes,
        plan=plan,
        weights=weights,
        normalization=stored.normalization,
        classes=stored.classes,
        input_shape=stored.input_shape,
    )


def _sha256(path: Path) -> str:
    with opened(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
