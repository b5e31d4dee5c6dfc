"""Pulling what a hub offers into the store, over real HTTP on loopback."""

from __future__ import annotations

import hashlib
import json
import resource
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fieldguide.errors import AccessDeniedError, IntegrityError, NotFoundError, OfflineError, SourceError
from fieldguide.http_client import new_session
from fieldguide.sources import LocalFileSource, ModelStore, PullProgress
from fieldguide.sources._files import locked
from fieldguide.sources._neighbours import Neighbours
from fieldguide.sources._offer import Offer, OfferedFile
from fieldguide.sources._pull_plan import Passed, PullPlan
from fieldguide.sources._reference import SourceReference
from fieldguide.sources.transfer import RefusalError, RemoteFile, TransferSettings
from tests.support.range_server import NONE, Asked, Fault, RangeServer

NOBODY: frozenset[str] = frozenset()
FILES = {
    "m-q4.gguf": b"GGUF" + b"4" * 300_000,
    "m-q8.gguf": b"GGUF" + b"8" * 300_000,
    "README.md": b"# m",
    "big-00001-of-00002.gguf": b"GGUF1" * 1000,
    "big-00002-of-00002.gguf": b"GGUF2" * 1000,
}
TENSORS = {
    "model.safetensors": b"s" * 5000,
    "config.json": b"{}",
    "sub/other.json": b"[]",
}


class Hub:
    """A source whose files a loopback server has; the first revision is `c1`."""

    def __init__(self, server: RangeServer, *, checksums: bool = True) -> None:
        self.server = server
        self.checksums = checksums
        self.asked = 0
        self.files = FILES

    def offer(self, reference: SourceReference) -> Offer:
        self.asked += 1
        files = tuple(
            OfferedFile(
                path=path,
                remote=RemoteFile(
                    url=f"{self.server.origin}/{path}",
                    name=path,
                    size_bytes=len(content),
                    sha256=hashlib.sha256(content).hexdigest() if self.checksums else None,
                ),
            )
            for path, content in self.files.items()
        )
        pinned = SourceReference(source="hf", name=reference.name, revision=reference.revision or "c1")
        return Offer(reference=pinned, files=files, licence="mit")

    def refused(self, refusal: RefusalError, reference: SourceReference) -> SourceError:
        return AccessDeniedError(f"{reference}: {refusal.status}")


@pytest.fixture
def server() -> Iterator[RangeServer]:
    with RangeServer({f"/{path}": content for path, content in {**FILES, **TENSORS}.items()}) as running:
        yield running


def store(home: Path, hub: Hub, neighbours: Neighbours | None = None) -> ModelStore:
    fast = TransferSettings(new_session=new_session, chunk_bytes=64 << 10, first_wait_s=0.001, most_faults=3)
    return ModelStore(home, open_source=lambda name: hub, transfer=fast, neighbours=neighbours)


def tree(home: Path) -> list[str]:
    return sorted(str(path.relative_to(home)) for path in home.rglob("*") if path.is_file())


def test_a_pattern_pulls_one_file_and_names_it(home: Path, server: RangeServer) -> None:
    """The model is stored under the file's name, pinned to the commit, and nothing else is left."""
    models = store(home, Hub(server))
    stored = models.pull("hf:o/r#*Q4.gguf", accepted_licences=NOBODY)
    assert (stored.name, stored.reference, stored.pinned) == ("m-q4", "hf:o/r@c1#m-q4.gguf", True)
    assert stored.path.read_bytes() == FILES["m-q4.gguf"]
    assert [path for path in tree(home) if "lock" not in path] == [
        f"models/blobs/sha256-{stored.sha256}.gguf",
        "models/manifests/m-q4.json",
    ]


@pytest.mark.parametrize("asked", ["m-q4", "hf:o/r#*q4.gguf", "hf:o/r@c1#m-q4.gguf", "hf:o/r"])
def test_a_stored_model_is_found_without_asking_its_hub(home: Path, server: RangeServer, asked: str) -> None:
    """By its name and by every reference that means it."""
    hub = Hub(server)
    models = store(home, hub)
    models.pull("hf:o/r#m-q4.gguf", accepted_licences=NOBODY)
    hub.asked = 0
    found = models.find(asked)
    assert found is not None
    assert (found.name, hub.asked) == ("m-q4", 0)
    assert models.find("hf:o/r#*q8*") is None
    assert models.find("hf:o/r@c2#m-q4.gguf") is None


