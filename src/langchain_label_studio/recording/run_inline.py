"""Whether a handler runs in the event loop, asked by a LangChain that forgets others over it.

`AsyncCallbackManager.on_llm_start` tells either the inline handlers or the others of a run, never both
(https://github.com/langchain-ai/langchain/issues/39633). A handler that is inline there takes the start
of the run from all others, and `astream_events` of a completion model fails for it. One that is not is
itself forgotten beside an inline one, such as LangSmith's.
"""

from __future__ import annotations

import sys
from inspect import getattr_static
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langchain_core.callbacks.base import BaseCallbackHandler

_FORGETFUL = "AsyncCallbackManager.on_llm_start"


class RunInline:
    """The attribute `run_inline`: true, but to the method that would forget others over it.

    Inline, because other handlers cost async code a job of the thread pool for each event and token.
    What that one method is told only sorts the handlers: whoever runs them asks again.
    """

    def __get__(self, handler: BaseCallbackHandler | None, owner: type[BaseCallbackHandler]) -> bool:
        """Return whether the handler runs inline, as far as the one who asks is concerned."""
        frame = sys._getframe(1)  # noqa: SLF001 (documented, and the only way to know who asks)
        if frame.f_code.co_name == "<listcomp>" and frame.f_back:  # its own frame before Python 3.12
            frame = frame.f_back
        if frame.f_code.co_qualname != _FORGETFUL:
            return True
        return any(other.run_inline for other in frame.f_locals["self"].handlers if not _asks_too(other))


def _asks_too(handler: BaseCallbackHandler) -> bool:
    return isinstance(getattr_static(handler, "run_inline", None), RunInline)
