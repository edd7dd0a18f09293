"""A folder that stays the same one whatever it is called: it is held open, and found again when it is renamed.

On Linux the files of a held folder are reached through its descriptor, so no rename comes between two steps, and
nothing can be written once the folder was removed. Elsewhere its name is looked up anew each time.
"""

import os
import re
import sys
from pathlib import Path

__all__ = ["HeldFolder", "is_handed_on", "leads_out", "shown"]

_DESCRIPTORS = Path("/proc/self/fd")  # Linux: /proc/self/fd/7 is the folder itself
_THROUGH_DESCRIPTOR = re.compile(r"/proc/self/fd/\d+")
_DELETED = " (deleted)"  # what Linux appends to the name of a folder that is gone
_LONGEST_PATH = 1024  # that macOS tells


class HeldFolder:
    """A folder that is held open until `close`. Where a folder cannot be opened (Windows), its name is believed.

    Raises:
        OSError: there is no such folder.
    """

    def __init__(self, path: Path) -> None:
        through = is_handed_on(path)
        self._last = Path(shown(str(path))) if through else path
        self.descriptor: int | None = None
        if hasattr(os, "O_DIRECTORY"):
            self.descriptor = os.dup(int(path.name)) if through else os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        opened = _DESCRIPTORS / str(self.descriptor)
        self._base = opened if self.descriptor is not None and opened.is_dir() else None

    @property
    def base(self) -> Path:
        """The folder as its files are read and written; nothing for people."""
        return self._base or self.path

    @property
    def path(self) -> Path:
        """The folder's name as it is now; the last one where it is gone."""
        if self.descriptor is not None and not _is_same(self._last, self.descriptor):
            found = _name_of(self.descriptor)
            if found is not None and _is_same(found, self.descriptor):
                self._last = found
        return self._last

    def close(self) -> None:
        """Let go of the folder."""
        _ = self.path  # the name as it is at the end
        if self.descriptor is not None:
            os.close(self.descriptor)
        self.descriptor = self._base = None


def is_handed_on(path: Path) -> bool:
    """Whether a path is that of a folder which another process held and handed on."""
    return _THROUGH_DESCRIPTOR.fullmatch(str(path)) is not None


def shown(text: str) -> str:
    """A text for people: folders that are reached through a descriptor by their names."""
    return _THROUGH_DESCRIPTOR.sub(lambda found: _link_of(Path(found[0])) or found[0], text)


def leads_out(path: Path, folder: Path) -> bool:
    """Whether `path`, right below `folder` or deeper, is a link to somewhere outside of `folder`."""
    return path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def _is_same(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except OSError:
        return False


def _name_of(descriptor: int) -> Path | None:
    if sys.platform == "darwin":
        import fcntl

        answer: bytes = fcntl.fcntl(descriptor, fcntl.F_GETPATH, bytes(_LONGEST_PATH))
        return Path(os.fsdecode(answer.rstrip(b"\0")))
    name = _link_of(_DESCRIPTORS / str(descriptor))
    return Path(name) if name else None


def _link_of(path: Path) -> str | None:
    try:
        return os.readlink(path).removesuffix(_DELETED)
    except OSError:
        return None
