"""Run a script which ends when the process that started it is gone.

Run by the environment's Python, not by ours: standard library only. A pipe tells, not
PR_SET_PDEATHSIG: that one also fires when only the thread that started us has ended.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time


def _end_with_parent() -> None:
    # os.read, not sys.stdin: a thread inside the buffered reader can abort the interpreter
    # when it shuts down.
    while os.read(0, 1):
        continue
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(5)
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, name="end-with-parent", daemon=True).start()
    del sys.argv[0]
    runpy.run_path(sys.argv[0], run_name="__main__")
