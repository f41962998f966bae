"""What a review takes in a real browser: key presses, pixels to scroll, and time, with the pages of today and those before.

"Before" is the library of `_BEFORE`, which is taken from the history of the repository. Both versions record the same runs, each
into projects of its own. Their tasks are opened by turns, with *Label All Tasks* and with the link to a task, in two sizes.
"""

from __future__ import annotations

import signal
import subprocess
import tarfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Literal

from langchain_label_studio import Review, load_reviews
from langchain_label_studio.local_server import LocalLabelStudio
from tests.benchmarks.lab import Lab, median
from tests.benchmarks.page_reviewer import PageReviewer, Scrolling
from tests.benchmarks.page_runs import (
    CASES,
    EMPTY_SHOWS,
    FORTY_TURNS,
    MANY_STEPS,
    PageCase,
    record,
    record_empty,
)
from tests.benchmarks.projects import server_of
from tests.benchmarks.report import Result, Table, Verdict
from tests.browser.pages import sign_in
from tests.support.chromium import launch_chromium

Version = Literal["before", "now"]
View = Literal["stream", "link"]

_BEFORE = "648d312d0667c32d8ee1fda2e1e66ffe94df2d3a"
_ROOT = Path(__file__).parents[2]
_WIDE, _SMALL = _SIZES = ((1440, 900), (1280, 720))
_VIEWS: tuple[View, ...] = ("stream", "link")
_WINDOWS = [(size, view) for size in _SIZES for view in _VIEWS]
_WINDOWS_AGAIN = [(_SMALL, view) for view in _VIEWS]
_MOST_SECONDS = 120
_MOST_STEPS_TO_JUDGE = 10
_OF_EMPTY = 1.1
_OF_BEFORE = 0.5


@dataclass(slots=True, kw_only=True)
class Effort:
    """What the tasks of one project took.

    Attributes:
        project: The number of the project.
        presses: The key presses of a review.
        clicks: The clicks of a review.
        scrolled: How far a task had to be scrolled in each view, by the size of the window.
        ms: The milliseconds until a task was drawn, by the view.
    """

    project: int
    presses: int = 0
    clicks: int = 0
    scrolled: dict[tuple[int, int], list[Scrolling]] = field(default_factory=lambda: defaultdict(list))
    ms: dict[View, list[float]] = field(default_factory=lambda: defaultdict(list))

    def pixels_to_judge(self, size: tuple[int, int]) -> int:
        """Return the pixels to scroll in the worse view."""
        return max(scrolling.judge for scrolling in self.scrolled[size])

    def pixels_to_read(self, size: tuple[int, int]) -> int:
        """Return the pixels to scroll to the end of the answer in the worse view."""
        return max(scrolling.read for scrolling in self.scrolled[size])


Efforts = Mapping[PageCase, Mapping[Version, Effort]]


def run(lab: Lab) -> Result:
    """Record, review one task of each project, and open the others again and again."""
    lab.say("pages: recording")
    cases = tuple(case for case in CASES if not lab.quick or _is_quick(case))
    efforts = _record(lab, cases)
    with lab.worker() as worker:
        empty = Effort(project=worker.call(record_empty, **server_of(lab.label_studio)))
    with _reviewer(lab) as reviewer:
        lab.say("pages: reviewing")
        for case, of_case in efforts.items():
            if case.parts <= _MOST_STEPS_TO_JUDGE:
                for version, effort in of_case.items():
                    with _in_time(f"{case}, {version}"):
                        _review(lab.label_studio, reviewer, case, effort)
        windows = _WINDOWS[::3] if lab.quick else [*_WINDOWS, *_WINDOWS_AGAIN]
        for number, (size, view) in enumerate(windows):
            lab.say(f"pages: opening, {size[0]}x{size[1]}, {view}")
            # These two should take the same time: it needs more than a few times to see that.
            for _ in range(lab.scale(3, 1)):
                with _in_time("the empty page"):
                    _open(reviewer, empty, view, size, EMPTY_SHOWS)
                with _in_time(f"{FORTY_TURNS}, now"):
                    _open(reviewer, efforts[FORTY_TURNS]["now"], view, size, FORTY_TURNS.shows)
            for case, of_case in efforts.items():
                for version, effort in of_case.items():
                    with _in_time(f"{case}, {version}"):
                        _open(reviewer, effort, view, size, case.shows)
                        if number < len(_WINDOWS):
                            effort.scrolled[size].append(reviewer.scrolling(case))
    return Result(list(_verdicts(efforts, empty)), [_table(efforts, empty)])


