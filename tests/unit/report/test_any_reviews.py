"""A report can be built of any reviews: with ties, dialogues, unknown models, odd scales, times without a zone."""

from __future__ import annotations

import json
from datetime import UTC

from hypothesis import given, settings
from hypothesis import strategies as st

from langchain_label_studio.report import build_report
from langchain_label_studio.types.control_tag import ControlTag
from langchain_label_studio.types.feedback import Feedback
from langchain_label_studio.types.review import Candidate, Preference, Rating, Review, StepVerdict
from tests.support.reviews import assistant, call, run, tool, user

names = st.sampled_from(["", "a", "b", "answer1", "answer2", "\x1b"])
numbers = st.one_of(st.integers(-3, 12), st.floats())
times = st.one_of(st.none(), st.datetimes(), st.datetimes(timezones=st.just(UTC)))
dialogue = st.sampled_from(
    [
        (),
        ("Hi",),
        (user("Hi"), assistant(tool_calls=[call(city="Paris")]), tool("rain"), assistant("It rains.")),
    ]
)
answers = st.sampled_from([(), ("Hello",), ("Hello", "Hi"), (assistant(tool_calls=[call()]),), ("",)])


@st.composite
def preferences(draw: st.DrawFn) -> Preference:
    ids = draw(st.lists(names, min_size=1, max_size=4))
    models = st.one_of(st.none(), names)
    candidates = tuple(Candidate(id=name, answer=assistant(name), model=draw(models)) for name in ids)
    places = draw(st.permutations(range(len(ids))))
    cuts = sorted(draw(st.sets(st.integers(0, len(ids)))))
    groups = [tuple(places[start:end]) for start, end in zip([0, *cuts], [*cuts, len(ids)], strict=True)]
    return Preference(
        candidates=candidates, ranking=tuple(group for group in groups if group)[: draw(st.integers(0, 4))]
    )


runs = st.builds(
    run,
    dialogue,
    answers,
    model=st.one_of(st.none(), names),
    started_at=st.sampled_from([None, "", "no time", "2026-11-01T11:00:00Z", "2026-11-02T11:00:00"]),
    latency_ms=st.one_of(st.none(), st.floats(0, 1e7)),
    tags=st.lists(names, max_size=2).map(tuple),
    question=st.sampled_from([None, "Why?"]),
    candidates=st.sampled_from([(), ({"model": "a"}, {"model": None}), ({}, {"model": "b"})]),
)
reviews = st.builds(
    Review,
    run=runs,
    project_id=st.just(1),
    task_id=st.integers(1, 3),
    task_url=st.sampled_from(["", "http://ls.test/1", "javascript:1"]),
    annotation_id=st.one_of(st.none(), st.integers(1, 9)),
    reviewer=st.one_of(st.none(), names),
    created_at=times,
    updated_at=times,
    seconds_spent=st.one_of(st.none(), st.floats(0, 1e6)),
    was_skipped=st.booleans(),
    ground_truth=st.booleans(),
    corrected=st.one_of(
        st.none(),
        answers.map(
            lambda texts: tuple(each if isinstance(each, dict) else assistant(each) for each in texts)
        ),
    ),
    ratings=st.dictionaries(
        names,
        st.builds(Rating, value=st.integers(0, 12), scale=st.sampled_from([None, 0, 1, 5, 10, 100])),
        max_size=2,
    ),
    choices=st.dictionaries(names, st.lists(names, max_size=3).map(tuple), max_size=2),
    preference=st.one_of(st.none(), preferences()),
    relevance=st.lists(st.sampled_from([None, True, False]), max_size=3).map(tuple),
    steps=st.lists(
        st.builds(
            StepVerdict, index=st.integers(0, 3), verdict=st.sampled_from([None, "correct", "partial"])
        ),
        max_size=3,
    ).map(tuple),
    controls=st.dictionaries(
        names, st.one_of(numbers, st.booleans(), st.text(max_size=3), st.none()), max_size=2
    ),
    unreadable=st.sampled_from([(), ("something",)]),
    feedback=st.dictionaries(names, st.builds(Feedback, score=st.one_of(st.none(), numbers)), max_size=2),
    asked=st.dictionaries(
        names, st.builds(ControlTag, name=names, type=st.just("Rating"), scale=st.sampled_from([None, 5]))
    ),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(reviews, max_size=8))
def test_any_reviews_make_a_report(given_reviews: list[Review]) -> None:
    report = build_report(given_reviews)

    assert len(report.everything.task_ids) == len({each.task_id for each in given_reviews})
    assert json.loads(report.to_json(), parse_constant=_refuse)["title"] == "Review report"
    assert "How to read it" in report.to_markdown()


@settings(max_examples=6, deadline=None)
@given(st.lists(reviews, min_size=4, max_size=8))
def test_any_reviews_make_a_page(given_reviews: list[Review]) -> None:
    assert "How to read it" in build_report(given_reviews).to_html()


def _refuse(constant: str) -> None:
    msg = f"{constant} is no JSON"
    raise ValueError(msg)
