"""The exam of speech recognition: what is found, what is asked, how it is judged."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from fieldguide.benchmarks import ExamRequest
from fieldguide.benchmarks.asr import Asr
from fieldguide.domain import Audio, Completion, ExamItem, FinishReason, Outcome, Score
from fieldguide.errors import DatasetUnavailableError, InputFileError, UnknownNameError
from tests.support.recordings import spoken_folder, tone

SAID = {"one": "The child almost hurt the small dog", "two": "A thin stripe runs down", "three": "What joy"}


def judged(text: str, said: str = "the small brown dog", *, language: str = "en", reason: str = "stop") -> Score:
    item = ExamItem(item="x", target=said, prompt="", metadata={"language": language})
    return Asr().scorer("fieldguide").score(item, Completion(text=text, finish_reason=FinishReason(reason)))


def test_the_exam_is_the_same_wherever_its_recordings_lie(tmp_path: Path) -> None:
    """Its id rests on what the files hold; the limit is a prefix; paths and bytes stand in no line."""
    here = spoken_folder(tmp_path / "here", SAID)
    there = Path(shutil.copytree(here, tmp_path / "there"))
    exam, other = (Asr().exam(ExamRequest(data_dir=each)) for each in (here, there))
    assert exam.exam_id == other.exam_id
    assert {item.item for item in exam.items} == {"set/one", "set/two", "set/three"}
    short = Asr().exam(ExamRequest(data_dir=here, limit=2))
    assert short.items == exam.items[:2]
    assert (exam.available_items, short.available_items) == (3, 3)
    line = json.dumps(exam.items[0].as_json(with_target=False))
    assert str(tmp_path) not in line
    assert len(line) < 1000
    recording = exam.items[0].messages[0].blocks[1]  # type: ignore[index]
    assert isinstance(recording, Audio)
    assert recording.kept is not None
    assert recording.kept.read()[:4] == b"RIFF"


def test_another_sound_is_another_exam(tmp_path: Path) -> None:
    """The recording itself is part of the id, and a changed file is noticed when it is read."""
    folder = spoken_folder(tmp_path, SAID)
    exam = Asr().exam(ExamRequest(data_dir=folder))
    kept = [item.messages[0].blocks[1].kept for item in exam.items]  # type: ignore[index, union-attr]
    for name in SAID:
        tone(folder / "speech" / "set" / f"{name}.wav", hz=999)
    assert Asr().exam(ExamRequest(data_dir=folder)).exam_id != exam.exam_id
    with pytest.raises(OSError, match="has changed"):
        kept[0].read()  # type: ignore[union-attr]


def test_lists_of_the_usual_kinds_are_found(tmp_path: Path) -> None:
    """LibriSpeech's tree, a table with tabs and a folder of clips, FLEURS without a first line, a NeMo manifest."""
    root = tmp_path / "speech"
    tone(root / "LibriSpeech" / "test-clean" / "1089" / "134686" / "1089-134686-0000.wav", hz=301)
    (root / "LibriSpeech" / "test-clean" / "1089" / "134686" / "1089-134686.trans.txt").write_text(
        "1089-134686-0000 HE HOPED THERE WOULD BE STEW\n"
    )
    tone(root / "cv" / "clips" / "a.wav", hz=302)
    (root / "cv" / "test.tsv").write_text("client_id\tpath\tsentence\tlocale\nx\ta.wav\tGuten Tag\tde\n")
    tone(root / "fr_fr" / "audio" / "test" / "7.wav", hz=303)
    (root / "fr_fr" / "test.tsv").write_text("1\t7.wav\tÇa va ?\tça va\tç a\t3200\tMALE\n")
    tone(root / "cmn_hans_cn" / "8.wav", hz=305)
    (root / "cmn_hans_cn" / "test.tsv").write_text("1\t8.wav\t你好\t你好\t你\t3200\tMALE\n")
    tone(root / "somewhere" / "9.wav", hz=306)
    (root / "somewhere" / "test.tsv").write_text("1\t9.wav\tYes.\tyes\ty\t3200\tMALE\n")
    tone(root / "nemo" / "b.wav", hz=304)
    (root / "nemo" / "manifest.json").write_text(
        json.dumps({"audio_filepath": "b.wav", "text": "yes", "lang": "en-US"})
    )
    exam = Asr().exam(ExamRequest(data_dir=tmp_path))
    found = {item.item: (item.target, item.metadata["language"]) for item in exam.items}
    assert found == {
        "134686/1089-134686-0000": ("HE HOPED THERE WOULD BE STEW", "en"),
        "clips/a": ("Guten Tag", "de"),
        "test/7": ("ça va", "fr"),
        "cmn_hans_cn/8": ("你好", "zh"),
        "somewhere/9": ("yes", "en"),
        "nemo/b": ("yes", "en"),
    }