def test_a_second_pull_brings_nothing(home: Path, server: RangeServer) -> None:
    """The hub is asked what there is, and its bytes are here."""
    models = store(home, Hub(server))
    models.pull("hf:o/r#m-q4.gguf", accepted_licences=NOBODY)
    before = server.sent_bytes
    models.pull("hf:o/r#m-q4.gguf", accepted_licences=NOBODY)
    assert server.sent_bytes == before


def test_parts_lie_together_under_their_own_names(home: Path, server: RangeServer) -> None:
    """An engine finds the other parts of a split file beside the first."""
    models = store(home, Hub(server))
    stored = models.pull("hf:o/r#big*", accepted_licences=NOBODY)
    assert stored.name == "big"
    assert sorted(path.name for path in stored.path.parent.iterdir()) == [
        "big-00001-of-00002.gguf",
        "big-00002-of-00002.gguf",
    ]
    assert stored.size_bytes == 10_000
    models.verify("big")


def test_a_folder_of_safetensors_is_one_model(home: Path, server: RangeServer) -> None:
    """Its path is the folder; every byte lies on the disk once."""
    hub = Hub(server)
    hub.files = TENSORS
    stored = store(home, hub).pull("hf:o/Tensors", accepted_licences=NOBODY)
    assert (stored.name, stored.kind) == ("tensors", "safetensors")
    assert sorted(path.name for path in stored.path.iterdir()) == ["config.json", "model.safetensors"]
    assert (stored.path / "model.safetensors").stat().st_nlink == 2


def test_removing_frees_what_nothing_else_needs(home: Path, server: RangeServer) -> None:
    """Two models share a file; it goes with the last of them, and the tree with its model."""
    hub = Hub(server)
    models = store(home, hub)
    models.pull("hf:o/r#m-q4.gguf", accepted_licences=NOBODY)
    models.pull("hf:p/copy#m-q4.gguf", accepted_licences=NOBODY)
    models.pull("hf:o/r#big*", accepted_licences=NOBODY)
    assert [model.name for model in models.list()] == ["big", "m-q4", "p--m-q4"]
    assert models.remove("m-q4") == 0
    assert models.remove("p--m-q4") == len(FILES["m-q4.gguf"])
    assert models.remove("big") == 10_000
    assert [path for path in tree(home) if "lock" not in path] == []


def test_an_interrupted_pull_goes_on_and_can_be_removed(home: Path, server: RangeServer) -> None:
    """What came stays for the next pull; `remove` clears it away."""
    models = store(home, Hub(server))
    server.fault = lambda asked: Fault("refuse") if asked.number > 3 else NONE
    with pytest.raises(OfflineError):
        models.pull("hf:o/r#m-q4.gguf", accepted_licences=NOBODY)
    assert models.list() == ()
    assert models.remove("m-q4") > 0
    assert [path for path in tree(home) if "lock" not in path] == []


def test_a_plan_writes_nothing(home: Path, server: RangeServer) -> None:
    """What would come, how large it is, and what is here already."""
    models = store(home, Hub(server))
    plan = models.plan("hf:o/r#m-q4.gguf")
    assert (plan.name, plan.missing_bytes, plan.licence, plan.gated) == ("m-q4", 300_004, "mit", False)
    assert not home.exists()


def test_a_gate_is_asked_before_the_first_byte(home: Path, server: RangeServer) -> None:
    """What it raises stops the pull; what it returns is the licence that is written down."""
    models = store(home, Hub(server))

    def closed(plan: PullPlan) -> Passed:
        raise SourceError(f"{plan.name} does not fit.")

    with pytest.raises(SourceError, match="does not fit"):
        models.pull("hf:o/r#m-q4.gguf", accepted_licences=NOBODY, gate=closed)
    assert server.asked == []
    stored = models.pull(
        "hf:o/r#m-q4.gguf", accepted_licences=NOBODY, gate=lambda plan: Passed(licence_id=plan.licence)
    )
    assert stored.licence_id == "mit"


def test_a_check_that_objects_keeps_a_file_out(home: Path, server: RangeServer) -> None:
    """Nothing is stored; a warning is kept with the model."""

    def check(path: str, place: Path) -> tuple[str, ...]:
        if path == "m-q8.gguf":
            raise SourceError(f"{path} is not safe.")
        return (f"{path} is odd",)

    hub = Hub(server)
    models = ModelStore(home, open_source=lambda name: hub, check=check)
    with pytest.raises(SourceError, match="not safe"):
        models.pull("hf:o/r#m-q8.gguf", accepted_licences=NOBODY)
    assert models.list() == ()
    assert models.pull("hf:o/r#m-q4.gguf", accepted_licences=NOBODY).warnings == ("m-q4.gguf is odd",)


