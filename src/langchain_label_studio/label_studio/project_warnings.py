"""`project_warnings`: where a project does not fit the settings of a handler, or cannot be reviewed. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from langchain_label_studio.forms.built_in_page import mode_of_page
from langchain_label_studio.forms.modes import PLAIN_MODES, LabelStudioMode
from langchain_label_studio.label_config.page_tags import advice_on_tag
from langchain_label_studio.label_config.parse import LabelConfig, describe_difference, parse_label_config
from langchain_label_studio.label_studio.answers import BY_SCORE
from langchain_label_studio.label_studio.settings import Settings

if TYPE_CHECKING:
    from langchain_label_studio.label_studio.answers import ProjectInfo

# Seen in Label Studio 1.23.2: its editor ignores the name of a <Markdown>.
_MARKDOWN_WARNING = (
    "Label Studio's editor cannot attach a <TextArea> to a <Markdown>: reviewers may not see the answer, nor save "
    'theirs. Use <Text name="prompt" value="$prompt"/> for the TextArea, and show <Markdown value="$prompt"/> '
    "without a name beside it."
)


def project_warnings(
    info: ProjectInfo, config: LabelConfig, settings: Settings, *, created: bool
) -> Iterator[str]:
    """Yield the warnings about a project, each with what to do.

    Args:
        info: The project.
        config: Its label config.
        settings: The settings of the handler.
        created: Whether it was created with these settings just now.
    """
    yield from _tag_warnings(info, config)
    yield from _page_warnings(config)
    if not created:
        yield from _config_warnings(info, config, settings)
        yield from _display_warnings(info, settings)
        yield from _reviewer_warnings(info, settings)
        yield from _order_warnings(info, settings)


def _tag_warnings(info: ProjectInfo, config: LabelConfig) -> Iterator[str]:
    """Yield a warning about each tag that the pages of this Label Studio do not know."""
    for tag in sorted(config.tags & info.unknown_tags):
        yield (
            f"Nobody can review project {info.id} ({info.title!r}): its label config has <{tag.capitalize()}>, and the "
            f"pages of this Label Studio show an error in place of a task with that tag. {advice_on_tag(tag)}."
        )


def _page_warnings(config: LabelConfig) -> Iterator[str]:
    """Yield warnings about tags that leave Label Studio's page white."""
    if config.input and config.input.type == "Markdown":
        yield _MARKDOWN_WARNING
    elif config.input and config.input.type == "Paragraphs" and config.input.key in config.active.markdown:
        yield (
            f'<Markdown value="${config.input.key}"/> leaves the page white, because <Paragraphs> makes a list of it. '
            'Use <Markdown value="$conversation_markdown"/>.'
        )


def _config_warnings(info: ProjectInfo, config: LabelConfig, settings: Settings) -> Iterator[str]:
    if settings.custom_config or settings.form not in PLAIN_MODES or settings.rating == "keys":
        passed = "the project_config passed" if settings.custom_config else f"that of mode={settings.form!r}"
        if settings.rating == "keys":
            passed += " with rating='keys'"
        wanted = parse_label_config(settings.label_config, takes_answer=settings.takes_answer)
        if difference := describe_difference(wanted, config):
            yield (
                f"Project {info.id} ({info.title!r}) exists and keeps its own label config, which is not "
                f"{passed}: {difference}. Use another project_name, or {_remedy(info, settings)}."
            )
    elif settings.form == LabelStudioMode.CHAT.value and config.input and config.input.type != "Paragraphs":
        yield (
            f"Project {info.id} ({info.title!r}) shows prompts in <{config.input.type}>, so chats become text "
            "there. Use another project_name for a new project with mode='chat'."
        )


def _remedy(info: ProjectInfo, settings: Settings) -> str:
    """Return what to do about the label config of a project."""
    page = None if settings.custom_config else mode_of_page(info.label_config)
    if page is None or page.value != settings.form:
        return "change the project's config"
    return f"run `langchain-label-studio project refresh {info.id} --rating {settings.rating}`"


def _display_warnings(info: ProjectInfo, settings: Settings) -> Iterator[str]:
    where = f"in the project's Settings -> Annotation (project {info.id}, {info.title!r})"
    if info.model_version and info.model_version != settings.model_version:
        yield (
            f"Reviewers will not see the answers: the project shows predictions of {info.model_version!r}, and "
            f"this handler sends {settings.model_version!r}. Choose {settings.model_version!r} {where}, or pass "
            f"model_version={info.model_version!r}."
        )
    elif not info.shows_predictions:
        yield f"Reviewers will not see the answers: switch on 'Use predictions to prelabel tasks' {where}."


def _reviewer_warnings(info: ProjectInfo, settings: Settings) -> Iterator[str]:
    wanted = settings.reviewers_per_task
    share = info.overlap_percent if info.reviewers_per_task > 1 else 100
    if wanted is not None and (info.reviewers_per_task, share) != (wanted, 100):
        tasks = "each task" if share == 100 else f"{share} % of its tasks"
        people = "1 person" if info.reviewers_per_task == 1 else f"{info.reviewers_per_task} people"
        yield (
            f"Project {info.id} ({info.title!r}) exists, and gives {tasks} to {people}, whatever "
            f"reviewers_per_task={wanted} says. Use another project_name for a new project; or change this one "
            f"with label_studio_sdk (in the Community edition, no page of Label Studio can): LabelStudio(...)"
            f".projects.update({info.id}, maximum_annotations={wanted}, overlap_cohort_percentage=100)."
        )


def _order_warnings(info: ProjectInfo, settings: Settings) -> Iterator[str]:
    if settings.priority is not None and not info.by_score:
        yield (
            f"Project {info.id} ({info.title!r}) exists, and does not give tasks by their priority. Use another "
            f"project_name for a new project; or change this one with label_studio_sdk: LabelStudio(...).projects.update("
            f"{info.id}, sampling={BY_SCORE!r})."
        )
