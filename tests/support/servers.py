"""What the servers of the tests are made of."""

from __future__ import annotations

from http.server import ThreadingHTTPServer


class BusyServer(ThreadingHTTPServer):
    """A server of threads that many may call at once, also on a computer that has much else to do."""

    request_queue_size = 128  # with the 5 of the standard library, the sixth may be turned away
    daemon_threads = True
