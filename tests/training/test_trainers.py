"""Each file that is exported is read by the trainer it is for, which learns what the reviewers wrote, and that alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import pytest_socket
from datasets import Dataset, load_dataset
from transformers import PreTrainedTokenizerFast
from trl import (
    DPOConfig,
    DPOTrainer,
    KTOConfig,
    KTOTrainer,
    RewardConfig,
    RewardTrainer,
    SFTConfig,
    SFTTrainer,
)

from langchain_label_studio import TrainingSet, to_dpo, to_kto, to_reward, to_sft, write_jsonl, write_parquet
from tests.training.reviewed import CHATS, TEXTS, Case, review_of
from tests.training.tiny import END, save_model

STEPS = 5
Load = Callable[[TrainingSet], Dataset]
Train = Callable[..., Any]
TextOf = Callable[[Sequence[int]], str]
Options = dict[str, Any]

# The end of an answer is learnt, too: a model has to know when to stop.
in_both_formats = pytest.mark.parametrize(
    ("cases", "end", "options"),
    [(CHATS, f"{END}\n", {}), (TEXTS, END, {"format": "plain"})],
    ids=["conversational", "plain"],
)


@pytest.fixture(autouse=True)
def _no_sockets() -> Iterator[None]:
    pytest_socket.disable_socket()
    yield
    pytest_socket.enable_socket()


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, PreTrainedTokenizerFast]:
    directory = tmp_path_factory.mktemp("model")
    return directory, save_model(directory)


@pytest.fixture
def text_of(model: tuple[Path, PreTrainedTokenizerFast]) -> TextOf:
    """Tokens as the text they are of; those that are not learnt left out."""
    return lambda tokens: model[1].decode([token for token in tokens if token >= 0])


@pytest.fixture(params=["jsonl", "parquet", "to_huggingface"])
def load(request: pytest.FixtureRequest, tmp_path: Path) -> Load:
    """Each way from rows to a trainer's dataset."""

    def read(rows: TrainingSet) -> Dataset:
        if request.param == "to_huggingface":
            return rows.to_huggingface()
        kind, write = {"jsonl": ("json", write_jsonl), "parquet": ("parquet", write_parquet)}[request.param]
        file = tmp_path / f"train.{request.param}"
        write(rows, file)
        return load_dataset(kind, data_files=str(file), split="train", cache_dir=str(tmp_path / "cache"))

    return read


@pytest.fixture
def train(model: tuple[Path, PreTrainedTokenizerFast], tmp_path: Path) -> Train:
    """Some real steps, after which the loss is lower than at the start."""

    def run(trainer_class: Any, config_class: Any, rows: Dataset, **settings: Any) -> Any:
        trainer = trainer_class(
            model=str(model[0]),
            args=config_class(
                output_dir=str(tmp_path / "trained"),
                max_steps=STEPS,
                learning_rate=0.01,
                lr_scheduler_type="constant",
                per_device_train_batch_size=4,  # all rows at once
                # A token of this model is a byte, so texts are long; none may be dropped.
                max_length=None,
                logging_steps=1,
                report_to="none",
                save_strategy="no",
                disable_tqdm=True,
                use_cpu=True,
                **settings,
            ),
            train_dataset=rows,
        )
        trainer.train()
        losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
        assert len(losses) == STEPS
        assert all(map(math.isfinite, losses))
        assert losses[-1] < losses[0]
        assert trainer.state.epoch >= 1  # so it has seen them all
        return trainer

    return run


def reviews(cases: Sequence[Case]) -> list[Any]:
    return [review_of(number, case) for number, case in enumerate(cases, 1)]


def assert_shown(text: str, case: Case) -> None:
    """The whole conversation is there, in order."""
    places = [text.find(part) for part in case.shown]
    assert -1 not in places
    if not case.tools:  # which templates show first
        assert places == sorted(places)


def corrected(cases: Sequence[Case]) -> list[Case]:
    return [case for case in cases if case.is_corrected]


@in_both_formats
def test_sft_learns_the_reviewed_answer_alone(
    cases: Sequence[Case], end: str, options: Options, load: Load, train: Train, text_of: TextOf
) -> None:
    trainer = train(SFTTrainer, SFTConfig, load(to_sft(reviews(cases), **options)))

    assert len(trainer.train_dataset) == len(cases)
    for row, case in zip(trainer.train_dataset, cases, strict=True):
        assert text_of(row["labels"]) == case.learnt + end
        text = text_of(row["input_ids"])
        assert_shown(text, case)
        assert text.endswith(case.learnt + end)
        assert case.refused not in text or not case.is_corrected


def test_sft_reads_whole_conversations(load: Load, train: Train, text_of: TextOf) -> None:
    rows = load(to_sft(reviews(CHATS), format="messages"))
    trainer = train(SFTTrainer, SFTConfig, rows, assistant_only_loss=True)

    assert len(trainer.train_dataset) == len(CHATS)
    for row, case in zip(trainer.train_dataset, CHATS, strict=True):
        assert_shown(text_of(row["input_ids"]), case)
        earlier = [turn for turn in case.prompt if turn["role"] == "assistant"]
        learnt = text_of(row["labels"])
        assert learnt.endswith(case.learnt + f"{END}\n")
        assert learnt.count(END) == 1 + len(earlier)


@in_both_formats
def test_dpo_prefers_the_correction_to_the_original(
    cases: Sequence[Case], end: str, options: Options, load: Load, train: Train, text_of: TextOf
) -> None:
    trainer = train(DPOTrainer, DPOConfig, load(to_dpo(reviews(cases), **options)))

    assert len(trainer.train_dataset) == len(corrected(cases))
    for row, case in zip(trainer.train_dataset, corrected(cases), strict=True):
        assert_shown(text_of(row["prompt_ids"]), case)
        assert text_of(row["chosen_ids"]) == case.learnt + end
        assert text_of(row["rejected_ids"]) == case.refused + end
    margins = [entry["rewards/margins"] for entry in trainer.state.log_history if "loss" in entry]
    assert margins[-1] > 0


@in_both_formats
def test_kto_tells_good_answers_from_bad_ones(
    cases: Sequence[Case], end: str, options: Options, load: Load, train: Train, text_of: TextOf
) -> None:
    trainer = train(KTOTrainer, KTOConfig, load(to_kto(reviews(cases), **options)))

    assert len(trainer.train_dataset) == len(cases)
    for row, case in zip(trainer.train_dataset, cases, strict=True):
        assert_shown(text_of(row["prompt_ids"]), case)
        assert text_of(row["completion_ids"]) == case.refused + end
        assert row["label"] is case.is_good


@in_both_formats
def test_a_reward_model_gets_both_answers_in_their_conversation(
    cases: Sequence[Case], end: str, options: Options, load: Load, train: Train, text_of: TextOf
) -> None:
    trainer = train(RewardTrainer, RewardConfig, load(to_reward(reviews(cases), **options)))

    assert len(trainer.train_dataset) == len(corrected(cases))
    for row, case in zip(trainer.train_dataset, corrected(cases), strict=True):
        chosen, rejected = text_of(row["chosen_ids"]), text_of(row["rejected_ids"])
        assert_shown(chosen, case)
        assert chosen.endswith(case.learnt + end)
        assert chosen.removesuffix(case.learnt + end) == rejected.removesuffix(case.refused + end)
