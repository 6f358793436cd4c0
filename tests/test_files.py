import pytest

from tf_unseen_pose.files import replacing, require_folder, require_other_file


def test_the_new_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.weights.h5"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), replacing(path) as temporary:
        assert temporary.name.endswith(".weights.h5")
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new" and list(tmp_path.iterdir()) == [path]


def test_errors_name_the_file_that_users_know(tmp_path):
    path = tmp_path / "none" / "a.json"
    with pytest.raises(OSError) as caught, replacing(path) as temporary:
        temporary.write_text("no such folder")
    assert caught.value.filename == str(path) and ".partial-" not in str(caught.value)
    # As h5py writes it.
    with pytest.raises(OSError, match=rf"unable to create \(name '{path}', errno 28\)"), replacing(path) as temporary:
        raise OSError(f"unable to create (name '{temporary}', errno 28)")


def test_two_at_once_leave_the_later_one_whole(tmp_path):
    path = tmp_path / "a.json"
    with replacing(path) as one:
        one.write_text("one")
        with replacing(path) as other:
            other.write_text("other")
    assert path.read_text() == "one" and list(tmp_path.iterdir()) == [path]


def test_a_folder_that_may_not_be_written_is_found_out_at_once(tmp_path, monkeypatch, refuses):
    require_folder(tmp_path / "a.png")
    # To root every folder is writable.
    monkeypatch.setattr("os.access", lambda path, mode: path != tmp_path)
    refuses(lambda: require_folder(tmp_path / "a.png"), str(tmp_path), "another place for a.png")


def test_what_is_read_is_not_written_over_unless_forced(tmp_path, refuses):
    photo, link = tmp_path / "me.jpg", tmp_path / "link.jpg"
    photo.write_text("me")
    link.symlink_to(photo)
    require_other_file(tmp_path / "new.jpg", photo, None)
    for output in (photo, link):
        refuses(lambda output=output: require_other_file(output, None, photo), output, "--force")
        require_other_file(output, photo, force=True)
