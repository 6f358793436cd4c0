import logging


def test_warnings_are_plain_and_the_rest_is_for_the_verbose(run, capsys):
    log = logging.getLogger("tf_unseen_pose.data.records")

    def said(*options):
        run(*options, "pose", "none.json", "-o", "out.json")
        log.info("Step 3 of 9.")
        log.warning("1 of 7 frames are left out.")
        return capsys.readouterr().err

    assert said() == "1 of 7 frames are left out.\n"
    everything = "tf_unseen_pose.data.records: Step 3 of 9.\ntf_unseen_pose.data.records: 1 of 7 frames are left out.\n"
    assert said("--verbose") == said("-v") == everything
