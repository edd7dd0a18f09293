"""The images of a study."""

from legr.data.folders import downloadable, find_source
from legr.data.images import Dataset
from legr.data.load import load_dataset
from legr.errors import DataError
from legr.progress import Report, silent
from legr.study.store import Study


def images_of(study: Study, report: Report = silent) -> Dataset:
    """Load the images that a study was made with.

    Raises:
        DataError: they are not on this machine, or the folder holds others now.
    """
    info = study.info
    source = find_source(info.data_name, info.data_fingerprint)
    if source is None:
        raise DataError(
            f"the images of this study ({info.data_name}) are not known on this machine; "
            f"name their folder with `python -m legr data --study {study.path} --folder DIR`"
            + (", or download them with --download" if downloadable(info.data_name, info.data_fingerprint) else "")
        )
    dataset = load_dataset(source, info.input_shape, split_seed=info.split_seed, report=report)
    if dataset.fingerprint != info.data_fingerprint:
        raise DataError(
            f"{source} holds other images than this study was made with; "
            "name the right folder with `python -m legr data`"
        )
    return dataset if dataset.classes == info.classes else dataset.of_classes(info.classes)
