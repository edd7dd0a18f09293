"""The folder of a study: where it is now, the places of its files, its locks. Loads without torch.

A study may come from anyone. No link in it is followed to somewhere outside of it, for reading or for writing.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from legr.errors import StudyError
from legr.held import HeldFolder, leads_out

INFO = "study.json"  # a folder with this file is a study


class StudyFolder:
    """One folder, by its name, or held open while a job works on it."""

    def __init__(self, path: Path, held: HeldFolder | None = None) -> None:
        self._path, self._held = path, held

    @property
    def path(self) -> Path:
        """The study's folder, for people and commands; as it is called now, where it is held."""
        return self._held.path if self._held else self._path

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder itself while the block runs: renamed or moved, it is followed; removed, nothing is written.

        One thread at a time; a study that is held already stays so.
        """
        if self._held:
            yield
            return
        self._held = HeldFolder(self._path)
        try:
            yield
        finally:
            self._path = self._held.path
            self._held.close()
            self._held = None

    @property
    def folder(self) -> Path:
        """The folder as its files are read and written; no name for people."""
        return self._held.base if self._held else self._path

    @property
    def descriptor(self) -> int | None:
        """The open descriptor of a folder that is held, where `folder` goes through it."""
        return self._held.descriptor if self._held and self._held.base != self._held.path else None

    @property
    def is_there(self) -> bool:
        """Whether the folder is a study still."""
        return (self.folder / INFO).is_file()

    def require_there(self) -> None:
        """Refuse to go on with a study that was removed meanwhile.

        Raises:
            StudyError: it has no `study.json` any more.
        """
        if not self.is_there:
            raise StudyError(
                f"the study {self.path.name} was deleted or moved away, so nothing more is written; open it where it "
                "is now, or restore it and run the command again"
            )

    def within(self, *parts: str) -> Path:
        """The place of a file or folder of the study.

        Raises:
            StudyError: the study is gone, or a link would lead out of it: links may come with a study from elsewhere.
        """
        path = folder = self.folder
        for part in parts:
            path = path / part
            if part in ("", "..") or Path(part).name != part or leads_out(path, folder):
                raise StudyError(
                    f"{'/'.join(parts)} leads out of the study {self.path.name}; replace the link by what it points to"
                )
        if self._held or not folder.is_dir():
            self.require_there()
        return path

    def followed(self, path: Path) -> Path:
        """A path that may lie in the study's folder: one that does stays with the folder, wherever that goes.

        Raises:
            StudyError: it lies in the folder by its name, and a link in there leads out of it.
        """
        path = Path(os.path.abspath(path))
        for folder in (path, *path.parents):
            if folder.is_dir() and folder.samefile(self.folder):
                return self.within(*path.relative_to(folder).parts)
        return path

    def files(self, folder: str, pattern: str) -> list[Path]:
        """Files of one of the study's folders, by name; links that lead out of the study are left out."""
        return files_in(self.folder, folder, pattern)

    def lock(self, name: str) -> FileLock:
        """A lock of this study; the system frees it when its process ends, however it ends."""
        return FileLock(self.within(f".{name}.lock"))


def files_in(study: Path, folder: str, pattern: str) -> list[Path]:
    """As `StudyFolder.files`."""
    if leads_out(study / folder, study):
        return []
    return sorted(path for path in (study / folder).glob(pattern) if not leads_out(path, study))
