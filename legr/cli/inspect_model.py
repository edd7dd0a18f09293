"""The command that looks at a model alone: inspect.

It does not know how a model is traced.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from legr.cli import terminal
from legr.cli.options import Json

_ROWS, _MODULES, _WIDTH = 20, 2, 88


def inspect(
    model: Annotated[str, typer.Option(help="Name of the model, timm:NAME, or package.module:factory.")],
    shape: Annotated[
        str | None, typer.Option("--input", help="Shape of its input, such as 1x3x224x224; several by commas.")
    ] = None,
    weights: Annotated[Path | None, typer.Option(help="File of its weights; random ones without.")] = None,
    classes: Annotated[int | None, typer.Option(help="Outputs; by default what the model has.")] = None,
    json: Json = False,
) -> None:
    """What of a model can be pruned, what that saves at most, and why the rest cannot."""
    from legr.commands.inspect import inspect as run_inspect
    from legr.models.input_shape import input_shapes
    from legr.models.zoo import choose_model

    shapes = input_shapes(shape) if shape else None
    spec, own_weights = choose_model(model)
    found = run_inspect(spec, num_classes=classes, shapes=shapes, weights=weights or own_weights)
    terminal.result(found, json, "\n".join([*_facts(found), *_table(found)]))


def _facts(found: dict[str, Any]) -> list[str]:
    inputs = " and ".join("x".join(map(str, shape)) for shape in found["inputs"])
    floor = found["floor"]
    return [
        f"{found['model']} on {inputs}: {found['units']} units in {found['layers']} layers and {found['groups']} "
        f"groups; {found['macs'] / 1e6:.1f} M MACs, {found['params'] / 1e6:.3f} M parameters, "
        f"{found['activation_bytes'] / 2**20:.1f} MiB of activations",
        f"{100 * found['prunable_macs']:.1f} % of the MACs can be pruned, down to {100 * floor['macs']:.1f} % of MACs "
        f"and {100 * floor['params']:.1f} % of parameters; traced in {found['trace_seconds']:.1f} s, "
        f"zeroed = removed to {found['self_check']:.0e}",
    ]


def _table(found: dict[str, Any]) -> list[str]:
    from legr.structure.types import Remark
    from legr.structure.unprunable import merge_reasons

    rows = merge_reasons(*([Remark(**remark) for remark in found[key]] for key in ("held", "tied")))
    lines = ["", "channels  unprunable because"] if rows else []
    for row in rows[:_ROWS]:
        places = ", ".join(name or "the model" for name in row.modules[:_MODULES])
        more = f" and {len(row.modules) - _MODULES} more" if len(row.modules) > _MODULES else ""
        together = " (leave together)" if row.kind == "coupled" else ""
        lines += [f"{row.channels:8d}  {row.operation}: {row.reason}{together}", f"{'':10}in {places}{more}"]
    if len(rows) > _ROWS:
        lines.append(f"{'':10}{len(rows) - _ROWS} further reasons: --json lists all")
    for name, sentence in (("untouched", "parameters are never read"), ("exempt", "norms run over channels")):
        if found[name]:
            lines.append(f"{len(found[name]):8d}  {sentence}: {_first(found[name])}")
    return lines


def _first(names: list[str]) -> str:
    return ", ".join(names[:_MODULES]) + (", …" if len(names) > _MODULES else "")