def test_wrong_bytes_never_reach_the_store(home: Path, server: RangeServer) -> None:
    """A server whose file is another one than the hub promised."""
    server.files["/m-q4.gguf"] = FILES["m-q4.gguf"].replace(b"4", b"5")
    with pytest.raises(IntegrityError):
        store(home, Hub(server)).pull("hf:o/r#m-q4.gguf", accepted_licences=NOBODY)
    assert not list((home / "models/blobs").iterdir())


def test_a_refusal_is_told_in_the_words_of_its_source(home: Path, server: RangeServer) -> None:
    """The source knows what its status means."""
    server.fault = lambda asked: Fault("status", status=403)
    with pytest.raises(AccessDeniedError, match="403"):
        store(home, Hub(server)).pull("hf:o/r#m-q4.gguf", accepted_licences=NOBODY)


def test_a_hub_without_checksums_is_recorded_as_not_pinned(home: Path, server: RangeServer) -> None:
    """What came is written down, and the same commit need not come twice."""
    models = store(home, Hub(server, checksums=False))
    stored = models.pull("hf:o/r#m-q4.gguf", accepted_licences=NOBODY)
    assert not stored.pinned
    assert stored.sha256 == hashlib.sha256(FILES["m-q4.gguf"]).hexdigest()
    before = server.sent_bytes
    models.pull("hf:o/r#m-q4.gguf", accepted_licences=NOBODY)
    assert server.sent_bytes == before


@pytest.mark.parametrize("where", ["hugging_face", "ollama", "lm_studio"])
def test_files_of_other_programs_are_used_in_place(home: Path, server: RangeServer, tmp_path: Path, where: str) -> None:
    """Nothing is brought and nothing copied; `remove` leaves the other program's file alone."""
    sha256 = hashlib.sha256(FILES["m-q4.gguf"]).hexdigest()
    place = {
        "hugging_face": tmp_path / "hub/models--o--r/blobs" / sha256,
        "ollama": tmp_path / "ollama/blobs" / f"sha256-{sha256}",
        "lm_studio": tmp_path / "studio/o/r/m-q4.gguf",
    }[where]
    place.parent.mkdir(parents=True)
    place.write_bytes(FILES["m-q4.gguf"])
    neighbours = Neighbours(
        hugging_face=(tmp_path / "hub",), ollama=(tmp_path / "ollama",), lm_studio=(tmp_path / "studio",)
    )
    models = store(home, Hub(server), neighbours)
    stored = models.pull("hf:o/r#m-q4.gguf", accepted_licences=NOBODY)
    assert stored.path == place
    assert server.asked == []
    models.verify("m-q4")
    assert models.remove("m-q4") == 0
    assert place.exists()


def test_a_file_of_another_program_that_is_not_the_promised_one_is_not_used(
    home: Path, server: RangeServer, tmp_path: Path
) -> None:
    """The same name and size are not enough."""
    place = tmp_path / "studio/o/r/m-q4.gguf"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"x" * len(FILES["m-q4.gguf"]))
    stored = store(home, Hub(server), Neighbours(lm_studio=(tmp_path / "studio",))).pull(
        "hf:o/r#m-q4.gguf", accepted_licences=NOBODY
    )
    assert stored.path.is_relative_to(home)


def test_a_file_that_another_program_removed_counts_as_not_here(
    home: Path, server: RangeServer, tmp_path: Path
) -> None:
    """The next pull brings it."""
    place = tmp_path / "studio/o/r/m-q4.gguf"
    place.parent.mkdir(parents=True)
    place.write_bytes(FILES["m-q4.gguf"])
    models = store(home, Hub(server), Neighbours(lm_studio=(tmp_path / "studio",)))
    models.pull("hf:o/r#m-q4.gguf", accepted_licences=NOBODY)
    place.unlink()
    assert models.find("m-q4") is None
    assert models.pull("hf:o/r#m-q4.gguf", accepted_licences=NOBODY).path.is_relative_to(home)


