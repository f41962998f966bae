"""The public names, and the arguments of the handler: who changes them here decides to change them for everybody."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import version
from typing import Any, get_args, get_type_hints

import pytest

import langchain_label_studio
from langchain_label_studio import DeliveryStats, LabelStudioCallbackHandler, types

ROOT = "langchain_label_studio"
OWN_FACES = (f"{ROOT}.datasets", f"{ROOT}.report")
NAMES = {
    "": """
        AuthenticationError Candidate DeliveryStats Feedback Filled Form LLMRun LabelConfigError
        LabelStudioCallbackHandler LabelStudioError LabelStudioMode LabelStudioWarning LocalServerError
        MissingApiKeyError NoResponseControlError NotLabelStudioError PermissionDeniedError Preference
        ProjectNotFoundError ProjectTitleError Rating Report RequestRefusedError Review ServerError
        ServerUnavailableError SettingError StepVerdict TaskDataError TrainingSet
        UnsupportedVersionError __version__ build_report
        current_handler get_default_label_configs load_reviews record_runs register_form send_feedback
        to_dpo to_kto to_prm to_reward to_sft write_jsonl write_parquet
    """,
    ".types": """
        Candidate ControlTag Data DeliveryStats Document Durability Feedback GroupBy Health HealthLevel LLMRun
        Mask Preference Priority Rating Review RunFields RunPriority Select Status Step StepError StepResult StepVerdict Turn
    """,
    ".selectors": """
        Select Selector at_most_per_day balanced by_metadata by_model by_name by_tag errors final_answer
        first_per_thread long low_rating novel sampled slow
    """,
    ".masks": "TextMask all_of cards defaults emails keys phones",
    ".forms": """
        Filled Form Gatherer GroupBy TraceEvent TraceGatherer find_form get_form register_form
    """,
    ".errors": """
        AuthenticationError LabelConfigError LabelStudioError LabelStudioWarning LocalServerError
        MissingApiKeyError NoResponseControlError NotLabelStudioError ObjectStoreError PermissionDeniedError
        ProjectNotFoundError ProjectTitleError RequestRefusedError ServerError ServerUnavailableError
        SettingError TaskDataError UnsupportedVersionError
    """,
    ".testing": "CapturedRuns build_task capture_runs captured_runs",
}
HANDLER = """
    api_key: str | SecretStr | None = None
    url: str | None = None
    project_id: int | None = None
    project_name: str = 'LangChain-%Y-%m-%d'
    project_config: str | None = None
    mode: str | LabelStudioMode = <LabelStudioMode.PROMPT: 'prompt'>
    *
    connect: Literal['eager', 'lazy'] = 'eager'
    model_version: str = 'langchain'
    headers: Mapping[str, str | SecretStr] | None = None
    verify: bool | str | Path = True
    sample_rate: float | None = None
    select: Select | None = None
    mask: Mask | None = None
    data: Data | None = None
    include_errors: bool = False
    group_by: GroupBy | None = None
    reviewers_per_task: int | None = None
    instructions: str | None = None
    priority: Priority | None = None
    rating: Literal['stars', 'keys'] = 'stars'
    outbox_dir: str | Path | None = None
    durability: Durability = 'process'
    flush_interval: float | None = None
    batch_size: int = 500
    deliver_to: str | None = None
"""


@pytest.mark.parametrize("module", NAMES)
def test_names(module: str) -> None:
    found = import_module(f"{ROOT}{module}")

    assert sorted(found.__all__) == NAMES[module].split()
    assert [name for name in found.__all__ if not hasattr(found, name)] == []


@pytest.mark.parametrize("module", NAMES)
def test_what_is_no_public_name(module: str) -> None:
    with pytest.raises(AttributeError, match=f"{ROOT}{module}.*'nothing'"):
        _ = import_module(f"{ROOT}{module}").nothing


def test_version() -> None:
    assert langchain_label_studio.__version__ == version("langchain-label-studio")


def test_arguments_of_the_handler() -> None:
    lines = []
    for parameter in inspect.signature(LabelStudioCallbackHandler).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in lines:
            lines.append("*")
        lines.append(f"{parameter.name}: {parameter.annotation} = {parameter.default!r}")

    assert lines == [line.strip() for line in HANDLER.strip().splitlines()]


def test_every_type_of_a_public_signature_is_public() -> None:
    """Rows of training data and numbers of a report are read, not typed: `.datasets` and `.report` have these."""
    names = [(import_module(f"{ROOT}{module}"), name) for module in NAMES for name in NAMES[module].split()]
    public = [getattr(module, name) for module, name in names]
    recording = [item for item in public if not getattr(item, "__module__", ROOT).startswith(OWN_FACES)]
    spoken_of = {kind for item in recording for function in functions(item) for kind in types_of(function)}

    assert len(spoken_of) > 20
    assert [kind for kind in spoken_of if kind not in public] == []


def functions(item: Any) -> Iterator[Callable[..., Any]]:
    """Yield what has a signature: a function; the methods and the fields of a class."""
    if inspect.isfunction(item):
        yield item
    elif inspect.isclass(item):
        yield item
        for name, value in vars(item).items():
            function = value.fget if isinstance(value, property) else value
            if inspect.isfunction(function) and (name == "__init__" or not name.startswith("_")):
                yield function


def types_of(function: Callable[..., Any]) -> set[type]:
    # A module does not import a type at once that it only names, such as `Review`.
    public = {name: getattr(types, name) for name in types.__all__}
    hints = [
        hint for name, hint in get_type_hints(function, localns=public).items() if not name.startswith("_")
    ]
    found = set()
    while hints:
        hint = hints.pop()
        for inner in get_args(hint):
            hints += inner if isinstance(inner, list) else [inner]
        if inspect.isclass(hint) and hint.__module__.startswith(ROOT):
            found.add(hint)
    return found


def test_former_names_work_for_one_more_release() -> None:
    stats = DeliveryStats(recovered=3, excluded={"sample_rate=0.1": 2})

    assert (stats.adopted, stats.left_out) == (3, {"sample_rate=0.1": 2})
