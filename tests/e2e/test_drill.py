import re
import subprocess
import sys

from tests.e2e.serving import ROOT


def test_a_drill_with_every_fault_and_a_kill_loses_nothing() -> None:
    command = [sys.executable, "manage.py", "drill", "--accounts", "30", "--transactions", "200", "--kills", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "lost 0," in done.stdout
    wrong = dict(re.findall(r"^(\w[\w ]*?)  +(\d+)$", done.stdout, flags=re.MULTILINE))
    # A drill in which nothing went wrong would prove nothing.
    assert {"drop", "duplicate", "gap_update", "reorder", "overflow", "service killed"} <= wrong.keys()
    assert int(wrong["missed event"]) > 0
