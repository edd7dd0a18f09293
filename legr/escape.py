"""Text from elsewhere, made harmless where it is shown: the one place for terminals, Markdown, HTML and CSV.

Names of studies, classes, layers and files, notes, error sentences and stages of jobs come from people who are not the
user. Nothing in them may act: no colour or title in a terminal, no link, picture or formula on a page, no formula in a
spreadsheet.
"""

import html
import re
import unicodedata
from typing import Any, TypeVar, cast

__all__ = ["brief", "file_name", "in_csv", "in_data", "in_html", "in_line", "in_markdown", "in_terminal", "on_one_line"]

Cell = TypeVar("Cell")
Data = TypeVar("Data")

_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # controls, marks of direction, halves of characters, separators of lines
_JOINERS = "\u200c\u200d"  # between letters of some scripts, and within emoji
_LONGEST_FILE_NAME = 120
_LONGEST_WORD, _LONGEST_SENTENCE = 300, 1500  # of an error; a path is one word

_CODE = re.compile(r"((?<!`)`[^`\n]+`(?!`))")
_SYNTAX = re.compile(r"([\\`*_$~\[\]<>#|&{}])")
_DIRECTIVE = re.compile(r":(?=[a-zA-Z])")  # :red[…], :material/home:
_LIST_OR_RULE = re.compile(r"^([-+=])(?=[-+=\s]|$)|^(\d+)(?=[.)](?:\s|$))")  # at the start of a line
_JOINER = "\u2060"  # has no width; what looks for links and emoji after the escapes are read does not look across it
_LINKED = re.compile(r"(https?:(?=//)|www(?=\.)|(?<=[-.\w+])(?=@[-\w]+\.)|:(?=[\w+/-]+:))", re.IGNORECASE)
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)


def in_terminal(text: str) -> str:
    """Show characters that would act on a terminal, or turn what is around them, as escapes such as \\x1b.

    Line ends stay. An escape is longer than one character, so columns may move.
    """
    if text.replace("\n", "").isprintable():
        return text
    return "".join(character if _is_shown(character) else _escaped(character) for character in text)


def in_line(text: str) -> str:
    """The same for a line of several, in which a line end would begin a line that nobody wrote."""
    return in_terminal(text).replace("\n", _escaped("\n"))


def in_data(data: Data) -> Data:
    """Plain data, every text in it as `in_terminal` shows it: for scripts that put texts on a page as they are."""
    plain: Any = data
    if isinstance(plain, str):
        plain = in_terminal(plain)
    elif isinstance(plain, dict):
        plain = {name: in_data(value) for name, value in plain.items()}
    elif isinstance(plain, list | tuple):
        plain = type(plain)(map(in_data, plain))
    return cast(Data, plain)


def on_one_line(text: str) -> str:
    """A sentence as `in_terminal` shows it, with spaces in place of line ends and runs of space."""
    return in_terminal(" ".join(text.split()))


def brief(text: str) -> str:
    """An error as `on_one_line` shows it, no longer than people read: what was given may be repeated in it."""
    words = (_without_middle(word, _LONGEST_WORD) for word in text.split())
    return _without_middle(in_terminal(" ".join(words)), _LONGEST_SENTENCE)


def _without_middle(text: str, longest: int) -> str:
    """Of a longer text the first half and the last quarter, where the remedy stands."""
    return text if len(text) <= longest else f"{text[: longest // 2]} … {text[-longest // 4 :]}"


def in_markdown(text: str) -> str:
    """One line that Streamlit's Markdown shows as it is; what stands between single backticks is shown as code.

    Formulas, directives, icons and emoji are no more read than links and HTML. Addresses of web pages get a joiner of
    no width, without which Markdown would make links of them.
    """
    parts = _CODE.split(on_one_line(text))
    return "".join(part if n % 2 else _escape_markdown(part, at_start=n == 0) for n, part in enumerate(parts))


def _escape_markdown(text: str, *, at_start: bool) -> str:
    text = _LINKED.sub(lambda found: found[0] + _JOINER, text)
    text = _DIRECTIVE.sub(r"\\:", _SYNTAX.sub(r"\\\1", text))
    return _LIST_OR_RULE.sub(_escape_start, text) if at_start else text


def _escape_start(found: re.Match[str]) -> str:
    mark, number = found.groups()
    return f"\\{mark}" if mark else f"{number}\\"


def in_html(text: str) -> str:
    """One line that HTML shows as it is; Plotly reads tags and entities in every text of a chart."""
    return html.escape(on_one_line(text), quote=True)


def in_csv(cell: Cell) -> Cell | str:
    """A cell that no spreadsheet takes for a formula: text that begins with =, +, - or @ gets an apostrophe (OWASP).

    Numbers stay numbers, also those that are written as text, such as -0.3.
    """
    if not isinstance(cell, str):
        return cell
    text = in_terminal(cell)
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def file_name(text: str) -> str:
    """A name for a file that is downloaded: letters, digits and -._ stay, anything else becomes an underscore."""
    name = re.sub(r"[^\w.-]", "_", text).lstrip(".-")
    return name[:_LONGEST_FILE_NAME] or "_"


def _is_shown(character: str) -> bool:
    return character == "\n" or character in _JOINERS or unicodedata.category(character) not in _HIDDEN


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