def test_a_language_leaves_out_what_a_list_says_is_in_another(tmp_path: Path) -> None:
    """`asr@de` of a folder with English recordings too is about the German ones; none at all is an error."""
    folder = spoken_folder(tmp_path, SAID)
    tone(folder / "speech" / "english" / "e.wav", hz=500)
    row = {"audio": "e.wav", "text": "yes", "language": "en_US"}
    (folder / "speech" / "english" / "list.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    german = Asr().exam(ExamRequest(data_dir=folder, selector="de"))
    assert {item.item for item in german.items} == {"set/one", "set/two", "set/three"}
    with pytest.raises(DatasetUnavailableError, match="in the language de"):
        Asr().exam(ExamRequest(data_dir=folder / "speech" / "english", selector="de"))


def test_words_that_decline_are_no_refusal_where_somebody_says_them() -> None:
    """A film's robot is written down right; the same words for another recording are a refusal."""
    said = "I'm sorry Dave, I can't help you with that"
    assert judged(said, said).outcome is Outcome.CORRECT
    assert judged(said).outcome is Outcome.REFUSED


def test_a_language_that_no_list_says_is_english_or_the_one_named(tmp_path: Path) -> None:
    """The exam warns; `asr@de` is another exam."""
    folder = spoken_folder(tmp_path, SAID)
    exam = Asr().exam(ExamRequest(data_dir=folder))
    assert "taken for English" in str(exam.source["warnings"])
    german = Asr().exam(ExamRequest(data_dir=folder, selector="de"))
    assert german.benchmark == "asr@de"
    assert {item.metadata["language"] for item in german.items} == {"de"}
    assert german.source["warnings"] == []


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ('{"audio": "gone.wav", "text": "x"}', "which is not there"),
        ('{"audio": "../../../secret.wav", "text": "x"}', "lies outside"),
        ('{"audio": "one.wav"}', "names no recording or no text"),
        ('{"audio": "one.wav", "text": "twice"}', "stands twice"),
        ("{", "not valid JSON"),
    ],
)
def test_a_list_with_a_fault_names_the_line(row: str, said: str, tmp_path: Path) -> None:
    """Nothing outside the folder is ever opened for a list."""
    tone(tmp_path / "secret.wav")
    folder = spoken_folder(tmp_path / "data", SAID)
    with (folder / "speech" / "set" / "transcripts.jsonl").open("a") as file:
        file.write(f"{row}\n{row}\n")
    with pytest.raises(InputFileError, match=said) as caught:
        Asr().exam(ExamRequest(data_dir=folder))
    assert caught.value.line == 4


def test_nothing_to_hear_is_told(tmp_path: Path) -> None:
    """An empty folder, an unknown part and an unknown protocol each say what there is."""
    with pytest.raises(DatasetUnavailableError, match="no recordings"):
        Asr().exam(ExamRequest(data_dir=tmp_path))
    for wrong in ({"selector": "librispeech:train"}, {"selector": "Deutsch!"}, {"selector": "fleurs:xx"}):
        with pytest.raises(UnknownNameError):
            Asr().exam(ExamRequest(data_dir=tmp_path, **wrong))  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError):
        Asr().exam(ExamRequest(data_dir=tmp_path, protocol="theirs"))


def test_a_transcript_is_right_without_an_error_and_else_counted() -> None:
    """Writing makes no error; each changed, missing and added word does."""
    right = judged("The small... brown, DOG!")
    assert (right.outcome, right.counted and right.counted.errors) == (Outcome.CORRECT, 0)
    wrong = judged("the tall brown hog barks")
    assert wrong.outcome is Outcome.WRONG
    assert wrong.counted is not None
    assert (wrong.counted.errors, wrong.counted.parts) == (3, 4)
    assert wrong.detail == "3 errors in 4 words: 2 wrong, 1 added"


def test_nothing_written_is_every_word_missing() -> None:
    """An empty transcript is the model's doing, as is declining; a cut one is counted as far as it goes."""
    assert judged("").counted == judged("I'm unable to help with that.").counted
    assert judged("I'm unable to help with that.").outcome is Outcome.REFUSED
    cut = judged("the small", reason="length")
    assert (cut.outcome, cut.counted and cut.counted.errors) == (Outcome.TRUNCATED, 2)


def test_characters_count_where_words_are_not_parted() -> None:
    """A character of Japanese is a part."""
    found = judged("日本話", "日本語", language="ja").counted
    assert found is not None
    assert (found.errors, found.parts) == (1, 3)
