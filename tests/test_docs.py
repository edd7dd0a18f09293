"""The documents say what is there: commands, public names, environment variables, links, and files of the map."""

import re
from pathlib import Path

import pytest

import legr
from legr.cli.reference import PAGE, reference
from tests.test_house import FLOORS

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted(DOCS.glob("*.md"))]
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
_VARIABLE = re.compile(r"environ(?:\.get\(|\[)\s*\"(\w+)\"|\"(LEGR_\w+)\"")


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def anchors_of(path: Path) -> set[str]:
    """Anchors of a page's headings, as GitHub and the site both make them of plain words."""
    headings = re.findall(r"^#+ (.+)$", _FENCED.sub("", text_of(path)), re.MULTILINE)
    words = (re.sub(r"[^\w\s-]", "", heading).strip().lower() for heading in headings)
    return {re.sub(r"\s+", "-", text) for text in words}


def test_command_reference_is_what_the_commands_say() -> None:
    assert text_of(PAGE) == reference(), "run `python -m legr.cli.reference`"


def test_every_public_name_is_in_the_api() -> None:
    named = re.findall(r"^::: legr\.(\w+)$", text_of(DOCS / "api.md"), re.MULTILINE)
    assert sorted(named) == sorted(legr.__all__)


def test_every_environment_variable_is_documented() -> None:
    page = set(re.findall(r"^\| `(\w+)` \|", text_of(DOCS / "environment.md"), re.MULTILINE))
    files = [ROOT / "streamlit_app.py"]
    files += [path for folder in ("legr", "app", "pages", "samples", "tests") for path in (ROOT / folder).rglob("*.py")]
    code = {name for path in files for match in _VARIABLE.findall(text_of(path)) for name in match if name}
    assert page == code


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for link in _LINK.findall(_FENCED.sub("", text_of(path))):
        if link.startswith(("https://", "http://")):
            continue
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        assert target.exists(), link
        assert not anchor or anchor in anchors_of(target), link


def test_the_site_lists_every_page() -> None:
    listed = re.findall(r"^ +- [^:]+: ([\w-]+\.md)$", text_of(ROOT / "mkdocs.yml"), re.MULTILINE)
    assert sorted(listed) == sorted(path.name for path in DOCS.glob("*.md"))


def test_the_two_commands_of_the_readme_are_targets() -> None:
    commands = re.findall(r"^make (\w+) +#", text_of(ROOT / "README.md"), re.MULTILINE)
    assert commands == ["run", "test"]
    assert all(re.search(rf"^{target}:", text_of(ROOT / "Makefile"), re.MULTILINE) for target in commands)


def mapped() -> list[Path]:
    """Every file and folder that the map of CONTRIBUTING names."""
    block = text_of(ROOT / "CONTRIBUTING.md").split("## The map")[1].split("```")[1].strip("\n")
    folders, paths = [ROOT], []
    for line in block.splitlines():
        names = re.split(r" {2,}", line.strip())[0].split(" ") if "  " in line.strip() else line.split()[:1]
        folders = folders[: 1 + (len(line) - len(line.lstrip())) // 2]
        paths += [folders[-1] / name for name in names if name.endswith(("/", ".py"))]
        if names[0].endswith("/"):
            folders.append(folders[-1] / names[0])
    return paths


def test_the_map_names_every_package_and_nothing_else() -> None:
    paths = mapped()
    assert [path for path in paths if not path.exists()] == []
    packages = {path.parent for room in ("legr", "app") for path in (ROOT / room).rglob("__init__.py")}
    assert packages <= set(paths)


def test_the_floors_of_imports_are_those_of_the_test() -> None:
    (line,) = re.findall(r"^structure < .*$", text_of(ROOT / "CONTRIBUTING.md"), re.MULTILINE)
    *floors, app, pages = [set(floor.split(", ")) for floor in line.split(" < ")]
    packages = [{room for room in floor if (ROOT / "legr" / room).is_dir()} for floor in FLOORS]
    assert (floors, app, pages) == ([rooms for rooms in packages if rooms], {"app"}, {"pages"})


def test_contributing_names_targets_of_the_makefile() -> None:
    named = re.findall(r"^make ([\w-]+)", text_of(ROOT / "CONTRIBUTING.md"), re.MULTILINE)
    targets = re.findall(r"^([\w-]+):", text_of(ROOT / "Makefile"), re.MULTILINE)
    assert set(named) <= set(targets)


def test_the_glossary_names_keys_that_files_have() -> None:
    rows = re.findall(r"^\| \*\*.*\| ([^|]*) \|$", text_of(DOCS / "glossary.md"), re.MULTILINE)
    keys = {key for cell in rows for key in re.findall(r"`(\w+)`", cell)}
    code = "\n".join(text_of(path) for path in (ROOT / "legr").rglob("*.py"))
    assert {"held", "tied", "hindered", "made", "moments"} <= keys
    assert [key for key in sorted(keys) if not re.search(rf"\b{key}\b", code)] == []


def test_every_line_on_security_has_its_test() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text_of(DOCS / "security.md"))
    assert len(named) > 15
    for path, test in named:
        assert f"def {test}(" in text_of(ROOT / path), f"{path}::{test}"
    rows = re.findall(r"^\| (?!what it may try|---).*$", text_of(DOCS / "security.md"), re.MULTILINE)
    assert all("::test_" in row for row in rows)
