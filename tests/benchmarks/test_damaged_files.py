from benchmarks.damaged_files import judged, main, whole_files
from tf_unseen_pose.errors import UserError


def test_damaged_files_are_read_or_refused(capsys):
    assert main(["--files", "90", "--seed", "7"]) == 0
    assert "0 of 90 files" in capsys.readouterr().out


def test_whole_files_are_read(tmp_path):
    for name, content in whole_files().items():
        (tmp_path / name).write_bytes(content)
        assert judged(tmp_path / name)[0] == "read", name


def test_errors_are_told_apart_from_refusals(tmp_path, capsys):
    def fails(path):
        raise RuntimeError("no sentence")

    def refuses_at_length(path):
        raise UserError("one\ntwo")

    assert judged(tmp_path, fails)[0] == "RuntimeError"
    assert judged(tmp_path, refuses_at_length)[0] == "refused at length"