def test_two_pulls_of_the_same_file_share_one_download(home: Path, server: RangeServer) -> None:
    """The second waits, says so, and finds the bytes there."""
    server.pause_s = 0.05
    waited: list[PullProgress] = []
    errors: list[Exception] = []

    def pull(reference: str, told: list[PullProgress]) -> None:
        try:
            store(home, Hub(server)).pull(reference, accepted_licences=NOBODY, progress=told.append)
        except Exception as error:
            errors.append(error)

    first = threading.Thread(target=pull, args=("hf:o/r#m-q4.gguf", []))
    first.start()
    while not server.asked:
        pass
    pull("hf:p/copy#m-q4.gguf", waited)
    first.join()
    assert errors == []
    assert server.sent_bytes == len(FILES["m-q4.gguf"])
    assert any(each.stage == "waiting" for each in waited)


def test_a_name_that_is_taken_gets_its_owner_and_then_a_digest(home: Path, server: RangeServer) -> None:
    """No pull ever replaces another repository's model."""
    models = store(home, Hub(server))
    references = ["hf:o/r#m-q4.gguf", "hf:p/r#m-q4.gguf", "hf:p/other#m-q4.gguf"]
    names = [models.pull(reference, accepted_licences=NOBODY).name for reference in references]
    assert names[:2] == ["m-q4", "p--m-q4"]
    assert names[2].startswith("p--m-q4-")
    assert len({model.reference for model in models.list()}) == 3


@pytest.mark.parametrize("path", ["../../evil.gguf", "/etc/evil.gguf", "a\\..\\evil.gguf"])
def test_a_repository_cannot_name_a_path_outside(home: Path, server: RangeServer, path: str) -> None:
    """Not even in its list of files."""
    hub = Hub(server)
    hub.files = {path: b"GGUF"}
    with pytest.raises(SourceError, match="no path inside"):
        store(home, hub).pull("hf:o/r", accepted_licences=NOBODY)


def test_a_manifest_cannot_name_a_path_outside(home: Path, server: RangeServer) -> None:
    """One that was tampered with is damaged."""
    models = store(home, Hub(server))
    models.pull("hf:o/r#big*", accepted_licences=NOBODY)
    manifest = home / "models/manifests/big.json"
    changed = json.loads(manifest.read_text())
    changed["files"][0]["path"] = "../../../evil"
    manifest.write_text(json.dumps(changed))
    with pytest.raises(SourceError):
        models.find("big")


def test_what_was_never_pulled_cannot_be_verified_or_removed(home: Path, server: RangeServer) -> None:
    """And asking does not create anything."""
    models = store(home, Hub(server))
    for act in (models.verify, models.remove):
        with pytest.raises(NotFoundError):
            act("hf:o/r#m-q4.gguf")
    assert not home.exists()


def test_progress_tells_rate_and_time_left(home: Path, server: RangeServer) -> None:
    """Once enough has been seen."""
    server.pause_s = 0.3
    seen: list[PullProgress] = []
    store(home, Hub(server)).pull("hf:o/r#m-q4.gguf", accepted_licences=NOBODY, progress=seen.append)
    assert any(each.bytes_per_s and each.left_s is not None for each in seen)
    assert seen[-1].stage == "done"


def test_every_request_goes_to_where_the_offer_says(home: Path, server: RangeServer) -> None:
    """And each byte is asked for once."""
    asked: list[Asked] = server.asked
    store(home, Hub(server)).pull("hf:o/r#m-q8.gguf", accepted_licences=NOBODY)
    assert {each.path for each in asked} == {"/m-q8.gguf"}
    assert replace(asked[0], number=1) == asked[0]


def test_a_repository_whose_name_begins_another_s_replaces_nothing(home: Path, server: RangeServer) -> None:
    """`o/model` is not `o/model-v2`, even with a file of the same name."""
    models = store(home, Hub(server))
    second = models.pull("hf:o/model-v2#m-q4.gguf", accepted_licences=NOBODY)
    first = models.pull("hf:o/model#m-q4.gguf", accepted_licences=NOBODY)
    assert first.name != second.name
    assert {model.reference for model in models.list()} == {first.reference, second.reference}


@pytest.mark.parametrize("paths", [("a.gguf", "a.gguf"), ("a.gguf", "a.gguf/b.gguf")])
def test_two_files_that_cannot_lie_side_by_side_are_refused(paths: tuple[str, ...]) -> None:
    """Before a byte comes: a file cannot be there twice, nor be a folder too."""
    files = tuple(OfferedFile(path=path, remote=RemoteFile(url="http://h/f", name=path)) for path in paths)
    with pytest.raises(SourceError, match="side by side"):
        Offer(reference=SourceReference(source="hf", name="o/r"), files=files)


