"""Where models come from and where they are kept on this machine."""

from fieldguide.sources._files import free_bytes_at
from fieldguide.sources._interface import (
    FetchedFile,
    FetchingSource,
    Progress,
    PullOrder,
    PullProgress,
    PullStage,
)
from fieldguide.sources._manifest import Acceptance, StoredFile, StoredModel, user_name
from fieldguide.sources._model_store import ModelStore, is_repository
from fieldguide.sources._neighbours import HeldModel, Neighbours
from fieldguide.sources._offer import Offer, OfferedFile, OfferingSource, SourceSettings
from fieldguide.sources._pull_plan import Passed, PlannedFile, PullPlan
from fieldguide.sources._reference import SourceReference, parse_source_reference
from fieldguide.sources._shelf import UnfinishedPull
from fieldguide.sources.local_file import LocalFileSource
from fieldguide.sources.package import PackageSource
from fieldguide.sources.price_lists import FetchedList, fetch_price_list, keep_price_list
from fieldguide.sources.safety import check_file
from fieldguide.sources.speech_models import hub_files, hub_folder, packaged_folder
from fieldguide.sources.speech_shelf import SpeechFile, SpeechFolder, SpeechShelf
from fieldguide.sources.transfer import RefusalError, RemoteFile, TransferSettings

__all__ = [
    "Acceptance",
    "FetchedFile",
    "FetchedList",
    "FetchingSource",
    "HeldModel",
    "LocalFileSource",
    "ModelStore",
    "Neighbours",
    "Offer",
    "OfferedFile",
    "OfferingSource",
    "PackageSource",
    "Passed",
    "PlannedFile",
    "Progress",
    "PullOrder",
    "PullPlan",
    "PullProgress",
    "PullStage",
    "RefusalError",
    "RemoteFile",
    "SourceReference",
    "SourceSettings",
    "SpeechFile",
    "SpeechFolder",
    "SpeechShelf",
    "StoredFile",
    "StoredModel",
    "TransferSettings",
    "UnfinishedPull",
    "check_file",
    "fetch_price_list",
    "free_bytes_at",
    "hub_files",
    "hub_folder",
    "is_repository",
    "keep_price_list",
    "packaged_folder",
    "parse_source_reference",
    "user_name",
]
