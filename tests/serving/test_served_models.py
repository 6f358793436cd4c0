import shutil
import time


def wait_for(client, number, state):
    deadline = time.monotonic() + 30
    while client.status().get(number, [""])[0] != state:
        assert time.monotonic() < deadline, client.status()
        time.sleep(0.05)


def test_unfinished_and_foreign_folders_are_left_alone(start, folder, made_versions):
    shutil.copytree(made_versions / "2", folder.path / ".partial-2")
    shutil.copytree(made_versions / "2", folder.path / "2.old")
    (folder.path / "7").write_text("no folder")
    client = start().client
    time.sleep(0.2)
    assert client.status() == {1: ("AVAILABLE", "")}


def test_a_version_that_fails_is_reported_and_the_older_one_answers(start, folder, rows, made_versions):
    served = start()
    client = served.client
    (folder.path / "2").mkdir()
    (folder.path / "2" / "saved_model.pb").write_bytes(b"half of")
    wait_for(client, 2, "END")
    states = client.status()
    assert states[1] == ("AVAILABLE", "") and "Version 2 could not be loaded" in states[2][1]
    assert client.predict("mix", rows(1))["version"] == 1
    assert [line["event"] for line in served.log()].count("load_failed") == 1
    # It was only slow to arrive.
    shutil.copytree(made_versions / "2", folder.path / "2", dirs_exist_ok=True)
    wait_for(client, 2, "AVAILABLE")
    wait_for(client, 1, "END")
    assert client.predict("mix", rows(1))["version"] == 2


def test_taking_a_version_away_goes_back_to_the_one_before(start, folder, rows):
    folder.add(2)
    client = start().client
    assert client.predict("mix", rows(1))["version"] == 2
    (folder.path / "2").rename(folder.path / "withdrawn")
    wait_for(client, 1, "AVAILABLE")
    assert client.predict("mix", rows(1))["version"] == 1
    deadline = time.monotonic() + 20
    while 2 in client.status() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert client.status() == {1: ("AVAILABLE", "")}


def test_a_folder_that_is_gone_does_not_take_the_model_away(start, folder, rows):
    client = start().client
    shutil.rmtree(folder.path)
    time.sleep(0.3)
    assert client.predict("mix", rows(1))["version"] == 1


def test_a_start_with_a_broken_newest_version_takes_the_one_before(start, folder, rows):
    (folder.path / "5").mkdir()
    client = start().client
    assert client.predict("mix", rows(1))["version"] == 1 and client.status()[5][0] == "END"
