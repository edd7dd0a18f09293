"""Rules: how channel labels flow through each operation, and what it demands of the channels.

One file for each family of operations; `registry` is the table. An operation without a rule makes the channels
that touch it unprunable and is reported: never a guess.
"""

# Each family registers its rules when it is imported.
from legr.structure.tracing.rules import elementwise, layers, movement, norms, reduction, slices  # noqa: F401
from legr.structure.tracing.rules.registry import (
    UNKNOWN,
    Rule,
    decomposes,
    find,
    given_up,
    is_view,
    may_be_nonfinite,
    registered,
)

__all__ = ["UNKNOWN", "Rule", "decomposes", "find", "given_up", "is_view", "may_be_nonfinite", "registered"]
