"""The pipeline on Beam's own runner, beside the local run."""

import shutil
from fractions import Fraction

import pytest

pytest.importorskip("apache_beam", reason="needs Apache Beam (requirements-beam.txt)")

from apache_beam.io.filesystems import FileSystems
from apache_beam.io.localfilesystem import LocalFileSystem

from tf_unseen_pose.data import prepare as local
from tf_unseen_pose.data.beam import clips_of_shards, prepare_with_beam
from tf_unseen_pose.data.dataset_writer import DatasetWriter
from tf_unseen_pose.data.plan import Options
from tf_unseen_pose.data.prepare import prepare
from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.data.synthetic import synthetic_clip
from tf_unseen_pose.imaging.video_writer import VideoWriter

FLAGS = ["--runner=DirectRunner"]


def content(path):
    return {file.name: file.read_bytes() for file in path.rglob("*") if file.is_file() and file.suffix != ".html"}


@pytest.fixture
def videos(tmp_path):
    folder = tmp_path / "videos"
    for name, seed, action in (("dance/a.mp4", 4, "dance"), ("kick/b.mp4", 5, "kick")):
        (folder / name).parent.mkdir(parents=True)
        with VideoWriter(folder / name, Fraction(10)) as writer:
            for frame in synthetic_clip(seed, 6, 200, 240, action):
                writer.write(frame.image)
    (folder / "kick" / "torn.mp4").write_bytes(b"torn")
    return folder


def test_the_same_bytes_as_the_local_run(tmp_path, monkeypatch):
    """Shards of two clips; local and distributed runs must cut alike."""
    options = Options("synthetic", clips=5, frames=3, size=64, validation=0.4, skeleton="golf")
    limit = 14_000
    monkeypatch.setattr(local, "DatasetWriter", lambda *a: DatasetWriter(*a, shard_limit=limit))
    expected = prepare([], tmp_path / "local", options, progress=False)
    summary = prepare_with_beam([], str(tmp_path / "beam"), options, FLAGS, limit)
    assert len(ClipDataset.open(tmp_path / "beam").index.shards) == 3
    assert content(tmp_path / "beam") == content(tmp_path / "local")
    assert (summary.clips, summary.frames, summary.validation_clips) == (5, 15, 2)
    assert summary.page.is_file() and summary.rejected == expected.rejected


class ElsewhereFileSystem(LocalFileSystem):
    """Stands for a bucket: elsewhere://x is a local path that no other program knows."""

    @classmethod
    def scheme(cls):
        return "elsewhere"

    def split(self, path):
        return path.rsplit("/", 1)

    def join(self, base, *paths):
        return "/".join([base, *paths])

    def _local(self, path):
        return path.removeprefix("elsewhere:/")

    def match(self, patterns, limits=None):
        results = super().match([self._local(pattern) for pattern in patterns], limits)
        for result in results:
            for metadata in result.metadata_list:
                metadata.path = f"elsewhere:/{metadata.path}"
        return results

    def exists(self, path):
        return super().exists(self._local(path))

    def mkdirs(self, path):
        super().mkdirs(self._local(path))

    def create(self, path, *args, **kwargs):
        return super().create(self._local(path), *args, **kwargs)

    def open(self, path, *args, **kwargs):
        return super().open(self._local(path), *args, **kwargs)

    def delete(self, paths):
        LocalFileSystem(None).delete([self._local(path) for path in paths])

    def rename(self, sources, destinations):
        super().rename(*([self._local(path) for path in paths] for paths in (sources, destinations)))


def test_an_address_in_place_of_a_folder(tmp_path, videos, has_model, refuses):
    assert FileSystems.get_filesystem("elsewhere://x").scheme() == "elsewhere"
    options = Options("video")
    summary = prepare_with_beam([f"elsewhere:/{videos}"], f"elsewhere:/{tmp_path}/beam", options, FLAGS)
    assert summary.page is None and summary.clips == 2 and list(summary.broken) == ["kick/torn.mp4"]
    prepare([videos], tmp_path / "local", options, progress=False, workers=1)
    fetched, read = content(tmp_path / "beam"), content(tmp_path / "local")
    # The reason for which a video is broken names it by its address.
    assert f"elsewhere:/{videos}/kick/torn.mp4" in summary.broken["kick/torn.mp4"]
    fetched["dataset.json"] = fetched["dataset.json"].replace(b"elsewhere:/", b"")
    assert fetched == read
    pairs = Options("pairs")
    refuses(lambda: prepare_with_beam(["elsewhere://x"], str(tmp_path / "no"), pairs, FLAGS), "Only videos")
    refuses(lambda: prepare_with_beam([f"elsewhere:/{tmp_path}/none"], str(tmp_path / "no"), options, FLAGS), "none")


def test_what_cannot_be_run(tmp_path, videos, refuses, has_model):
    options = Options("synthetic", clips=1, frames=2, size=64)
    refuses(lambda: prepare_with_beam([], str(tmp_path / "no"), options, ["--runner=NoSuchRunner"]), "NoSuchRunner")
    prepare_with_beam([], str(tmp_path / "set"), options, FLAGS)
    refuses(lambda: prepare_with_beam([], str(tmp_path / "set"), options, FLAGS), "holds a dataset")
    shutil.rmtree(videos / "dance")
    (videos / "kick" / "b.mp4").unlink()
    refuses(lambda: prepare_with_beam([str(videos)], str(tmp_path / "no"), Options("video"), FLAGS), "No clip of 1")


def test_clips_fill_shards_in_the_plans_order():
    # The first shard reaches the limit exactly.
    assert clips_of_shards({4: 30, 0: 50, 2: 50, 9: 10, 5: 100}, 100) == [[0, 2], [4, 5], [9]]
