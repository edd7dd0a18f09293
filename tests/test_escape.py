"""Text from elsewhere, made harmless: expected values are written by hand after the rules of each place."""

import pytest

from legr.escape import brief, file_name, in_csv, in_data, in_html, in_markdown, in_terminal, on_one_line

JOINER = "\u2060"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;owned\x07\x1b[2J", r"\x1b]0;owned\x07\x1b[2J"),
        ("\x9b31mred", r"\x9b31mred"),  # the same as ESC [ in eight bits
        ("a\rb\tc\x7f", r"a\x0db\x09c\x7f"),
        ("first\nsecond", "first\nsecond"),
        ("txt.\u202egpj", r"txt.\u202egpj"),  # would read txt.jpg
        ("a\u2028b\u200bc\ufeff", r"a\u2028b\u200bc\ufeff"),
        ("\ud83d lone", r"\ud83d lone"),
        ("\U000e0041", r"\U000e0041"),
        ("Käse 👩‍🔬 · 中", "Käse 👩‍🔬 · 中"),
    ],
)
def test_terminal(text: str, shown: str) -> None:
    assert in_terminal(text) == shown


def test_plain_data() -> None:
    data = {"names": ["a\x1b", ("b\u202e", 1)], "n": None, "lines": "c\nd"}
    assert in_data(data) == {"names": [r"a\x1b", (r"b\u202e", 1)], "n": None, "lines": "c\nd"}


def test_one_line() -> None:
    assert on_one_line("a\r\nb \t c\x1b") == r"a b c\x1b"


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("![x](a.png) [y](z)", r"!\[x\](a.png) \[y\](z)"),
        ("<img src=x> <b>", r"\<img src=x\> \<b\>"),
        ("$x^2$ $$y$$", r"\$x^2\$ \$\$y\$\$"),
        (":red[x] :small[y]", r"\:red\[x\] \:small\[y\]"),
        (":material/home: :smile: :streamlit:", f":{JOINER}material/home: :{JOINER}smile: :{JOINER}streamlit:"),
        ("timm:resnet18", r"timm\:resnet18"),
        ("https://e.example www.e.example", f"https:{JOINER}//e.example www{JOINER}.e.example"),
        ("me@e.example", f"me{JOINER}@e.example"),
        ("&lt;b&gt; a|b", r"\&lt;b\&gt; a\|b"),
        ("# title", r"\# title"),
        ("- item", r"\- item"),
        ("--- ", r"\---"),
        ("12. item", r"12\. item"),
        ("1.5 M, -0.3", "1.5 M, -0.3"),
        ("a\n\n# b", r"a \# b"),
        ("call `conv1 [x]` now", "call `conv1 [x]` now"),
        ("``[x](y)`", r"\`\`\[x\](y)\`"),
        ("`a\n\n![x](y)", r"\`a !\[x\](y)"),
        ("\\[x](y) \\`z\\`", r"\\\[x\](y) \\`z\`"),
        ("\x1b\u202e", r"\\x1b\\u202e"),
    ],
)
def test_markdown(text: str, markdown: str) -> None:
    assert in_markdown(text) == markdown


def test_an_error_is_no_longer_than_people_read() -> None:
    short = "there is no layer 'conv9' that can be cut; did you mean conv1?"
    assert brief(short.replace(" ", "\n")) == short
    assert brief(f"there is no layer '{'a' * 5000}' that can be cut") == (
        f"there is no layer '{'a' * 149} … {'a' * 74}' that can be cut"
    )
    many = brief(f"no such thing: {'ab ' * 2000}; choose \x1banother")
    assert len(many) == 750 + 3 + 375
    assert many.startswith("no such thing: ab ab") and many.endswith("ab ; choose \\x1banother")


def test_html() -> None:
    assert in_html("<a href='x'>&lt;\n</a>\x1b") == r"&lt;a href=&#x27;x&#x27;&gt;&amp;lt; &lt;/a&gt;\x1b"


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-cmd", "@SUM(A1)", "＝1", " =1", "\n=1", "-1+2", "- 0.3", "-"])
def test_cells_that_begin_like_a_formula(text: str) -> None:
    assert in_csv(text) == f"'{text}"
    assert in_csv(in_csv(text)) == f"'{text}"


@pytest.mark.parametrize("cell", ["-0.3", "+1e-3", "conv1", "", "a=1", -0.3, 7, None])
def test_cells_that_stay(cell: object) -> None:
    assert in_csv(cell) == cell


def test_controls_in_a_cell() -> None:
    assert in_csv("\t=1") == r"\x09=1"


def test_names_of_files() -> None:
    assert file_name("../a b\u202egpj.zip") == "_a_b_gpj.zip"
    assert file_name("...") == "_"
    assert file_name("demo-macs-50.zip") == "demo-macs-50.zip"
    assert len(file_name("a" * 5000)) == 120
