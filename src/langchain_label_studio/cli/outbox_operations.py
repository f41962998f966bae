"""The work of the outbox commands: `look_at`, `retry`, `purge`. It prints nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from langchain_label_studio.delivery import LANES, REJECTED
from langchain_label_studio.delivery.lane import Lane
from langchain_label_studio.delivery.lane_files import (
    VERSION,
    BatchFile,
    lanes_in,
    owner_lives,
    scan,
    seconds_since,
)
from langchain_label_studio.delivery.rejected import Rejected, alone, put_back, read_all, record_in
from langchain_label_studio.delivery.rejected_bound import DELETED, count_deleted
from langchain_label_studio.errors import LabelStudioError, SettingError
from langchain_label_studio.fleet.targets import FleetTarget
from langchain_label_studio.label_studio.project_outboxes import ProjectOutbox, find_project_outboxes
from langchain_label_studio.label_studio.target_file import Holds
from langchain_label_studio.types.feedback import decode_feedback
from langchain_label_studio.types.record_id import run_id_of
from langchain_label_studio.types.run_record import decode_run

AnyTarget = ProjectOutbox | FleetTarget
"""A target in a directory, or in object storage."""

TargetT = TypeVar("TargetT", ProjectOutbox, FleetTarget)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetStatus:
    """The numbers of runs in the outbox of one target.

    Attributes:
        waiting: Runs of living programs. These send the runs themselves. In object storage, the relay sends them.
        orphaned: Runs of programs that ended before they sent them.
        in_doubt: How many of the orphaned runs were sent, and nobody knows whether they are stored.
        bytes: The size of the waiting and orphaned runs on the disk.
        oldest_seconds: The seconds for which the oldest run has waited, or None.
        rejected: Runs that Label Studio rejected.
        rejected_deleted: Rejected runs that were deleted, the oldest first, because there were too many.
        newer_lanes: Lanes of a newer version of this package. This version cannot read them.
        problems: The problems with files that cannot be read.
    """

    waiting: int
    orphaned: int
    in_doubt: int
    bytes: int
    oldest_seconds: float | None
    rejected: int
    rejected_deleted: int
    newer_lanes: int
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Purged:
    """The number of runs that were deleted, or would be deleted.

    Attributes:
        waiting: Orphaned runs.
        rejected: Runs that Label Studio rejected.
        problems: The problems with files that could not be deleted.
    """

    waiting: int = 0
    rejected: int = 0
    problems: tuple[str, ...] = ()


def select_targets(outbox_dir: Path, wanted: str | None) -> tuple[list[ProjectOutbox], list[str]]:
    """Return the outboxes that a person names, and the problems with the outboxes that cannot be read.

    Args:
        outbox_dir: The directory of all outboxes.
        wanted: A part of a target's directory, project or address. Upper and lower case are the same. None is all.

    Raises:
        SettingError: There is no such target.
        LabelStudioError: The directory cannot be read.
    """
    try:
        targets, problems = find_project_outboxes(outbox_dir)
    except OSError as error:
        msg = f"The outbox directory {outbox_dir} cannot be read: {error.strerror}."
        raise LabelStudioError(msg) from None
    return choose_targets(targets, problems, wanted)


def choose_targets(
    targets: list[TargetT], problems: list[str], wanted: str | None
) -> tuple[list[TargetT], list[str]]:
    """Return the targets that a person names, of those that were found, and the problems that concern them.

    Args:
        targets: All targets.
        problems: The problems with the targets that cannot be read.
        wanted: See `select_targets`.

    Raises:
        SettingError: There is no such target.
    """
    if wanted is None:
        return targets, problems
    part = wanted.casefold()
    chosen = [target for target in targets if any(part in name.casefold() for name in _names(target))]
    concerned = [problem for problem in problems if part in problem.casefold()]
    if not chosen and not concerned:
        known = "; ".join(f"{target.title} ({target.settings.address})" for target in targets) or "none"
        msg = f"No target has {wanted!r} in its name or address. There are: {known}."
        raise SettingError(msg)
    return chosen, concerned


def describe(target: AnyTarget) -> dict[str, Any]:
    """Return the keys of a project's outbox for JSON."""
    return {
        "name": target.name,
        "directory": target.place,
        "url": target.settings.address,
        "project": target.title,
        "project_id": target.settings.project_id,
    }


