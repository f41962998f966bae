"""`RunInline`: works around a LangChain bug that skips handlers of async completion runs.

`AsyncCallbackManager.on_llm_start` calls either the inline handlers of a run or the others, never both
(https://github.com/langchain-ai/langchain/issues/39633). Beside an inline handler, the other handlers do not hear the
start, and `astream_events` of a completion model fails. If this handler were not inline, it would not hear the start
beside an inline handler such as LangSmith's. `tests/unit/recording/test_run_inline.py` fails when LangChain has mended
this.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langchain_core.callbacks.base import BaseCallbackHandler

_SKIPS_HANDLERS = "AsyncCallbackManager.on_llm_start"


class RunInline:
    """The attribute `run_inline` of a handler. It is true, except for the method that would skip the other handlers.

    Everywhere else, true is right. For a handler that is not inline, async code starts a job in a thread pool for each
    event and token. The method only sorts the handlers by this attribute. The code that calls the handlers reads it
    again.
    """

    def __get__(self, handler: BaseCallbackHandler | None, owner: type[BaseCallbackHandler]) -> bool:
        """Return whether the handler runs inline, depending on the function that reads the attribute."""
        frame = sys._getframe(1)  # noqa: SLF001 (it is documented, and no other way shows the reader)
        if (
            frame.f_code.co_name == "<listcomp>" and frame.f_back
        ):  # before Python 3.12, it has a frame of its own
            frame = frame.f_back
        if frame.f_code.co_qualname != _SKIPS_HANDLERS:
            return True
        return any(other.run_inline for other in frame.f_locals["self"].handlers if not _has_this_too(other))


def _has_this_too(handler: BaseCallbackHandler) -> bool:
    # Not `getattr_static`: it takes longer than all else of a callback.
    return any(isinstance(vars(kind).get("run_inline"), RunInline) for kind in type(handler).__mro__)
