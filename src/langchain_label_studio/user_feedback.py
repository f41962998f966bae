"""Feedback from the users of an application: `send_feedback` sends it, `FeedbackDesk` sends it for a handler."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args
from uuid import UUID, uuid4

from pydantic import SecretStr

from langchain_label_studio.delivery import DeliveryStats, Sender
from langchain_label_studio.delivery.settings import DeliverySettings, Durability, resolve_delivery
from langchain_label_studio.delivery.stats import State
from langchain_label_studio.errors import SettingError
from langchain_label_studio.label_studio.destinations.feedback import FeedbackDestination
from langchain_label_studio.label_studio.settings import (
    DEFAULT_PROJECT_NAME,
    Settings,
    resolve_deliver_to,
    resolve_settings,
)
from langchain_label_studio.label_studio.shared_senders import (
    AnyFeedbackDestination,
    feedback_senders,
    send_orphaned_feedback,
    share_feedback_sender,
)
from langchain_label_studio.support.bounded_dict import BoundedDict
from langchain_label_studio.support.forks import ForkSafe
from langchain_label_studio.support.safe_text import clean_text, clip
from langchain_label_studio.types.feedback import GivenFeedback, encode_feedback
from langchain_label_studio.types.task_columns import DEFAULT_KEY, check_feedback_key

if TYPE_CHECKING:
    from langchain_label_studio.label_studio.projects import Project

_MAX_RUN_ID = 200
_MAX_COMMENT = 10_000
_MAX_WHOLE = 2**53
_MAX_TARGETS = 16
_STATES = get_args(State)
_COUNTS = tuple(field.name for field in fields(DeliveryStats) if field.type == "int")
# LangChain's id of the answer of a run, if the provider gives it none.
_ID_OF_MESSAGE = re.compile(
    r"(?:lc_)?run-+([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:-\d+)?", re.IGNORECASE
)


def send_feedback(
    run_id: UUID | str,
    *,
    score: float | None = None,
    comment: str | None = None,
    key: str = DEFAULT_KEY,
    project_id: int | str | None = None,
    project_name: str = DEFAULT_PROJECT_NAME,
    url: str | None = None,
    api_key: str | SecretStr | None = None,
    headers: Mapping[str, str | SecretStr] | None = None,
    verify: bool | str | Path = True,
    outbox_dir: str | Path | None = None,
    durability: Durability = "process",
    deliver_to: str | None = None,
) -> bool:
    """Send a user's feedback on a run, from a process that has no handler.

    Like `handler.feedback`, it returns at once, and needs neither Label Studio nor the run's task. It masks nothing.
    Pass the same project as the handler: the feedback goes to it.

    Args:
        run_id: The run, or the outermost run of its trace. The `id` of the message works, too, if LangChain made it.
        score: A number, such as 1 for a thumb up and 0 for a thumb down. None keeps the earlier score.
        comment: The user's words. None keeps the earlier comment.
        key: The name of the column with the score. The column with the comment has `_comment` after it.
        project_id: The project's number. Default: `LABEL_STUDIO_PROJECT_ID`, else the project with this title.
        project_name: The project's title. `%Y-%m-%d` stands for any day.
        url: The address of Label Studio. Default: `LABEL_STUDIO_URL`, else `http://localhost:8080`.
        api_key: A personal access token or a legacy token. Default: `LABEL_STUDIO_API_KEY`.
        headers: More headers of each request: see the handler. Default: `LABEL_STUDIO_HEADERS`.
        verify: How the server's certificate is checked: see the handler.
        outbox_dir: The directory of the outbox. Default: `LABEL_STUDIO_OUTBOX_DIR`, else the user's state directory.
        durability: The loss that the feedback survives once the call has returned: see the handler.
        deliver_to: The object storage on the way: see the handler. Default: `LABEL_STUDIO_DELIVER_TO`.

    Returns:
        False if the outbox is full, else True.

    Raises:
        SettingError: An argument or a setting is missing, or cannot be right.
    """
    given = check_feedback(run_id, score=score, comment=comment, key=key)
    settings = resolve_settings(
        api_key=api_key,
        url=url,
        project_id=project_id,
        project_name=project_name,
        headers=headers,
        verify=verify,
        deliver_to=resolve_deliver_to(deliver_to),
    )
    delivery = resolve_delivery(
        outbox_dir=outbox_dir, durability=durability, has_storage=bool(settings.deliver_to)
    )
    return _desks.desk(settings, delivery).submit(given)


def check_feedback(
    run_id: UUID | str | None,
    *,
    score: float | None,
    comment: str | None,
    key: str,
    mask: Callable[[str], str] = str,
) -> GivenFeedback:
    """Check feedback, and return it with the present time.

    Args:
        run_id: The run.
        score: A number, or None.
        comment: Text, or None.
        key: The column of the score.
        mask: Takes a text, and returns it without the parts that must not leave the process.

    Raises:
        SettingError: There is neither a score nor a comment, or a task cannot show one of the values.
    """
    check_feedback_key(key)
    known, number, text = _run_id(run_id), _number(score), _text(comment, mask)
    if number is None and text is None:
        msg = "Feedback needs a score= or a comment=."
        raise SettingError(msg)
    return GivenFeedback(
        id=f"{re.sub(r'[^A-Za-z0-9_-]', '-', known)[:60]}-{uuid4().hex[:12]}",
        run_id=known,
        key=key,
        score=number,
        comment=text,
        given_at=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
    )


class FeedbackDesk(ForkSafe):
    """Takes the feedback for one project. It makes its sender with the first feedback."""

    def __init__(self, settings: Settings, delivery: DeliverySettings) -> None:
        """Open a desk. Nothing is written yet.

        Args:
            settings: The project of the runs.
            delivery: The settings of delivery.
        """
        self._settings = settings
        self._delivery = delivery
        self._sender: Sender[AnyFeedbackDestination] | None = None
        self._retired = False
        super().__init__()

    def submit(self, given: GivenFeedback) -> bool:
        """Take feedback. It does not wait for the network. Return False if the outbox is full."""
        return self._known_sender().submit(encode_feedback(given))

    def flush(self, timeout: float, project: Project | None) -> bool:
        """Send the feedback that this process has for the project, for so many seconds at most.

        Args:
            timeout: Seconds to wait at most.
            project: The project, if Label Studio has answered.

        Returns:
            Whether all of it is in its task, waits for its task, or is rejected.
        """
        deadline = time.monotonic() + timeout
        senders = feedback_senders(self._settings, project)
        # All of them, also after one that failed.
        flushed = [sender.flush(max(0.0, deadline - time.monotonic())) for sender in senders]
        return all(flushed)

    def stats(self, project: Project | None) -> DeliveryStats | None:
        """Return the number of pieces of feedback for the project by their outcome. None if there was none."""
        known = [sender.stats() for sender in feedback_senders(self._settings, project)]
        known = [stats for stats in known if stats.submitted]
        if not known:
            return None
        worst = max(known, key=lambda stats: _STATES.index(stats.state))
        ages = [stats.oldest_seconds for stats in known if stats.oldest_seconds is not None]
        counts = {name: sum(getattr(stats, name) for stats in known) for name in _COUNTS}
        refusals = [stats.rejected_seconds for stats in known if stats.rejected_seconds is not None]
        return replace(
            worst,
            oldest_seconds=max(ages, default=None),
            rejected_seconds=min(refusals, default=None),
            **counts,
        )

    def retire(self) -> None:
        """Let the background thread end as soon as no feedback is pending. Later feedback is sent all the same."""
        with self._lock:
            if self._sender and not self._retired:
                self._sender.retire()
            self._retired = True

    def _known_sender(self) -> Sender[AnyFeedbackDestination]:
        with self._lock:
            if self._sender is None:
                self._sender = share_feedback_sender(self._settings, self._delivery)
                if self._settings.has_other_access_than(self._sender.destination.settings):
                    self._sender.redirect(FeedbackDestination(self._settings))
                if self._retired:
                    self._sender.retire()
            return self._sender


class _Desks(ForkSafe):
    """The desks of `send_feedback`, kept for the next feedback."""

    def _begin(self) -> None:
        super()._begin()
        # A project name with a date means another project each day.
        self._known: BoundedDict[tuple[Settings, DeliverySettings], FeedbackDesk] = BoundedDict(
            _MAX_TARGETS, on_drop=FeedbackDesk.retire
        )

    def desk(self, settings: Settings, delivery: DeliverySettings) -> FeedbackDesk:
        with self._lock:
            known = self._known.get((settings, delivery))
            if known is None:
                known = self._known[settings, delivery] = FeedbackDesk(settings, delivery)
                send_orphaned_feedback(settings, delivery)
            return known


_desks = _Desks()


def _run_id(run_id: UUID | str | None) -> str:
    known = str(run_id).strip() if isinstance(run_id, str | UUID) else ""
    if not known or len(known) > _MAX_RUN_ID or not known.isprintable():
        msg = "Which run? Pass its run_id, as LangChain's callbacks or the `id` of its answer name it."
        raise SettingError(msg)
    message = _ID_OF_MESSAGE.fullmatch(known)
    return message[1].lower() if message else known


def _text(comment: Any, mask: Callable[[str], str]) -> str | None:
    if comment is None:
        return None
    if not isinstance(comment, str):
        msg = f"comment= is a {type(comment).__name__}: pass a text."
        raise SettingError(msg)
    return clip(clean_text(mask(comment)), _MAX_COMMENT).strip() or None


def _number(score: Any) -> float | None:
    if score is None:
        return None
    try:
        # numpy's numbers count, too. At run time, the value may be anything.
        number = float(score) if isinstance(score, Real) else math.nan
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        msg = f"score={score!r}: it has to be a number, such as 1 for a thumb up and 0 for one down."
        raise SettingError(msg)
    return int(number) if number.is_integer() and abs(number) <= _MAX_WHOLE else number
