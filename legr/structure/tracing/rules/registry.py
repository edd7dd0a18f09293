"""The table of rules: a rule says how channel labels flow through an operation, and registers itself here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from legr.structure.operations import Call, base_name
from legr.structure.tracing.channels import Channels
from legr.structure.tracing.rules.fallback import refuted, unknown

Apply = Callable[[Channels, Call], None]

_NAMESPACES = ("aten", "torchvision")


@dataclass(frozen=True, slots=True)
class Rule:
    """How channel labels flow through an operation, and what else a trace and a dry run must know of it.

    Attributes:
        apply: labels the outputs from the labels of the inputs, and says which channels the operation couples,
            unites or makes unprunable.
        reads_axes: whether it follows parameters dim by dim; any other rule takes a parameter as a whole, which
            makes all of it unprunable.
        is_view: whether the operation only looks at its input in another way.
        may_be_nonfinite: whether the operation may return NaN or infinity for a channel that is zero.
        creates: whether the operation reads nothing of its inputs but dtype and device.
    """

    apply: Apply
    reads_axes: bool = False
    is_view: bool = False
    may_be_nonfinite: bool = False
    creates: bool = False


UNKNOWN = Rule(unknown)

_BY_NAME: dict[str, Rule] = {}
_BY_TAG: dict[torch.Tag, Rule] = {}


def rule(
    operations: str,
    *,
    tag: torch.Tag | None = None,
    reads_axes: bool = False,
    is_view: bool = False,
    may_be_nonfinite: bool = False,
    creates: bool = False,
) -> Callable[[Apply], Apply]:
    """Register the decorated function as the rule of some operations; see `Rule` for its properties.

    Args:
        operations: names separated by spaces, without namespace, overload and the underscore of in-place forms.
        tag: it is also the rule of every operation with this tag that has no rule of its own.

    Raises:
        ValueError: one of the operations has a rule already.
    """

    def register(apply: Apply) -> Apply:
        entry = Rule(apply, reads_axes, is_view, may_be_nonfinite, creates)
        for name in operations.split():
            if name in _BY_NAME:
                raise ValueError(f"an operation must have one rule, got a second one for {name}; drop one of the two")
            _BY_NAME[name] = entry
        if tag is not None:
            _BY_TAG[tag] = entry
        return apply

    return register


def find(func: Any) -> Rule | None:
    """The rule of an operation, or None."""
    if func.namespace not in _NAMESPACES:
        return None
    by_tag = (entry for tag, entry in _BY_TAG.items() if tag in func.tags)
    return _BY_NAME.get(base_name(func)) or next(by_tag, None)


def given_up(rule: Rule | None) -> Rule:
    """The rule of an operation that a dry run has refuted, in place of its own."""
    return Rule(refuted, creates=rule is not None and rule.creates)


def is_view(name: str) -> bool:
    """Whether operations of this name only look at their input in another way."""
    return name in _BY_NAME and _BY_NAME[name].is_view


def may_be_nonfinite(name: str) -> bool:
    """Whether operations of this name may return NaN or infinity for a channel that is zero."""
    return name in _BY_NAME and _BY_NAME[name].may_be_nonfinite


def registered() -> dict[str, Rule]:
    """Every rule by the name of its operation."""
    return dict(_BY_NAME)


def decomposes(func: Any) -> bool:
    """Whether an operation is made of others that a trace can follow instead."""
    key = torch._C.DispatchKey.CompositeImplicitAutograd
    return bool(func._can_decompose() and func.has_kernel_for_dispatch_key(key))
