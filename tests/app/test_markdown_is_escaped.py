"""Nothing reaches Streamlit's Markdown but words of our own, numbers, and text that went through `plain`."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: Calls whose texts are Markdown: all their positional texts, and these keywords.
CALLS = {
    *("markdown", "write", "caption", "title", "header", "subheader", "error", "warning", "info", "success", "toast"),
    *("button", "form_submit_button", "download_button", "expander", "popover", "checkbox", "toggle", "radio", "badge"),
    *("text_input", "text_area", "number_input", "selectbox", "multiselect", "segmented_control", "file_uploader"),
    *("metric", "progress", "spinner", "page_link", "link_button", "tabs", "image"),
}
KEYWORDS = {"help", "label", "text", "caption", "delta", "delta_description"}
FIRST = {"image": 1}  # the place of the text, where it is not the first
ESCAPES = {"plain", "_prediction_description"}


def our_own(node: ast.AST, names: dict[str, list[ast.AST]], seen: frozenset[str] = frozenset()) -> bool:
    """Whether a text is made of constants, numbers and escaped text alone, as far as its function shows."""

    def own(other: ast.AST) -> bool:
        return our_own(other, names, seen)

    match node:
        case ast.Constant():
            return True
        case ast.JoinedStr():
            return all(own(part) for part in node.values)
        case ast.FormattedValue():
            form = ast.unparse(node.format_spec)[2:-1] if node.format_spec else ""
            return (form[-1:] in "dfgeE%" and bool(form)) or form == "," or own(node.value)
        case ast.BinOp(op=ast.Add()):
            return own(node.left) and own(node.right)
        case ast.IfExp():
            return own(node.body) and own(node.orelse)
        case ast.BoolOp():
            return all(own(value) for value in node.values)
        case ast.Call(func=ast.Name(id=name)):
            return name in ESCAPES | {"len", "int", "round", "plural", "duration"}
        case ast.Call(func=ast.Attribute(attr="join"), args=[parts]):
            match parts:
                case ast.Call(func=ast.Name(id="map"), args=[ast.Name(id=name), *_]):
                    return name in ESCAPES
                case ast.GeneratorExp(elt=each):
                    return own(each)
            return own(parts)
        case ast.Call(func=ast.Attribute(attr="replace", value=text)):
            return own(text)
        case ast.Name(id=name):
            if name.isupper() or name.lstrip("_").isupper():
                return True  # a constant of the module
            return (
                name not in seen
                and name in names
                and all(our_own(value, names, seen | {name}) for value in names[name])
            )
        case ast.Subscript(value=ast.Name(id=name)) | ast.Attribute(value=ast.Name(id=name)):
            return name.lstrip("_").isupper() or name in OWN_RECORDS
        case ast.List() | ast.Tuple():
            return all(own(each) for each in node.elts)
    return False


OWN_RECORDS = {"step", "row", "cifar", "defaults"}  # our own tables: steps of the welcome, outcomes, data sets, recipes


def assigned(function: ast.AST) -> dict[str, list[ast.AST]]:
    """What each name of a function is ever set to; a parameter is set to something unknown."""
    names: dict[str, list[ast.AST]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                pairs = [(target, node.value)]
                if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    pairs = list(zip(target.elts, node.value.elts, strict=True))
                for one, value in pairs:
                    if isinstance(one, ast.Name):
                        names.setdefault(one.id, []).append(value)
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            names.setdefault(node.target.id, []).append(node.value)
    return names


def unescaped(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        names = assigned(function)
        for call in ast.walk(function):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in CALLS):
                continue
            place = FIRST.get(call.func.attr, 0)
            texts = call.args[place : place + 1] if call.func.attr != "progress" else []
            texts += [keyword.value for keyword in call.keywords if keyword.arg in KEYWORDS]
            for text in texts:
                if not our_own(text, names):
                    yield f"{path.relative_to(ROOT)}:{text.lineno} {ast.unparse(text)[:90]}"


def test_every_text_of_a_page_is_escaped() -> None:
    paths = [path for folder in ("app", "pages") for path in sorted((ROOT / folder).rglob("*.py"))]
    found = [line for path in paths for line in unescaped(path)]
    assert not found, "pass them through app.words.plain:\n" + "\n".join(sorted(set(found)))


def test_tables_are_written_in_one_place() -> None:
    for folder in ("app", "pages"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            assert path.name == "cells.py" or ".to_csv(" not in text, f"{path}: use legr.charts.cells.csv_of"
            assert "unsafe_allow_html" not in text, path
            for line in text.splitlines():
                assert "st.dataframe(" not in line or "safe_cells(" in line or line.rstrip().endswith("("), (
                    f"{path}: {line}"
                )