def describe_rejected(target: AnyTarget, item: Rejected) -> dict[str, Any]:
    """Return the keys of a rejected run for JSON, without its content."""
    keys = {
        "run_id": run_id_of(item.key),
        "record_id": item.key,
        "rejected_at": item.rejected_at,
        "reason": item.reason,
        "path": str(item.path),
    }
    return describe(target) | keys


def look_at(target: ProjectOutbox) -> TargetStatus:
    """Count the runs in a project's outbox. It changes nothing."""
    waiting: list[BatchFile] = []
    left: list[BatchFile] = []
    problems: list[str] = []
    for path in _lanes(target, problems):
        try:
            (waiting if owner_lives(path) else left).extend(scan(path))
        except FileNotFoundError:
            continue  # its runs were sent meanwhile
        except OSError as error:
            problems.append(f"{path} cannot be read: {error.strerror}.")
    oldest = min((file.since for file in (*waiting, *left) if file.records), default=None)
    return TargetStatus(
        waiting=sum(file.records for file in waiting),
        orphaned=sum(file.records for file in left),
        in_doubt=sum(file.records for file in left if file.sending),
        bytes=sum(file.size for file in (*waiting, *left)),
        oldest_seconds=None if oldest is None else round(time.monotonic() - oldest, 1),
        rejected=_count_rejected(target, problems),
        rejected_deleted=count_deleted(target.directory / REJECTED),
        newer_lanes=_newer_lanes(target),
        problems=tuple(problems),
    )


def rejected_runs(targets: Iterable[ProjectOutbox]) -> list[tuple[ProjectOutbox, Rejected]]:
    """Return the rejected runs, project by project, the oldest first."""
    return [
        (target, replace(item, key=item.key or item.path.stem))
        for target in targets
        for item in read_all(target.directory / REJECTED)
    ]


def choose_rejected(
    refused: Sequence[tuple[AnyTarget, Rejected]], beginnings: Iterable[str]
) -> list[tuple[AnyTarget, Rejected]]:
    """Return the rejected runs with these ids. The beginning of an id is enough.

    Raises:
        SettingError: No id has this beginning, or several have it.
    """
    chosen = {}
    for beginning in beginnings:
        found = [(target, item) for target, item in refused if item.key.startswith(beginning)]
        found = [(target, item) for target, item in found if item.key == beginning] or found
        if len(found) != 1:
            which = ", ".join(item.key for _, item in found) or "`outbox rejected` lists them"
            msg = f"{len(found)} rejected runs have an id that begins with {beginning!r}: {which}."
            raise SettingError(msg)
        chosen[found[0][1].path] = found[0]
    return list(chosen.values())


def retry(target: ProjectOutbox, refused: Sequence[Rejected]) -> tuple[int, list[str]]:
    """Put rejected runs back into the outbox, as their files are now.

    Returns:
        The number of these runs, and the problems with the others.
    """
    problems: list[str] = []
    done = 0
    try:
        with alone(target.directory / REJECTED) as nobody_else:
            if not nobody_else:
                return 0, [f"{target.directory / REJECTED}: somebody else retries these runs just now."]
            lane = Lane.create(target.directory / LANES, power=True)
            try:
                for item in refused:
                    try:
                        path = Path(item.path)
                        put_back(lane, path, checked_record(path.read_bytes(), target.holds))
                        done += 1
                    except FileNotFoundError:
                        problems.append(f"{item.path} is gone.")
                    except ValueError as error:
                        problems.append(
                            f"{item.path} cannot be retried: {error}. Repair the file, and try again."
                        )
            finally:
                lane.let_go() if lane.files else lane.delete()
    except OSError as error:
        problems.append(f"{target.directory} cannot be written: {error.strerror}.")
    return done, problems


