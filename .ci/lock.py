"""Write requirements-lock.txt: the versions of all that the requirements files need, as installed where this runs."""

from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
FILES = ("requirements.txt", "requirements-dev.txt")
HEADER = """\
# The exact versions that the tests ran with; `make lock` writes this file. To install these and no others:
#     pip install -r requirements-dev.txt -c requirements-lock.txt
"""


def direct_requirements() -> list[Requirement]:
    """What the requirements files name."""
    lines = [line.split("#")[0].strip() for name in FILES for line in (ROOT / name).read_text().splitlines()]
    return [Requirement(line) for line in lines if line and not line.startswith("-")]


def locked_versions() -> dict[str, str]:
    """Versions of these packages and of all that they need in turn, without the build ("+cpu") that a machine chose."""
    versions: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(requirement, extra) for requirement in direct_requirements() for extra in ("", *requirement.extras)]
    while waiting:
        requirement, extra = waiting.pop()
        name = canonicalize_name(requirement.name)
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        package = distribution(name)
        versions[name] = Version(package.version).public
        for needed in map(Requirement, package.requires or ()):
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                waiting += [(needed, part) for part in ("", *needed.extras)]
    return dict(sorted(versions.items()))


if __name__ == "__main__":
    lines = [f"{name}=={version}\n" for name, version in locked_versions().items()]
    (ROOT / "requirements-lock.txt").write_text(HEADER + "".join(lines))
