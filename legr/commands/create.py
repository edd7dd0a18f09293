"""Make a study: load model, weights and images, trace, prove, and write the folder.

It does not know rankings other than the identity, with which the study is usable at once.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from legr.commands.network import build_cut, data_progress, require_answers, require_normalization
from legr.commands.provenance import made_of, origin_of
from legr.commands.results import NewStudy
from legr.data.class_names import CLASSES_OF, listed_names
from legr.data.encoded import ImageShape
from legr.data.folders import remember_folder
from legr.data.images import Dataset
from legr.data.load import load_dataset
from legr.data.normalization import IMAGENET_NORMALIZATION, Normalization
from legr.deploy.crosscheck import thop_macs
from legr.errors import SettingsError, StudyError, TraceError
from legr.models.head import Loaded, load_for_classes
from legr.models.weights import WeightsInfo, hash_state, save_weights
from legr.models.zoo import ModelSpec, build_model, find_spec
from legr.progress import Progress, Report
from legr.ranking.norms import filter_norms
from legr.structure.cost import dense_cost
from legr.structure.counters import count
from legr.structure.tracing.trace import trace
from legr.structure.types import Plan, Structure
from legr.structure.verify import verify
from legr.study.cuts import save_cuts
from legr.study.pass_times import note_pass_time
from legr.study.records import SearchSettings, StudyInfo
from legr.study.store import Study
from legr.training.device import fast_dtype
from legr.training.evaluate import evaluate_split

_TRIAL_IMAGES = 512  # held-out images that decide which normalisation weights were made with
_TIMED_IMAGES = 256  # that tell how long a pass takes


def create(
    path: Path,
    model: str | ModelSpec,
    weights: Path | None,
    data: str,
    normalize: str | Normalization | None,
    report: Report,
    *,
    split_seed: int = 0,
    input_shape: ImageShape | None = None,
    cuts: Plan | None = None,
    classes: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
) -> Study:
    """Make a study in `path`.

    Args:
        model: a name (`find_spec`), or the architecture itself.
        weights: file of the original's weights; None leaves them random.
        data: "digits", "cifar10" or "cifar100" (downloaded if missing), or a folder.
        normalize: "imagenet", "dataset", a normalisation, or None: what scores better on held-out images.
        input_shape: channels, height, width of the images; None is what the model was designed for.
        cuts: what is cut from the model before its weights are loaded; the study then begins there.
        classes: of the images, at least two, as `listed_names` takes them; the network then answers for these alone.
            None is all.
        outputs: classes that the weights answer for, in their order; None is all classes of the images.

    Raises:
        LegrError: see the parts; nothing is left behind that would pass for a study.
    """
    if (path / "study.json").exists():
        raise StudyError(f"{path} holds a study already; open it, or choose another folder")
    spec = find_spec(model) if isinstance(model, str) else model
    shape = input_shape or spec.input_shape
    if spec.dense:
        raise SettingsError(
            f"a study needs one answer an image, and {spec.name} answers for every place of it; "
            "look at it with `python -m legr inspect`, and prune it from Python"
        )
    require_normalization(normalize, shape)
    everything = load_dataset(
        data,
        shape,
        split_seed=split_seed,
        download=True,
        progress=data_progress(report),
    )
    dataset = everything
    if classes is not None:
        dataset = everything.of_classes(listed_names(classes, everything.classes))
    n_classes, example = len(dataset.classes), torch.zeros(1, *shape)
    build = partial(build_cut, spec, cuts)
    loaded = load_for_classes(build, weights, dataset.classes, outputs or everything.classes) if weights else None
    network, info = (loaded.network, loaded.info) if loaded else (build(n_classes), None)
    report(Progress("tracing", 0, 1))
    structure = trace(network, example)
    if structure.n_units == 0:
        reasons = dict.fromkeys(f"{remark.operation}: {remark.reason}" for remark in structure.unprunable[:3])
        why = "; ".join(reasons) or "it has no layer"
        raise TraceError(f"nothing in {spec.name} can be pruned ({why}); `python -m legr inspect` names every place")
    require_answers(network, example, n_classes)
    report(Progress("proving that zeroed = removed", 0, 1))
    error = verify(network, structure, example)
    normalization = _normalization(normalize, everything, dataset, loaded)
    if cuts is not None:
        save_cuts(path, cuts)
    save_weights(network, path / "weights.safetensors", info.metadata if info else None, half=True)
    weights_sha256 = hash_state(network.state_dict())
    note_pass_time(weights_sha256, _pass_seconds(network, dataset, normalization))
    if data not in CLASSES_OF:
        remember_folder(dataset.fingerprint, data)
    return Study.create(
        path,
        StudyInfo(
            name=path.resolve().name,
            model=spec.name,
            num_classes=len(dataset.classes),
            input_shape=shape,
            weights_sha256=weights_sha256,
            weights_origin=origin_of(info, dataset.fingerprint, split_seed) if info else "none",
            data_name=dataset.name,
            data_fingerprint=dataset.fingerprint,
            classes=dataset.classes,
            split_seed=split_seed,
            normalization={"kind": normalization.kind, "mean": normalization.mean, "std": normalization.std},
            self_check=error,
            created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            all_classes=everything.classes if n_classes < len(everything.classes) else (),
            pruned_to=None if cuts is None else _share_left(spec, structure, example, n_classes),
        ),
        structure,
        filter_norms(network, structure),
    )


def _share_left(spec: ModelSpec, structure: Structure, example: Tensor, n_classes: int) -> float:
    """MACs of a network that was cut before, as a fraction of the model's that it was cut from."""
    return dense_cost(structure).macs / count(build_model(spec, n_classes), example).macs