def purge(
    target: ProjectOutbox, *, waiting: bool, rejected: bool, min_age: float, only_count: bool = False
) -> Purged:
    """Delete orphaned runs, or rejected runs, or both.

    Args:
        target: The outbox.
        waiting: Whether to delete orphaned runs.
        rejected: Whether to delete rejected runs.
        min_age: The minimum age in seconds, since the run was recorded or rejected. Younger runs stay.
        only_count: Whether to count only, and delete nothing.
    """
    problems: list[str] = []
    left = 0
    for path in _lanes(target, problems) if waiting else []:
        try:
            left += _purge_lane(path, min_age, delete=not only_count)
        except OSError as error:
            problems.append(f"{path} cannot be deleted: {error.strerror}.")
    refused = 0
    if rejected:
        refused = _purge_rejected(target.directory / REJECTED, min_age, problems, delete=not only_count)
    if not only_count:
        target.forget_if_unused()
    return Purged(waiting=left, rejected=refused, problems=tuple(problems))


def checked_record(content: bytes, holds: Holds) -> bytes:
    """Return the record in the file of a rejected run, which a person may have repaired.

    Args:
        content: The content of the file.
        holds: The kind of the record.

    Raises:
        ValueError: It cannot be sent. The message says why.
    """
    body = record_in(content)
    record = json.loads(body)
    for name in ("run_id", "v"):
        if not record.get(name):
            msg = f'its record has no "{name}"'
            raise ValueError(msg)
    try:
        decode_run(body) if holds == "runs" else decode_feedback(body)
    except (LabelStudioError, TypeError) as error:
        raise ValueError(str(error).rstrip(".")) from None
    return body


def _purge_lane(path: Path, min_age: float, *, delete: bool) -> int:
    lane = Lane.recover(path)
    if lane is None:
        return 0
    runs = 0
    try:
        for file in list(lane.files):
            if time.monotonic() - file.since >= min_age:
                if delete:
                    file.path.unlink()
                    lane.files.remove(file)
                runs += file.records
    finally:
        lane.delete() if delete and not lane.files else lane.let_go()
    return runs


def _purge_rejected(directory: Path, min_age: float, problems: list[str], *, delete: bool) -> int:
    runs = 0
    for path in directory.glob("*.json"):
        try:
            if seconds_since(path.stat().st_mtime) >= min_age:
                if delete:
                    path.unlink()
                runs += 1
        except FileNotFoundError:
            continue
        except OSError as error:
            problems.append(f"{path} cannot be deleted: {error.strerror}.")
    if delete:
        with suppress(OSError):
            (directory / DELETED).unlink()
    return runs


def _lanes(target: ProjectOutbox, problems: list[str] | None = None) -> list[Path]:
    try:
        return lanes_in(target.directory / LANES)
    except OSError as error:
        if problems is not None:
            problems.append(f"{target.directory / LANES} cannot be read: {error.strerror}.")
        return []


def _count_rejected(target: ProjectOutbox, problems: list[str]) -> int:
    try:
        return sum(1 for path in (target.directory / REJECTED).iterdir() if path.suffix == ".json")
    except FileNotFoundError:
        return 0
    except OSError as error:
        problems.append(f"{target.directory / REJECTED} cannot be read: {error.strerror}.")
        return 0


def _newer_lanes(target: ProjectOutbox) -> int:
    with suppress(OSError):
        names = [path.name for path in (target.directory / LANES).iterdir()]
        return sum(1 for name in names if not name.startswith((VERSION, ".")))
    return 0


def _names(target: AnyTarget) -> tuple[str, ...]:
    return target.name, target.title, target.settings.address
