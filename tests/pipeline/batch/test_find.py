"""Which files of a folder are videos, and that nothing in it can lead the search astray."""

import os

import av
import pytest

from pipeline.batch.find import EXTENSIONS, search
from pipeline.batch.names import as_link, from_db, shown, to_db
from pipeline.errors import InputError

NO_CONTAINER = {"qt", "divx", "ogm", "rmvb"}
"""Known by other endings; FFmpeg tells these containers by their content."""


def put(folder, *names, content=b"x"):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def names(folder, out=None, **options):
    found = search(folder, out or folder / "nowhere", **options)
    return [video.name for video in found.videos]


def test_every_video_below_in_the_order_of_names_and_nothing_else(tmp_path):
    put(tmp_path, "b.MP4", "a.mp4", "a.avi", "sub/deep/c.webm", "notes.txt", "p.jpg", "s.mp3")
    put(tmp_path, ".hidden.mp4", ".trash/d.mp4")
    assert names(tmp_path) == ["a.avi", "a.mp4", "b.MP4", "sub/deep/c.webm"]
    found = search(tmp_path, tmp_path / "nowhere")
    assert found.other_files == 3
    assert found.videos[0].size_bytes == 1


def test_a_pattern_chooses_by_name_or_by_path(tmp_path):
    put(tmp_path, "a.mp4", "cam1/a.mp4", "cam1/b.mp4", "cam1/raw.bin", "cam2/a.mp4")
    assert names(tmp_path, pattern="a.*") == ["a.mp4", "cam1/a.mp4", "cam2/a.mp4"]
    assert names(tmp_path, pattern="cam1/*") == ["cam1/a.mp4", "cam1/b.mp4", "cam1/raw.bin"]


def test_endings_are_those_that_ffmpeg_knows():
    known = set()
    for name in av.formats_available:
        for mode in "rw":
            try:
                known |= set(av.ContainerFormat(name, mode).extensions)
            except ValueError:
                continue
    assert EXTENSIONS - known == NO_CONTAINER


def test_circles_of_links_end_and_links_outside_are_followed_once(tmp_path):
    folder, outside = tmp_path / "in", tmp_path / "outside"
    put(folder, "a.mp4", "sub/b.mp4")
    put(outside, "c.mp4")
    (folder / "sub" / "up").symlink_to(folder)
    (folder / "self").symlink_to(folder / "self")
    (folder / "self.mp4").symlink_to(folder / "self.mp4")
    (folder / "lost.mp4").symlink_to(tmp_path / "nothing")
    (folder / "again.mp4").symlink_to(folder / "a.mp4")
    (folder / "above").symlink_to(tmp_path)
    (outside / "back").symlink_to(folder)
    (folder / "x1").symlink_to(outside)
    (folder / "x2").symlink_to(outside)
    (folder / "file.mp4").symlink_to(outside / "c.mp4")
    found = search(folder, tmp_path / "out")
    assert [video.name for video in found.videos] == ["a.mp4", "file.mp4", "sub/b.mp4", "x1/c.mp4"]
    assert len(found.problems) == 1
    assert any("lost.mp4: is a link to nothing" in problem for problem in found.problems)


def test_output_inside_and_earlier_results_are_not_searched(tmp_path):
    put(tmp_path, "a.mp4", "out/a.mp4/overlay.mp4", "old/a.mp4/overlay.mp4", "theirs/b.mp4")
    put(tmp_path, "old/a.mp4/run.json", content=b'{"humans4d_version": "0.1.0"}')
    put(tmp_path, "theirs/run.json", content=b'{"steps": 3}')
    assert names(tmp_path, tmp_path / "out") == ["a.mp4", "theirs/b.mp4"]
    (tmp_path / "link").symlink_to(tmp_path / "out")
    assert names(tmp_path, tmp_path / "link") == ["a.mp4", "theirs/b.mp4"]


def test_a_pipe_is_no_video_and_an_unreadable_folder_is_told(tmp_path):
    put(tmp_path, "a.mp4", "locked/b.mp4")
    os.mkfifo(tmp_path / "pipe.mp4")
    assert names(tmp_path) == ["a.mp4", "locked/b.mp4"]
    (tmp_path / "locked").chmod(0)
    try:
        if os.access(tmp_path / "locked", os.R_OK):
            pytest.skip("this user may read everything")
        found = search(tmp_path, tmp_path / "out")
        assert [video.name for video in found.videos] == ["a.mp4"]
        assert "locked" in found.problems[0]
    finally:
        (tmp_path / "locked").chmod(0o700)


def test_any_name_that_the_system_allows(tmp_path):
    odd = ["-rf.mp4", "two\nlines.mp4", "tab\t [red]x[/].mp4", "naïve 日本.mp4", "n" * 251 + ".mp4"]
    odd.append(os.fsdecode(b"latin\xe9.mp4"))
    put(tmp_path, *odd)
    assert names(tmp_path) == sorted(odd)
    for name in odd:
        assert from_db(to_db(name)) == name
        assert shown(name).isprintable()
        assert as_link(name).isascii()


@pytest.mark.parametrize("kind", ["nothing", "file"])
def test_no_folder_is_an_error_in_words(tmp_path, kind):
    if kind == "file":
        put(tmp_path, "x")
    with pytest.raises(InputError, match="folder with the videos"):
        search(tmp_path / "x", tmp_path / "out")
