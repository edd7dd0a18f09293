"""Small picture folders for tests: plain-coloured squares, so that what was read can be told by its colour.

It does not know the readers.
"""

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from PIL import Image


def encoded(colour: tuple[int, int, int], size: tuple[int, int] = (8, 8), kind: str = "PNG") -> bytes:
    """Return a picture of one colour, (width, height) pixels."""
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, kind)
    return buffer.getvalue()


def colour_of(label: int, number: int) -> tuple[int, int, int]:
    """Return a colour that tells class and number apart."""
    return (10 * label, number, 200)


def write_class_folders(
    folder: Path, classes: Sequence[str] = ("ant", "bee"), n_train: int = 10, tested: str = "test"
) -> Path:
    """Write train/<class>/ with `n_train` pictures a class and `tested`/<class>/ with two."""
    for part, count in (("train", n_train), (tested, 2)):
        for label, name in enumerate(classes):
            place = folder / part / name
            place.mkdir(parents=True)
            for number in range(count):
                (place / f"{number:03}.png").write_bytes(encoded(colour_of(label, number)))
    return folder


def write_parquet(
    path: Path,
    images: Sequence[bytes | None],
    labels: Sequence[int | None],
    names: Sequence[str] = (),
    columns: tuple[str, str] = ("image", "label"),
) -> Path:
    """Write a parquet file as Hugging Face does; without `names` its metadata name no classes."""
    cells: list[dict[str, Any]] = [{"bytes": image, "path": f"{number}.png"} for number, image in enumerate(images)]
    image_type = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    table = pa.table({columns[0]: pa.array(cells, image_type), columns[1]: pa.array(list(labels), pa.int64())})
    if names:
        features = {columns[0]: {"_type": "Image"}, columns[1]: {"_type": "ClassLabel", "names": list(names)}}
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)
    return path


def write_parquet_folder(folder: Path, names: Sequence[str] = ("ant", "bee"), n_train: int = 10) -> Path:
    """Write data/train-*.parquet in two shards and data/test-*.parquet, `n_train` pictures a class."""
    pictures = [(label, number) for number in range(n_train) for label in range(2)]
    shards = {"train-00000-of-00002": pictures[::2], "train-00001-of-00002": pictures[1::2]}
    for name, some in (shards | {"test-00000-of-00001": [(0, 0), (1, 1)]}).items():
        images = [encoded(colour_of(*picture)) for picture in some]
        write_parquet(folder / "data" / f"{name}.parquet", images, [label for label, _ in some], names)
    return folder
