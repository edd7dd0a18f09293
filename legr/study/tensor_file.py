"""Files of tensors in a study, read with care: whatever is wrong with one is one sentence. No torch."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from legr.errors import StudyError
from legr.held import shown
from legr.outside import require_plain_file


@contextmanager
def reading(
    path: Path, remedy: str, *, tensors: bool = True
) -> Iterator[tuple[dict[str, NDArray[Any]], dict[str, str]]]:
    """Tensors and metadata of a file.

    Args:
        remedy: what to do where the file is damaged, or what is made of it in the block cannot be.
        tensors: read them as well.

    Raises:
        StudyError: something is wrong with it, also as found in the block.
    """
    try:
        require_plain_file(path)
        with safe_open(path, framework="np") as file:
            names = file.keys() if tensors else ()
            content = {name: file.get_tensor(name) for name in names}, dict(file.metadata() or {})
        yield content
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, IndexError) as error:
        raise damaged_tensors(path, error, remedy) from error


def damaged_tensors(path: Path, why: object, remedy: str) -> StudyError:
    """What is said of a damaged file in one of the study's folders."""
    study = Path(shown(str(path))).parent.parent.name
    return StudyError(f"{study}/{path.parent.name}/{path.name} cannot be read ({why}); {remedy}")
