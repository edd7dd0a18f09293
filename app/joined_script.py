"""ES modules joined into one text, so that a browser asks once and not fifty times.

They stay modules for editors, `tsc` and `node --test`. Each is put behind those that it imports, and the words `import`
and `export` are dropped. Tests hold what that needs: no name stands at the top of two modules, and every import has the
form `import { a, b } from "./file.js";`. Types, a quarter of the text, and indentation are for readers only and are
left out. So no text in backquotes may depend on indentation.
"""

import re
from pathlib import Path

_IMPORT = re.compile(r'^import \{[^}]*\} from "\./([\w-]+\.js)";\n', re.MULTILINE)
_TYPES = re.compile(r"^ */\*\*(?:(?!\*/).)*\*/\n", re.MULTILINE | re.DOTALL)  # JSDoc on lines of its own
_INDENTATION = re.compile(r"^ +", re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default)", re.MULTILINE)


def joined_script(entry: Path) -> str:
    """Join a module with all of its folder that it imports; only a default export is left of its exports."""
    modules: dict[str, str] = {}

    def add(name: str) -> None:
        if name in modules:
            return
        text = (entry.parent / name).read_text(encoding="utf-8")
        for imported in _IMPORT.findall(text):
            add(imported)
        modules[name] = _INDENTATION.sub("", _TYPES.sub("", _EXPORT.sub("", _IMPORT.sub("", text))))

    add(entry.name)
    return "\n".join(modules.values())