@pytest.mark.parametrize("name", ["blobs", "smollm2-135m-instruct"])
def test_no_repository_takes_a_name_that_has_a_meaning(home: Path, server: RangeServer, name: str) -> None:
    """Neither the folder of files on their way, which would be cleared, nor an entry of the catalogue."""
    on_its_way = home / "downloads" / "blobs" / ("a" * 64)
    on_its_way.parent.mkdir(parents=True)
    on_its_way.write_bytes(b"of another pull")
    hub = Hub(server)
    hub.files = {f"{name}.gguf": b"GGUFodd"}
    server.files[f"/{name}.gguf"] = b"GGUFodd"
    stored = store(home, hub).pull("hf:o/r", accepted_licences=NOBODY)
    assert stored.name == f"o--{name}"
    assert on_its_way.exists()


def test_a_repository_cannot_lock_itself_out(home: Path, server: RangeServer) -> None:
    """A model may be called as the lock of its own file would be, and comes all the same."""
    content = b"GGUFlock"
    name = f"file-{hashlib.sha256(content).hexdigest()}"
    hub = Hub(server)
    hub.files = {f"{name}.gguf": content}
    server.files[f"/{name}.gguf"] = content

    def impatient(told: PullProgress) -> None:
        assert told.stage != "waiting"

    assert store(home, hub).pull("hf:o/r", accepted_licences=NOBODY, progress=impatient).name == name


def test_what_another_pull_brings_under_another_name_is_not_removed(home: Path, server: RangeServer) -> None:
    """The file is cleared away once nobody holds it."""
    models = store(home, Hub(server))
    models.pull("hf:o/r#m-q4.gguf", accepted_licences=NOBODY)
    key = hashlib.sha256(FILES["m-q4.gguf"]).hexdigest()
    on_its_way = home / "downloads" / "blobs" / key
    on_its_way.parent.mkdir(parents=True, exist_ok=True)
    on_its_way.write_bytes(b"half")
    order = home / "downloads" / "m-q4" / "order.json"
    order.parent.mkdir()
    order.write_text(json.dumps({"keys": [key]}))
    with locked(home / "models" / "locks" / f".file-{key}.lock", waiting=lambda: None):
        models.remove("m-q4")
    assert on_its_way.read_bytes() == b"half"


def test_a_tree_that_a_kill_has_left_goes_with_the_next_removal(home: Path, server: RangeServer) -> None:
    """Its links would keep bytes on the disk that nobody sees."""
    models = store(home, Hub(server))
    stored = models.pull("hf:o/r#m-q4.gguf", accepted_licences=NOBODY)
    left = home / "models" / "trees" / "gone"
    left.mkdir(parents=True)
    (left / "part.gguf").hardlink_to(stored.path)
    models.remove(stored.name)
    assert not left.exists()


def test_a_file_that_goes_between_plan_and_pull_is_brought_again(home: Path, server: RangeServer) -> None:
    """As when `remove` runs in another terminal while this one asks for an answer."""
    models = store(home, Hub(server))
    first = models.pull("hf:o/r#m-q4.gguf", accepted_licences=NOBODY)

    def gate(plan: PullPlan) -> Passed:
        models.remove(first.name)
        return Passed()

    again = models.pull("hf:o/r#m-q4.gguf", accepted_licences=NOBODY, gate=gate)
    assert again.path.read_bytes() == FILES["m-q4.gguf"]


def test_a_file_of_the_store_that_was_named_by_another_path_stays_while_it_is_needed(
    home: Path, server: RangeServer, tmp_path: Path
) -> None:
    """The user folder is a link: a model that was pulled as a file of yours from the store itself needs it too."""
    link = tmp_path / "link"
    home.mkdir(exist_ok=True)
    link.symlink_to(home)
    first = store(link, Hub(server)).pull("hf:o/r#m-q4.gguf", accepted_licences=NOBODY)
    own = ModelStore(link, open_source=lambda name: LocalFileSource())
    second = own.pull(f"file:{first.path}", accepted_licences=NOBODY)
    assert own.remove(first.name) == 0
    assert own.verify(second.name).sha256 == first.sha256


def test_a_volume_whose_files_end_early_is_a_clear_error(home: Path, server: RangeServer) -> None:
    """As FAT's do at 4 GB."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(SourceError, match="as large as this"):
            store(home, Hub(server)).pull("hf:o/r#m-q4.gguf", accepted_licences=NOBODY)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
