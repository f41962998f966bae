"""Projects stand beside each other with numbers in their titles."""

from __future__ import annotations

import pytest

from langchain_label_studio.label_studio.numbered_titles import (
    MAX_NUMBER,
    current_number,
    number_of,
    numbered_projects,
    numbered_title,
    projects_of_name,
)


@pytest.mark.parametrize("number", [1, 2, 10, MAX_NUMBER])
@pytest.mark.parametrize("title", ["Support", "Support (2)", "(2)"])
def test_a_number_is_read_as_it_is_written(title: str, number: int) -> None:
    assert number_of(numbered_title(title, number), of=title) == number


@pytest.mark.parametrize(
    "title",
    [
        "Support (1)",
        "Support (0)",
        "Support (02)",
        "Support (2026)",
        "Support(2)",
        "Support (2) ",
        "Support (٢)",
        "Support (-2)",
        "Support ()",
        "support (2)",
        "My Support (2)",
        "Supportive (2)",
        "Support (2) (3)",
        "",
    ],
)
def test_other_titles_have_no_number(title: str) -> None:
    assert number_of(title, of="Support") is None


def test_the_highest_number_is_first_and_of_two_projects_the_oldest_counts() -> None:
    titles = {
        9: "Support",
        4: "Support (2)",
        7: "Support (2)",
        8: "Support (10)",
        3: "Supports",
        2: "Support",
    }

    assert list(numbered_projects(titles, of="Support").items()) == [(10, 8), (2, 4), (1, 2)]


@pytest.mark.parametrize(
    ("numbers", "current"),
    [([], 1), ([1], 1), ([1, 2, 3], 3), ([1, 3], 1), ([2, 3], 3), ([3, 4], 1), ([7], 1), ([7, 3, 2, 1], 3)],
)
def test_the_current_project_is_the_last_one_of_the_row_from_1_on(numbers: list[int], current: int) -> None:
    assert current_number(numbers) == current


def test_a_name_with_a_date_stands_for_all_its_dates_and_numbers() -> None:
    titles = {
        1: "Support-2026-09",
        2: "Support-2026-10",
        3: "Support-2026-10 (2)",
        4: "Support-2026-11",
        5: "Support-2026-13",
        6: "Support-2026-10 (2026)",
        7: "Support-soon",
        8: "Support-2026-11",
    }

    assert projects_of_name(titles, "Support-%Y-%m", numbered=False) == [
        ("Support-2026-11", 4),
        ("Support-2026-10", 2),
        ("Support-2026-09", 1),
    ]
    assert projects_of_name(titles, "Support-%Y-%m", numbered=True)[:2] == [
        ("Support-2026-11", 4),
        ("Support-2026-10", 3),
    ]


def test_a_date_in_brackets_is_no_number() -> None:
    titles = {1: "Runs (29)", 2: "Runs (30)", 3: "Runs (30) (2)"}

    assert projects_of_name(titles, "Runs (%d)", numbered=True) == [
        ("Runs (30)", 3),
        ("Runs (30)", 2),
        ("Runs (29)", 1),
    ]


def test_a_leap_day_without_a_year_is_a_day() -> None:
    assert projects_of_name({1: "Runs 02-29"}, "Runs %m-%d", numbered=False) == [("Runs 02-29", 1)]