def _is_quick(case: PageCase) -> bool:
    """Return whether a case is the only one of its kind in a quick run."""
    if case.settings:
        return case.mode == "prompt"
    return case.content == ("40 turns" if case.mode == "chat" else "short")


def _record(lab: Lab, cases: tuple[PageCase, ...]) -> Efforts:
    """Record the runs of each case with each version of the library that knows its settings."""
    efforts: dict[PageCase, dict[Version, Effort]] = {case: {} for case in cases}
    server = server_of(lab.label_studio)
    for version, path in _versions(lab).items():
        with lab.worker({"PYTHONPATH": str(path)} if path else None) as worker:
            for case in cases:
                if version == "now" or not case.settings:
                    project = worker.call(record, case=CASES.index(case), **server)
                    efforts[case][version] = Effort(project=project)
    return efforts


def _versions(lab: Lab) -> dict[Version, Path | None]:
    """Return where the versions of the library are. The one of today is installed."""
    before = lab.directory / "before"
    archive = ["git", "-C", str(_ROOT), "archive", _BEFORE, "src"]
    try:
        packed = subprocess.run(archive, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        lab.say(
            f"NOT MEASURED: the pages before. There is no commit {_BEFORE[:7]} here: clone the whole repository with git."
        )
        return {"now": None}
    with tarfile.open(fileobj=BytesIO(packed)) as files:
        files.extractall(before, filter="data")
    return {"before": before / "src", "now": None}


@contextmanager
def _reviewer(lab: Lab) -> Iterator[PageReviewer]:
    """Start a browser, and sign in."""
    server = lab.label_studio
    with launch_chromium() as browser:
        context = browser.new_context(base_url=server.url, reduced_motion="reduce")
        page = context.new_page()
        sign_in(page, server.username, server.password, screenshot=lab.directory / "sign_in.png")
        page.close()
        yield PageReviewer(context)


@contextmanager
def _in_time(what: str) -> Iterator[None]:
    """Say what it was if it fails, or takes too long: Playwright itself waits for a page that hangs without an end."""

    def end(*_: object) -> None:
        raise TimeoutError(f"This took more than {_MOST_SECONDS} s.")

    usual = signal.signal(signal.SIGALRM, end)
    signal.alarm(_MOST_SECONDS)
    try:
        yield
    except Exception as error:
        error.add_note(f"The page was: {what}")
        raise
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, usual)


def _open(
    reviewer: PageReviewer, effort: Effort, view: View, size: tuple[int, int], shows: tuple[str, ...]
) -> None:
    effort.ms[view].append(reviewer.open(effort.project, shows, size, by_link=view == "link"))


def _review(server: LocalLabelStudio, reviewer: PageReviewer, case: PageCase, effort: Effort) -> None:
    """Review the first task of a project, and see that Label Studio has what was meant."""
    reviewer.open(effort.project, case.shows, _SMALL)
    presses, clicks = reviewer.presses, reviewer.clicks
    reviewer.judge(case)
    effort.presses, effort.clicks = reviewer.presses - presses, reviewer.clicks - clicks
    [review] = load_reviews(project_id=effort.project, url=server.url, api_key=server.api_key)
    assert _says_what_was_meant(case, review), f"{case}: {review}"


def _says_what_was_meant(case: PageCase, review: Review) -> bool:
    stars = [rating.value for rating in review.ratings.values()]
    match case.mode:
        case "prompt" | "chat":
            return stars == [4]
        case "agent":
            verdicts = [step.verdict == "correct" for step in review.steps]
            return verdicts == _all_but_third(case.parts) and review.choices["verdict"] == ("mixed",)
        case "rag":
            return stars == [4, 4] and list(review.relevance) == _all_but_third(case.parts)
        case _:
            return review.preference is not None and len(review.preference.ranking[0]) == 1


