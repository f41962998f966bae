"""Whether anything is lost or doubled when everything goes wrong: kills, server faults and disk faults together.

It measures nothing, and takes a long time: it runs only if its name is given. It needs the environment of the tests,
and PostgreSQL.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime

from tests.benchmarks.lab import Lab
from tests.benchmarks.report import Result, Table, Verdict
from tests.support.chaos import Outcome, Plan, run_chaos
from tests.support.label_studio_by_jobs import LabelStudioByJobs
from tests.support.postgres import MISSING, PostgreSQL, find_binaries


def run(lab: Lab) -> Result:
    """Kill 300 programs, and see what came of what they recorded."""
    binaries = find_binaries()
    if binaries is None:
        raise SystemExit(MISSING)
    plan = Plan(kills=lab.scale(300, 8), short=lab.quick, seconds_between_crashes=lab.scale(20, 8))
    lab.say(f"chaos: {plan.kills} kills")
    directory = lab.directory / "chaos"
    directory.mkdir()
    os.environ["LABEL_STUDIO_OUTBOX_DIR"] = str(directory / "outbox")
    with (
        PostgreSQL(binaries) as database,
        LabelStudioByJobs(directory / "label-studio", env=database.label_studio_env) as server,
    ):
        os.environ["LABEL_STUDIO_API_KEY"] = server.api_key
        outcome = run_chaos(server, "Chaos", plan)
    lab.say(f"chaos: {outcome}")
    return Result([_verdict(outcome)], [_table(outcome)])


def _verdict(outcome: Outcome) -> Verdict:
    what = "runs and feedback lost or doubled, tasks without their answer, files left, when everything goes wrong"
    count = (
        len(outcome.lost)
        + outcome.doubled
        + len(outcome.lost_feedback)
        + len(outcome.unanswered)
        + len(outcome.left)
    )
    return Verdict(what, "0", str(count), outcome.is_clean)


def _table(outcome: Outcome) -> Table:
    caption = (
        f"**Everything goes wrong** ({datetime.now(UTC):%Y-%m-%d}): programs that record all forms and feedback are "
        "killed, before a real Label Studio that imports by jobs, is killed itself, and stands behind a proxy that "
        "goes wrong; disks are full, and lock files deleted"
    )
    rows = [
        ["runs recorded", str(outcome.runs)],
        ["runs lost", str(len(outcome.lost))],
        ["runs doubled", str(outcome.doubled)],
        ["tasks without their answer", str(len(outcome.unanswered))],
        ["pieces of feedback", str(outcome.feedback)],
        ["pieces of feedback lost", str(len(outcome.lost_feedback))],
        ["files that still wait in the end", str(len(outcome.left))],
        *([what, str(count)] for what, count in sorted(outcome.done.items())),
    ]
    return Table(caption, ("", "count"), rows)
