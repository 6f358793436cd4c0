"""The pipeline on Dask: workers of their own, one of which is killed in the middle."""

import re

import pytest

pytest.importorskip("apache_beam", reason="needs Apache Beam (requirements-beam.txt)")
pytest.importorskip("distributed", reason="needs Dask (requirements-beam.txt)")

from benchmarks.cluster import content, on_dask
from tf_unseen_pose.data.beam import prepare_with_beam
from tf_unseen_pose.data.plan import Options
from tf_unseen_pose.data.prepare import prepare


def test_the_same_bytes_although_a_worker_was_killed(tmp_path, capsys):
    options = Options("synthetic", clips=8, frames=3, size=64)
    prepare([], tmp_path / "local", options, progress=False)
    on_dask(options, tmp_path / "dask", 2, "kill")
    staged = re.search(r"worker 0 and its nanny are killed with (\d+) clips staged", capsys.readouterr().out)
    assert 3 <= int(staged[1]) < 8
    assert content(tmp_path / "dask") == content(tmp_path / "local")


def test_a_scheduler_that_is_not_there_is_named(tmp_path, refuses):
    options = Options("synthetic", clips=2, frames=2, size=64)
    flags = ["--runner=DaskRunner", "--dask_client_address=tcp://127.0.0.1:9", "--dask_connection_timeout=1"]
    refuses(lambda: prepare_with_beam([], str(tmp_path / "no"), options, flags), "127.0.0.1:9")
