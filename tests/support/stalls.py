"""`MEASURE_STALLS`: the beginning of a program, measures how long its other threads wait."""

from __future__ import annotations

MEASURE_STALLS = """
import threading

stalls, _ended = [], threading.Event()

def _measure():
    last = time.perf_counter()
    ended = False
    while not ended:
        # Measured after the end, too: what comes just before it may be the longest.
        ended = _ended.wait(0.005)
        now = time.perf_counter()
        stalls.append(now - last)
        last = now

_measuring = threading.Thread(target=_measure, daemon=True)
_measuring.start()

def longest_stall():
    # Ends the measuring, and returns seconds.
    _ended.set()
    _measuring.join()
    return max(stalls)

"""
