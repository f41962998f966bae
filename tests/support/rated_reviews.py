"""`rich_reviews`: reviews that fill every part of a report, as a team writes them within some weeks."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

from langchain_label_studio.types.feedback import Feedback
from langchain_label_studio.types.review import Rating, Review, StepVerdict
from tests.support.reviews import START, preference, review, run

MODELS = {
    "gpt-5-mini": 0.9,
    "claude-haiku-4-5-20251001": 0.75,
    "provider/open-model-8b-instruct-2026-02": 0.4,
}
PEOPLE = {"ann@example.org": 0, "bobby.tables@example.org": -1, "cem@example.org": 0, "dora@example.org": 1}

_QUESTIONS = (
    "Why does bread rise?",
    "How do I give my sourdough more flavour, if I have only one day and an oven that is too small?",
    "What is the capital of Australia?",
    "Write a short reply to a guest who found a hair in the soup.",
)
_ANSWER = "Bread rises because yeast eats sugar and gives off a gas, which makes bubbles in the dough."
_SHORT = "Yeast makes gas."
_CORRECTIONS = (
    _ANSWER.replace("a gas", "carbon dioxide"),
    _ANSWER.replace("eats sugar", "ferments the sugar of the flour"),
)


def rich_reviews(count: int = 90, *, seed: int = 5) -> list[Review]:
    """Return reviews of three models by four people: stars, choices, corrections, comparisons, documents, steps.

    Args:
        count: The number of tasks. Most have two reviews, some are skipped, some are not reviewed.
        seed: The seed of the random numbers.
    """
    choose = random.Random(seed)
    reviews: list[Review] = []
    for number in range(count):
        model = choose.choice(list(MODELS))
        good = choose.random() < MODELS[model]
        the_run = run(
            choose.choice(_QUESTIONS),
            _ANSWER,
            model=model,
            tags=tuple(choose.sample(["baking", "support", "geography"], choose.randint(0, 2))),
            started_at=(START + timedelta(hours=9 * number)).isoformat(),
            latency_ms=choose.uniform(200, 2500),
            input_tokens=choose.randint(10, 90),
            output_tokens=choose.randint(10, 200),
        )
        task = {
            "run": the_run,
            "task_id": 4000 + number,
            "feedback": {"user_feedback": Feedback(score=float(good if choose.random() < 0.85 else not good))}
            if choose.random() < 0.7
            else {},
        }
        rivals = choose.sample(list(MODELS), 2)
        # One answer of two is better; people see it four times in five, and like the left one a little.
        left = choose.random() < MODELS[rivals[0]] / (MODELS[rivals[0]] + MODELS[rivals[1]])
        relevant = [choose.random() < 0.6 for _ in range(4)]
        verdicts = [choose.choice(["correct", "correct", "partial", "incorrect"]) for _ in range(3)]
        people = choose.sample(list(PEOPLE), 2 if number % 9 else 0)
        if not people:
            reviews.append(review(**task, annotation_id=None))
        for who in people:
            if choose.random() < 0.07:
                reviews.append(review(**task, reviewer=who, was_skipped=True))
                continue
            stars = max(1, min(5, (4 if good else 2) + PEOPLE[who] + choose.choice([-1, 0, 0, 1])))
            left_wins = left if choose.random() < 0.8 else True
            tie = choose.random() < 0.1
            reviewed = review(
                **task,
                reviewer=who,
                ratings={"rating": stars, "style": Rating(value=max(1, min(3, stars - 1)), scale=3)},
                corrected=_ANSWER if stars > 3 else _SHORT if stars == 3 else choose.choice(_CORRECTIONS),
                choices={
                    "mood": choose.choice(["Friendly", "Neutral", "Rude"]),
                    "problems": choose.sample(["wrong fact", "too long", "unsafe"], choose.randint(0, 2)),
                },
                controls={"confidence": float(choose.randint(0, 100))},
                preference=preference(
                    _ANSWER,
                    _SHORT,
                    models=rivals,
                    ranking=((0, 1),) if tie else ((0,), (1,)) if left_wins else ((1,), (0,)),
                ),
                relevance=tuple(each if choose.random() < 0.85 else not each for each in relevant),
                seconds_spent=choose.lognormvariate(3.3, 0.6),
                when=START + timedelta(hours=9 * number, minutes=40),
                ground_truth=who == "ann@example.org" and number % 4 == 0,
            )
            steps = tuple(
                StepVerdict(index=place, verdict=each if choose.random() < 0.8 else "partial")
                for place, each in enumerate(verdicts)
            )
            reviews.append(replace(reviewed, steps=steps))
    return reviews
