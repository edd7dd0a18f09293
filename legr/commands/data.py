"""Tell this machine where a study's images are; they are neither copied nor converted."""

from pathlib import Path

from legr.commands.images import images_of
from legr.commands.results import LocatedImages
from legr.data.cifar import CIFARS
from legr.data.folders import downloadable, remember_folder
from legr.data.load import load_dataset
from legr.errors import DataError, SettingsError
from legr.progress import Report
from legr.study.store import Study


def locate(study: Study, folder: Path | None, download: bool, report: Report) -> LocatedImages:
    """Remember `folder` as the place of the study's images, or download them.

    Raises:
        DataError: the folder holds other images than the study was made with.
        SettingsError: neither or both are asked for, or the images cannot be downloaded.
    """
    if download == (folder is not None):
        raise SettingsError("give either --folder DIR or --download")
    info = study.info
    if download:
        if downloadable(info.data_name, info.data_fingerprint) is None:
            raise SettingsError(
                f"only {' and '.join(CIFARS)} as this version holds them can be downloaded, and the images of this "
                f"study ({info.data_name}) are others; use --folder DIR, or make the study anew"
            )
        load_dataset(info.data_name, info.input_shape, download=True, report=report)
    else:
        assert folder is not None
        dataset = load_dataset(str(folder), info.input_shape, split_seed=info.split_seed, report=report)
        if dataset.fingerprint != info.data_fingerprint:
            raise DataError(
                f"{folder.name} holds other images than this study was made with "
                f"({info.data_name}); name another folder"
            )
        remember_folder(dataset.fingerprint, folder)
    return LocatedImages(ok=True, images=len(images_of(study, report).test))