def _all_but_third(count: int) -> list[bool]:
    return [number != 2 for number in range(count)]


def _verdicts(efforts: Efforts, empty: Effort) -> Iterator[Verdict]:
    now = {case: of_case["now"] for case, of_case in efforts.items()}
    pixels = max(effort.pixels_to_judge(size) for effort in now.values() for size in _SIZES)
    yield Verdict(
        f"pixels to scroll until a task can be judged, the most of {len(now)} kinds of tasks in two sizes",
        "0",
        str(pixels),
        pixels == 0,
    )
    jobs: dict[str, tuple[int, Callable[[PageCase], bool]]] = {
        'to rate, submit and go on, with `rating="keys"`': (
            2,
            lambda case: bool(case.settings) and case.mode != "rag",
        ),
        "to choose the better answer, submit and go on": (2, lambda case: case.mode == "preference"),
        "to judge an agent of 8 steps, one of them bad, submit and go on": (
            5,
            lambda case: case.mode == "agent" and case.parts == 8,
        ),
    }
    for what, (bound, is_meant) in jobs.items():
        most = max(effort.presses + effort.clicks for case, effort in now.items() if is_meant(case))
        yield Verdict(f"key presses and clicks {what}", str(bound), str(most), most <= bound)
    names = {"stream": "*Label All Tasks*", "link": "the link to a task"}
    for view in _VIEWS:
        yield _time_verdict(
            f"time until a chat of 40 turns is drawn, of that of an empty page ({names[view]})",
            median(now[FORTY_TURNS].ms[view]),
            median(empty.ms[view]),
            _OF_EMPTY,
        )
    if before := efforts[MANY_STEPS].get("before"):
        for view in _VIEWS:
            yield _time_verdict(
                f"time until an agent of {MANY_STEPS.parts} steps is drawn, of that before ({names[view]})",
                median(now[MANY_STEPS].ms[view]),
                median(before.ms[view]),
                _OF_BEFORE,
            )


def _time_verdict(what: str, ours: float, peers: float, bound: float) -> Verdict:
    return Verdict(
        what, f"{bound}", f"{ours / peers:.2f} ({ours:,.0f} of {peers:,.0f} ms)", ours / peers <= bound
    )


def _table(efforts: Efforts, empty: Effort) -> Table:
    rows = [
        [
            str(case),
            _both(of_case, _acts),
            _both(of_case, lambda effort: f"{effort.pixels_to_judge(_WIDE):,}"),
            _both(of_case, lambda effort: f"{effort.pixels_to_judge(_SMALL):,}"),
            _both(of_case, lambda effort: f"{effort.pixels_to_read(_SMALL):,}"),
            *(_both(of_case, lambda effort, view=view: f"{median(effort.ms[view]):,.0f}") for view in _VIEWS),
        ]
        for case, of_case in efforts.items()
    ]
    rows.append(["an empty page", "", "", "", "", *(f"{median(empty.ms[view]):,.0f}" for view in _VIEWS)])
    return Table(
        "**A review in Chromium**, before → now: the key presses and clicks to judge a task and go on to the next one "
        '(4 stars; "mixed", and the third of 8 steps is bad; 4 stars twice, and the third of 10 documents is not relevant; '
        "the left answer or the best one); the pixels to scroll until question, answer and judgement have been in view, and until "
        "the end of the answer is; the milliseconds until a task is drawn",
        (
            "",
            "presses and clicks",
            "px, 1440x900",
            "px, 1280x720",
            "px to the answer's end, 1280x720",
            "ms, *Label All Tasks*",
            "ms, link to a task",
        ),
        rows,
    )


def _both(of_case: Mapping[Version, Effort], text: Callable[[Effort], str]) -> str:
    return " → ".join(text(of_case[version]) if version in of_case else "-" for version in ("before", "now"))


def _acts(effort: Effort) -> str:
    acts = effort.presses + effort.clicks
    if not acts:
        return "-"
    return f"{acts} ({effort.clicks} by mouse)" if effort.clicks else f"{acts}"
