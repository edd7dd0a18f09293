"""Folders of images: both layouts read in full, and everything that can be wrong with them named."""

from pathlib import Path

import pytest

from legr.data.encoded import EncodedSplit
from legr.data.readers import open_folder
from legr.errors import DataError
from tests.data.pictures import encoded, write_class_folders, write_parquet, write_parquet_folder


def names_of(split: EncodedSplit) -> list[str]:
    return [image.name for chunk in split.chunks() for image in chunk]


def test_class_folders_are_read_in_order_of_name(tmp_path: Path) -> None:
    found = open_folder(write_class_folders(tmp_path, ("bee", "ant"), n_train=3))
    assert found.classes == ("ant", "bee")
    assert found.train.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert found.test.labels.tolist() == [0, 0, 1, 1]
    assert names_of(found.train)[3] == str(tmp_path / "train" / "bee" / "000.png")
    assert found.files[:2] == ("train/ant/000.png", "train/ant/001.png")
    assert len(found.files) == 10


def test_pictures_in_deeper_folders_count_and_hidden_or_other_files_do_not(tmp_path: Path) -> None:
    write_class_folders(tmp_path, n_train=1)
    deeper = tmp_path / "train" / "ant" / "images"
    deeper.mkdir()
    (deeper / "a.JPEG").write_bytes(encoded((0, 0, 0), kind="JPEG"))
    (deeper / "._a.JPEG").write_bytes(b"what a Mac leaves behind")
    (deeper / "notes.txt").write_text("no picture")
    (tmp_path / "train" / ".cache").mkdir()
    found = open_folder(tmp_path)
    assert found.classes == ("ant", "bee")
    assert [Path(name).name for name in names_of(found.train)] == ["000.png", "a.JPEG", "000.png"]


def test_test_goes_before_val_and_val_stands_in_for_it(tmp_path: Path) -> None:
    found = open_folder(write_class_folders(tmp_path / "only val", tested="val"))
    assert "/val/" in names_of(found.test)[0]
    both = write_class_folders(tmp_path / "both", tested="val")
    (both / "val").rename(both / "test")
    (both / "val" / "ant").mkdir(parents=True)
    assert "/test/" in names_of(open_folder(both).test)[0]
    unlabelled = write_class_folders(tmp_path / "unlabelled test", tested="val")
    (unlabelled / "test").mkdir()
    (unlabelled / "test" / "1.png").write_bytes(encoded((0, 0, 0)))
    assert "/val/" in names_of(open_folder(unlabelled).test)[0]


def test_incomplete_class_folders_are_refused(tmp_path: Path) -> None:
    lonely = write_class_folders(tmp_path / "a")
    (lonely / "test").rename(lonely / "elsewhere")
    with pytest.raises(DataError, match="neither test/<class>/ nor val/<class>/: add one"):
        open_folder(lonely)
    stranger = write_class_folders(tmp_path / "b")
    (stranger / "test" / "wasp").mkdir()
    with pytest.raises(DataError, match="has the class 'wasp', which train/ lacks"):
        open_folder(stranger)
    hollow = write_class_folders(tmp_path / "c")
    (hollow / "train" / "wasp").mkdir()
    with pytest.raises(DataError, match="wasp holds no images: add some"):
        open_folder(hollow)
    untested = write_class_folders(tmp_path / "d")
    for path in (untested / "test").rglob("*.png"):
        path.unlink()
    with pytest.raises(DataError, match="test holds no images: add some"):
        open_folder(untested)


def test_parquet_shards_are_read_in_order(tmp_path: Path) -> None:
    found = open_folder(write_parquet_folder(tmp_path, n_train=3))
    assert found.classes == ("ant", "bee")
    assert found.root == tmp_path / "data"
    assert found.train.labels.tolist() == [0, 0, 0, 1, 1, 1]  # the first shard holds the ants
    assert found.files == (
        "train-00000-of-00002.parquet",
        "train-00001-of-00002.parquet",
        "test-00000-of-00001.parquet",
    )
    names = names_of(found.train)
    assert len(names) == 6
    assert names[4] == f"1.png in row 1 of {tmp_path}/data/train-00001-of-00002.parquet"
    assert len(names_of(found.train)) == 6  # every pass starts anew


def test_the_data_folder_itself_may_be_named(tmp_path: Path) -> None:
    write_parquet_folder(tmp_path)
    assert open_folder(tmp_path / "data").files == open_folder(tmp_path).files


def test_other_column_names_and_validation_files_will_do(tmp_path: Path) -> None:
    black = encoded((0, 0, 0))
    for name in ("train-0", "validation-0"):
        write_parquet(tmp_path / f"{name}.parquet", [black] * 3, [2, 0, 1], columns=("img", "fine_label"))
    found = open_folder(tmp_path)
    assert found.classes == ("class 0", "class 1", "class 2")
    assert found.test.labels.tolist() == [2, 0, 1]


def parquet_pair(folder: Path, labels: list[int | None], image: bytes | None = b"?") -> Path:
    write_parquet(folder / "train-0.parquet", [b"?", b"?"], [0, 1])
    write_parquet(folder / "test-0.parquet", [image] * len(labels), labels)
    return folder


@pytest.mark.parametrize(("labels", "said"), [([0, -1], -1), ([0, 2], 2), ([None], -1)])
def test_labels_out_of_range_are_refused(tmp_path: Path, labels: list[int | None], said: int) -> None:
    with pytest.raises(DataError, match=f"test-0.parquet has an image with the label {said}, .* from 0 to 1"):
        open_folder(parquet_pair(tmp_path, labels))


def test_an_image_without_bytes_is_refused(tmp_path: Path) -> None:
    found = open_folder(parquet_pair(tmp_path, [0], image=None))
    with pytest.raises(DataError, match=r"in row 0 of .*test-0.parquet has no bytes: embed"):
        names_of(found.test)


def test_wrong_columns_are_refused(tmp_path: Path) -> None:
    write_parquet(tmp_path / "train-0.parquet", [b"?"], [0], columns=("picture", "label"))
    with pytest.raises(DataError, match=r"no test-\*.parquet or validation-\*.parquet: add one"):
        open_folder(tmp_path)
    write_parquet(tmp_path / "test-0.parquet", [b"?"], [0])
    with pytest.raises(DataError, match=r"a column image or img .* got picture, label"):
        open_folder(tmp_path)
    write_parquet(tmp_path / "train-0.parquet", [b"?"], [0], columns=("label", "image"))
    with pytest.raises(DataError, match=r"the column image of .* must be a struct with the field bytes, got int64"):
        open_folder(tmp_path)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.95])
def test_a_truncated_parquet_file_is_named(tmp_path: Path, share: float) -> None:
    write_parquet_folder(tmp_path)
    path = tmp_path / "data" / "train-00001-of-00002.parquet"
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(DataError, match=r"train-00001-of-00002.parquet is truncated, damaged or not a parquet"):
        open_folder(tmp_path)


def test_a_folder_of_neither_layout_is_told_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"looked for data/train-\*.parquet .* and for train/<class>/ with"):
        open_folder(tmp_path)
