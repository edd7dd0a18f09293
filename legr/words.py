"""Counts in words."""


def plural(count: int, noun: str) -> str:
    """A count with its noun: 1 epoch, 1,024 units."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def unsteady_words(networks: int) -> str:
    """What is said of latencies that are unsteady: a sentence without its end."""
    return f"the times of {plural(networks, 'network')} varied by over a tenth, also when taken again"