def _stated(info: WeightsInfo | None, dataset: Dataset) -> str | None:
    """The normalisation that `python -m legr train` notes in the header of its weights, where it is of these images."""
    made = (made_of(info) if info else None) or {}
    kind = made.get("normalization") if made.get("data") == dataset.fingerprint else None
    return kind if kind in ("imagenet", "dataset") else None


def facts(study: Study, model: nn.Module) -> NewStudy:
    """What `new` reports about a study and its original network."""
    structure, curve = study.structure, study.curve("identity")
    cost = dense_cost(structure)
    return NewStudy(
        study=study.info.name,
        model=study.info.model,
        units=structure.n_units,
        layers=len(structure.layers),
        macs=cost.macs,
        params=cost.params,
        floor=curve.floor,
        self_check=study.info.self_check,
        normalization=study.info.normalization["kind"],
        thop_macs=thop_macs(model, study.info.input_shape),
        unprunable=structure.unprunable,
    )


def _pass_seconds(network: nn.Module, dataset: Dataset, normalization: Normalization) -> float:
    """About how long a pass over the held-out images takes here, by the whole network on a few of them."""
    device = torch.device("cpu")
    images = min(_TIMED_IMAGES, len(dataset.heldout))
    order, dtype = torch.arange(images), fast_dtype(device)
    start = time.perf_counter()
    evaluate_split(network, dataset.heldout, normalization, device=device, dtype=dtype, order=order)
    return (time.perf_counter() - start) * min(SearchSettings().images, len(dataset.heldout)) / images


def _normalization(
    asked: str | Normalization | None,
    everything: Dataset,
    dataset: Dataset,
    loaded: Loaded | None,
) -> Normalization:
    """What was asked for, else what the weights say, else what suits them better.

    Args:
        everything: images of all classes, with which the weights were made.
        dataset: those of the study's classes.
        loaded: None: weights are random.
    """
    asked = asked or _stated(loaded.info if loaded else None, everything)
    if asked == "imagenet":
        return IMAGENET_NORMALIZATION
    own = everything.statistics()
    if isinstance(asked, Normalization):
        return replace(asked, kind="custom") if asked.kind == own.kind and asked != own else asked
    if asked == "dataset" or loaded is None or len(own.mean) != len(IMAGENET_NORMALIZATION.mean):
        return own
    of_all = loaded.outputs == everything.classes
    model, images = (loaded.whole, everything.heldout) if of_all else (loaded.network, dataset.heldout)
    order, cpu = torch.arange(min(_TRIAL_IMAGES, len(images))), torch.device("cpu")
    losses = {
        n.kind: evaluate_split(model, images, n, device=cpu, order=order).loss for n in (IMAGENET_NORMALIZATION, own)
    }
    return own if losses[own.kind] <= losses[IMAGENET_NORMALIZATION.kind] else IMAGENET_NORMALIZATION
