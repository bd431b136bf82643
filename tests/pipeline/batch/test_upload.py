"""Results sent away: whole, or not counted."""

import pytest

from pipeline.batch.upload import RemoteFolder
from pipeline.errors import OutputError
from pipeline.result import ResultFolder
from tests.pipeline.batch.test_refresh import write_report

fsspec = pytest.importorskip("fsspec")


@pytest.fixture
def result(tmp_path):
    folder = tmp_path / "here"
    write_report(folder, "key")
    (folder / "people").mkdir()
    (folder / "people" / "person_001.npz").write_bytes(b"person")
    (folder / "leftover.part").write_bytes(b"x")
    report = ResultFolder(folder).read_report()
    made = {"fingerprint": "f", "seconds": 1.0, "reused": False, "events": []}
    report["made"] = {"people": {**made, "files": {"people/person_001.npz": 6}}}
    report.pop("schema_version")
    ResultFolder(folder).write_report(report)
    return ResultFolder(folder)


@pytest.fixture(params=["memory", "file", "local", "path"])
def url(request, tmp_path):
    name = "odd name #1?/日本.mp4"
    if request.param == "memory":
        yield f"memory://bucket/{name}"
        fsspec.filesystem("memory").rm("/bucket", recursive=True)
    else:
        prefix = "" if request.param == "path" else f"{request.param}://"
        yield f"{prefix}{tmp_path}/there/{name}"


def files_at(url):
    files, path = fsspec.core.url_to_fs(url)
    return sorted(found.removeprefix(f"{path}/") for found in files.find(path))


def test_the_result_arrives_whole_and_is_known_again(result, url):
    remote = RemoteFolder(url)
    assert remote.current_report("key") is None
    remote.put(result)
    assert files_at(url) == ["people/person_001.npz", "run.json"]
    assert remote.current_report("key")["people"] == []
    assert remote.current_report("other") is None


def test_a_new_result_takes_the_place_of_the_old(result, url):
    remote = RemoteFolder(url)
    remote.put(result)
    files, path = fsspec.core.url_to_fs(url)
    assert files.cat_file(f"{path}/people/person_001.npz") == b"person"
    (result.path / "people" / "person_001.npz").write_bytes(b"PERSON")
    remote.put(result)
    assert files.cat_file(f"{path}/people/person_001.npz") == b"PERSON"
    assert len(files_at(url.rpartition("/")[0])) == 2


def test_what_breaks_off_leaves_nothing_that_counts(result, url, monkeypatch):
    remote = RemoteFolder(url)
    remote.put(result)
    (result.path / "run.json").rename(result.path / "kept.json")
    monkeypatch.setattr("pipeline.batch.upload._names", lambda _: ["people/x", "run.json"])
    with pytest.raises(OutputError, match="could not be sent"):
        remote.put(result)
    report = remote.current_report("key")
    is_renamed = not url.startswith("memory")
    assert (report is not None) == is_renamed


def test_an_unknown_protocol_is_an_error_in_words():
    with pytest.raises(OutputError, match="nowhere://"):
        RemoteFolder("nowhere://x/y")
