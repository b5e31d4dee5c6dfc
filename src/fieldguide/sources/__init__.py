"""Where models come from and where they are kept on this machine."""

from fieldguide.sources._interface import (
    FetchedFile,
    FetchingSource,
    Progress,
    PullOrder,
    PullProgress,
    PullStage,
)
from fieldguide.sources._manifest import StoredModel
from fieldguide.sources._model_store import ModelStore
from fieldguide.sources._reference import SourceReference, parse_source_reference
from fieldguide.sources.local_file import LocalFileSource
from fieldguide.sources.package import PackageSource
from fieldguide.sources.price_lists import FetchedList, fetch_price_list, keep_price_list
from fieldguide.sources.speech_models import hub_files, hub_folder, packaged_folder

__all__ = [
    "FetchedFile",
    "FetchedList",
    "FetchingSource",
    "LocalFileSource",
    "ModelStore",
    "PackageSource",
    "Progress",
    "PullOrder",
    "PullProgress",
    "PullStage",
    "SourceReference",
    "StoredModel",
    "fetch_price_list",
    "hub_files",
    "hub_folder",
    "keep_price_list",
    "packaged_folder",
    "parse_source_reference",
]
