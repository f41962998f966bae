"""`MEASURE_STALLS`: the first lines of a program that measures how long a thread of it has to wait."""

from __future__ import annotations

MEASURE_STALLS = """
import threading

_stalls, _ended = [], threading.Event()

def _measure():
    last = time.perf_counter()
    ended = False
    while not ended:
        # Measured after the end, too: what comes just before it may be the longest.
        ended = _ended.wait(0.005)
        now = time.perf_counter()
        _stalls.append(now - last)
        last = now

_measuring = threading.Thread(target=_measure, daemon=True)
_measuring.start()

def longest_stall():
    # In seconds. It ends the measuring.
    _ended.set()
    _measuring.join()
    return max(_stalls)

"""
