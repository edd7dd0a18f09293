"""Read a folder of parquet files as Hugging Face writes image data sets: train-* with test-* or validation-*."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from legr.data.encoded import CHUNK, EncodedImage, ImageFolder, labelled
from legr.errors import DataError
from legr.outside import require_plain_file
from legr.schema import SchemaError, parse

__all__ = ["LAYOUT", "open_parquet_folder"]

LAYOUT = "data/train-*.parquet or train-*.parquet with test-*.parquet or validation-*.parquet"
# What the columns are called in published data sets, the likeliest name first.
IMAGE_COLUMNS = ("image", "img")
LABEL_COLUMNS = ("label", "fine_label", "labels")


def open_parquet_folder(folder: Path) -> ImageFolder | None:
    """Return the images of `folder` or its data/, or None where it has no train-*.parquet; test-* goes first.

    Raises:
        DataError: a file is damaged, a part or a column is missing, or a label is out of range.
    """
    root = next((root for root in (folder / "data", folder) if any(root.glob("train-*.parquet"))), None)
    if root is None:
        return None
    train = sorted(root.glob("train-*.parquet"))
    test = sorted(root.glob("test-*.parquet")) or sorted(root.glob("validation-*.parquet"))
    if not test:
        raise DataError(f"{root} has train-*.parquet but no test-*.parquet or validation-*.parquet: add one")
    image, label, classes = _read_schema(train[0])
    train_labels, test_labels = _read_labels(train, label), _read_labels(test, label)
    classes = classes or tuple(f"class {number}" for number in range(max(train_labels, default=-1) + 1))
    return ImageFolder(
        root=root,
        files=tuple(path.name for path in (*train, *test)),
        classes=classes,
        train=labelled(f"{root}/train-*", train_labels, len(classes), partial(_chunks, train, image)),
        test=labelled(f"{root}/{test[0].name}", test_labels, len(classes), partial(_chunks, test, image)),
    )


def _read_schema(path: Path) -> tuple[str, str, tuple[str, ...]]:
    """Return the image column, the label column and the class names, empty where the file names none."""
    with _opened(path) as file:
        schema = file.schema_arrow
    image = next((name for name in IMAGE_COLUMNS if name in schema.names), None)
    label = next((name for name in LABEL_COLUMNS if name in schema.names), None)
    if image is None or label is None:
        raise DataError(
            f"{path} must have a column {' or '.join(IMAGE_COLUMNS)} and a column "
            f"{' or '.join(LABEL_COLUMNS)}, got {', '.join(schema.names)}: rename its columns"
        )
    cell = schema.field(image).type
    if "bytes" not in getattr(cell, "names", ()):
        raise DataError(
            f"the column {image} of {path} must be a struct with the field bytes, got {cell}: "
            "write the images encoded (PNG, JPEG, WebP)"
        )
    return image, label, _class_names(schema.metadata or {}, label)


def _class_names(metadata: dict[bytes, bytes], label: str) -> tuple[str, ...]:
    try:
        names = parse(metadata[b"huggingface"], dict[str, Any])["info"]["features"][label]["names"]
    except (ValueError, KeyError, TypeError):
        return ()
    return tuple(str(name) for name in names) if isinstance(names, list) else ()


def _read_labels(paths: Sequence[Path], column: str) -> list[int]:
    labels: list[int] = []
    for path in paths:
        with _opened(path) as file:
            cells = file.read(columns=[column]).column(column).to_pylist()
        # -1 is what published test sets give an image without a label.
        labels += [-1 if cell is None else int(cell) for cell in cells]
    return labels


def _chunks(paths: Sequence[Path], column: str) -> Iterator[list[EncodedImage]]:
    for path in paths:
        row = 0
        with _opened(path) as file:
            for batch in file.iter_batches(batch_size=CHUNK, columns=[column]):
                cells = batch.column(0).to_pylist()
                yield [_image(path, row + index, cell) for index, cell in enumerate(cells)]
                row += len(cells)


def _image(path: Path, row: int, cell: dict[str, Any] | None) -> EncodedImage:
    name = f"in row {row} of {path}"
    if cell is None or cell["bytes"] is None:
        raise DataError(f"the image {name} has no bytes: embed the images when writing the file")
    return EncodedImage(f"{cell['path']} {name}" if cell.get("path") else name, cell["bytes"])


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Yield the parquet file; what goes wrong with it while it is open becomes a DataError."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise DataError("reading parquet files needs pyarrow: run pip install pyarrow") from None
    try:
        require_plain_file(path)
        with pq.ParquetFile(path) as file:
            yield file
    except (OSError, SchemaError, pa.ArrowException) as error:
        raise DataError(f"{path} is truncated, damaged or not a parquet file ({error}): copy it again") from error
