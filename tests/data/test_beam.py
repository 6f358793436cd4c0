"""The pipeline on Beam's own runner, beside the local run."""

import json
import shutil
from fractions import Fraction

import pytest

pytest.importorskip("apache_beam", reason="needs Apache Beam (requirements-beam.txt)")

from apache_beam.io.filesystems import FileSystems
from apache_beam.io.localfilesystem import LocalFileSystem

from tf_unseen_pose.data import beam
from tf_unseen_pose.data import prepare as local
from tf_unseen_pose.data.beam import clips_of_shards, prepare_with_beam
from tf_unseen_pose.data.dataset_writer import DatasetWriter
from tf_unseen_pose.data.plan import Options
from tf_unseen_pose.data.prepare import prepare
from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.data.synthetic import synthetic_clip
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.imaging.video_writer import VideoWriter

FLAGS = ["--runner=DirectRunner"]
SMALL = Options("synthetic", clips=5, frames=3, size=64, validation=0.4, skeleton="golf")


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
    limit = 14_000
    monkeypatch.setattr(local, "DatasetWriter", lambda *a: DatasetWriter(*a, shard_limit=limit))
    expected = prepare([], tmp_path / "local", SMALL, progress=False)
    summary = prepare_with_beam([], str(tmp_path / "beam"), SMALL, FLAGS, limit)
    assert len(ClipDataset.open(tmp_path / "beam").index.shards) == 3
    assert content(tmp_path / "beam") == content(tmp_path / "local")
    assert (summary.clips, summary.frames, summary.validation_clips) == (5, 15, 2)
    assert summary.page.is_file() and summary.rejected == expected.rejected


def test_a_stopped_run_resumes_on_the_cluster_or_on_one_machine(tmp_path, monkeypatch, refuses):
    """The third clip stops the run; what was staged before is not staged again."""
    expected, staged, full = tmp_path / "expected", set(), True
    prepare([], expected, SMALL, progress=False)

    def failing(folder, position, clip):
        if position == 2 and full:
            raise UserError("The disk is full.")
        staged.add(position)
        return local.try_staging(folder, position, clip)

    monkeypatch.setattr(beam, "try_staging", failing)
    # In this process.
    flags = ["--runner=BundleBasedDirectRunner"]
    other = Options("synthetic", clips=4, frames=3, size=64)
    for name, resume in {
        "cluster": lambda folder: prepare_with_beam([], str(folder), SMALL, flags),
        "machine": lambda folder: prepare([], folder, SMALL, progress=False),
    }.items():
        full = True
        refuses(lambda name=name: prepare_with_beam([], str(tmp_path / name), SMALL, flags), "The disk is full.")
        before, full = set(staged), False
        staged.clear()
        refuses(lambda name=name: prepare_with_beam([], str(tmp_path / name), other, flags), "something else")
        resume(tmp_path / name)
        assert 0 in before and staged == (set(range(5)) - before if name == "cluster" else set())
        assert content(tmp_path / name) == content(expected)


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
    for flags, *words in (
        ["--runner=NoSuchRunner", "NoSuchRunner"],
        ["--runner=DirectRunner", "--direct_num_wokers=3", "does not know the option direct_num_wokers"],
        ["--runner=FlinkRunner", "--parallelism=many", "'many'"],
        ["--runner=DataflowRunner", "--project=p", "--region=r", "temp_location"],
    ):
        *rest, word = [*words]
        refuses(lambda flags=[flags, *rest]: prepare_with_beam([], str(tmp_path / "no"), options, flags), word)
    prepare_with_beam([], str(tmp_path / "set"), options, FLAGS)
    refuses(lambda: prepare_with_beam([], str(tmp_path / "set"), options, FLAGS), "holds a dataset")
    shutil.rmtree(videos / "dance")
    (videos / "kick" / "b.mp4").unlink()
    refuses(lambda: prepare_with_beam([str(videos)], str(tmp_path / "no"), Options("video"), FLAGS), "No clip of 1")


def test_a_dry_run_prints_what_a_runner_would_get_and_writes_nothing(run, tmp_path):
    flags = ("--runner", "FlinkRunner", "--runner-option", "flink_master=localhost:8081")
    made = ("prepare", "--format", "synthetic", "--clips", 3, "-o", tmp_path / "none")
    code, output, _ = run(*made, *flags, "--dry-run")
    assert code == 0 and not (tmp_path / "none").exists()
    stage, join = json.loads(output)
    for graph, step in ((stage, "Stage clips"), (join, "Join shards")):
        transforms = {of["uniqueName"]: of for of in graph["components"]["transforms"].values()}
        mapped, created = transforms[step], transforms["Items"]
        assert mapped["spec"]["urn"] == "beam:transform:pardo:v1"
        assert list(mapped["inputs"].values()) == list(created["outputs"].values())
    code, _, error = run(*made, "--dry-run")
    assert code == 2 and "--runner" in error


def test_clips_fill_shards_in_the_plans_order():
    # The first shard reaches the limit exactly.
    assert clips_of_shards({4: 30, 0: 50, 2: 50, 9: 10, 5: 100}, 100) == [[0, 2], [4, 5], [9]]
