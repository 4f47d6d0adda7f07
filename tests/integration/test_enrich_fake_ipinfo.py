"""The stand-in for IPinfo does as it is told from another process."""

from __future__ import annotations

import subprocess
import sys

import requests


def test_it_runs_as_a_program_and_takes_faults_over_http() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.fake_ipinfo"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None
        url = program.stdout.readline().strip()
        with requests.Session() as session:
            session.trust_env = False
            fault = {"fault": "503", "times": 1}
            session.post(f"{url}/__script", json=fault, timeout=5)
            broken = session.get(f"{url}/192.0.2.1", timeout=5)
            well = session.get(f"{url}/192.0.2.1?token=tok-legacy", timeout=5)
            wrong = session.get(f"{url}/x", auth=("tok-legacy", ""), timeout=5)
            log = session.get(f"{url}/__log", timeout=5).json()
        program.communicate()

    assert (broken.status_code, well.json()["city"]) == (503, "Berlin")
    assert wrong.status_code == 404
    assert [entry["auth"] for entry in log] == ["none", "query", "basic"]
    assert program.returncode == 0
