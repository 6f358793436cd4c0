import logging
import subprocess
import sys


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


def test_native_libraries_are_heard_by_the_verbose_alone_and_a_crash_by_all():
    code = """
import os, sys
from tf_unseen_pose.cli import log
log.configure({verbose})
os.write(2, b"I0000 noise")
print("pi\u00f1a", file=sys.stderr)
{end}
"""

    def heard(**parts):
        command = [sys.executable, "-X", "utf8", "-c", code.format(**parts)]
        return subprocess.run(command, capture_output=True, encoding="utf-8").stderr

    assert heard(verbose=False, end="") == "piña\n"
    assert heard(verbose=True, end="") == "I0000 noisepiña\n"
    assert "Fatal Python error: Aborted" in heard(verbose=False, end="os.abort()")
