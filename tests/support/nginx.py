"""Debian's nginx with its default limits, in front of a server."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from langchain_label_studio.local_server.process import free_port
from tests.support.certificates import Certificate

MISSING = "nginx is missing. Install it: apt-get install nginx-light"
_HOST = "127.0.0.1"
_START_TIMEOUT = 30.0

# Only what a proxy needs to be one. So all limits and times are nginx's own: 1 MB of body, 8 kB of request line, 60 s
# for an answer. The paths keep the files of this process away from those of an nginx of the computer.
_CONFIG = """
daemon off;
{user}
worker_processes 1;
pid {directory}/pid;
error_log stderr warn;
events {{}}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    {http}
    server {{
        listen {host}:{port}{tls};
        {server}
        location / {{
            proxy_pass {upstream};
            proxy_set_header Host $http_host;
        }}
    }}
}}
"""


def find_nginx() -> str | None:
    """Return the path of nginx, or None where there is none."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")  # off the PATH of Debian's users


class Nginx:
    """A proxy on a free port of 127.0.0.1, as a child process.

    Attributes:
        url: Its address.
        program: The path of nginx.
    """

    def __init__(
        self,
        program: str,
        upstream: str,
        *,
        http: str = "",
        server: str = "",
        certificate: Certificate | None = None,
    ) -> None:
        """Prepare; nothing is started yet.

        Args:
            program: The path of nginx.
            upstream: The address of the server.
            http: More directives for all servers.
            server: More directives for this one.
            certificate: The certificate to speak https with. None speaks http.
        """
        self.program = program
        self._upstream = upstream
        self._http = http
        self._server = server
        self._tls = ""
        if certificate:
            self._tls = f" ssl; ssl_certificate {certificate.file}; ssl_certificate_key {certificate.key}"
        self._process: subprocess.Popen[bytes] | None = None
        self._port = free_port(_HOST)
        self.url = f"http{'s' if certificate else ''}://{_HOST}:{self._port}"

    def __enter__(self) -> Self:
        self._directory = Path(tempfile.mkdtemp(prefix="nginx-"))
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Stop it during a block. Then it is at the same address again."""
        self._stop()
        try:
            yield
        finally:
            self.__enter__()

    def _start(self) -> None:
        config, log = self._directory / "nginx.conf", self._directory / "log"
        config.write_text(
            _CONFIG.format(
                # Else root's workers become a user that cannot enter the directory.
                user="user root;" if os.geteuid() == 0 else "",
                directory=self._directory,
                host=_HOST,
                port=self._port,
                upstream=self._upstream,
                http=self._http,
                server=self._server,
                tls=self._tls,
            )
        )
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                # -e: until it has read its configuration, it would write to /var/log.
                [self.program, "-p", self._directory, "-c", config, "-e", "stderr"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,  # a Ctrl-C is for the tests
            )
        deadline = time.monotonic() + _START_TIMEOUT
        while not self._answers():
            assert self._process.poll() is None, f"nginx ended while it started:\n{log.read_text()}"
            assert time.monotonic() < deadline, f"nginx does not answer:\n{log.read_text()}"
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            httpx.get(f"{self.url}/health", trust_env=False, verify=False)
        except httpx.HTTPError:
            return False
        return True

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process and process.poll() is None:
            process.terminate()  # its "fast" shutdown
            process.wait(10)
        shutil.rmtree(self._directory)
