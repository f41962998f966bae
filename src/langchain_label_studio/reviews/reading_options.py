"""`ReadingOptions`: facts for reading reviews that no task tells."""

from __future__ import annotations

from dataclasses import dataclass, field

from langchain_label_studio.errors import SettingError
from langchain_label_studio.label_config.controls import Controls
from langchain_label_studio.support.did_you_mean import did_you_mean


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingOptions:
    """Facts that a task does not tell.

    Attributes:
        shown_version: The `model_version` of the predictions that the project shows. If it is empty, the project shows
            the newest prediction. None if it shows no predictions.
        answer: The name of the text field with the answer.
        good_buckets: The names or titles of the buckets of a `Ranker` for good answers.
    """

    shown_version: str | None = ""
    answer: str | None = None
    good_buckets: frozenset[str] = field(default_factory=frozenset)

    def check(self, controls: Controls) -> None:
        """Check the options against the label config of the project.

        Raises:
            SettingError: The label config has no such text field, or no such bucket.
        """
        if self.answer is not None and self.answer not in controls.text_fields:
            msg = f"answer={self.answer!r}: {_known('text fields', controls.text_fields)}"
            raise SettingError(msg + did_you_mean(self.answer, controls.text_fields))
        buckets = [
            name_or_title
            for control in controls.controls.values()
            for bucket in control.buckets.items()
            for name_or_title in bucket
        ]
        if unknown := sorted(self.good_buckets.difference(buckets)):
            msg = f"good_buckets={unknown}: {_known('buckets', buckets)}"
            raise SettingError(msg + did_you_mean(unknown[0], buckets))


NOTHING_TOLD = ReadingOptions()


def _known(kind: str, names: tuple[str, ...] | list[str]) -> str:
    if not names:
        return f"the label config of the project has no {kind}. Leave this option out."
    return f"the label config of the project has the {kind} {', '.join(map(repr, dict.fromkeys(names)))}. Use one of them."
