"""What the real Label Studio cannot be made to do: hang, reset, lose a reply, answer any status.

Speaks as much of its API as the library uses, on a real socket. Faults are for imports only, unless
said otherwise, and are used up one by one.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from langchain_label_studio import get_default_label_configs
from langchain_label_studio.label_config.controls import read_controls
from tests.support.loopback_faults import Fault, ImportJob, matching_tasks
from tests.support.servers import BusyServer

__all__ = ["Fault", "LoopbackLabelStudio"]


class LoopbackLabelStudio:
    """A server on a free port of 127.0.0.1, in threads of this process.

    Attributes:
        tasks: What is stored, in the order in which it was.
        tabs: The tabs of the lists of tasks, by the numbers of the projects.
        tab_statuses: What the first new tabs are answered with. The others are made.
        faults: What goes wrong with the next imports; None is nothing.
        every_fault: What goes wrong with each import after those.
        question_faults: What goes wrong with the next questions for tasks.
        job_faults: What goes wrong with the next questions for jobs.
        refresh_faults: What goes wrong with the next requests for an access token.
        jobs: The jobs of imports, the number of the first is 1.
        longest_path: A longer path, with its query, is answered with 414.
        largest_body: A larger body is answered with 413.
        key_is_good: Whether any key is.
        good_key: The only key that is, or None.
        refused_text: Imports with this text in them are answered with `refused_status`.
        delay: Seconds from an import's arrival until it is stored and answered.
        release: Its version.
        edition: Its edition. Old versions tell none.
        most_imports_at_once: How many imports were under way at the same time, at most.
    """

    def __init__(self) -> None:
        self.projects: dict[int, dict[str, Any]] = {}
        self.tasks: list[dict[str, Any]] = []
        self.tabs: dict[int, list[dict[str, Any]]] = {}
        self.tab_statuses: list[int] = []
        self.faults: list[Fault | None] = []
        self.every_fault: Fault | None = None
        self.question_faults: list[Fault | None] = []
        self.job_faults: list[Fault | None] = []
        self.refresh_faults: list[Fault] = []
        self.jobs: list[ImportJob] = []
        self.longest_path: int | None = None
        self.largest_body: int | None = None
        self.delay = 0.0
        self.imports_at_once = 0
        self.most_imports_at_once = 0
        self.requests: list[tuple[str, str]] = []
        self.key_is_good = True
        self.good_key: str | None = None
        self.refused_text: str | None = None
        self.refused_status = 400
        self.release = "1.23.2"
        self.edition: str | None = "Community"
        self.collects_analytics = False
        self.released = threading.Event()
        self._lock = threading.Lock()
        self._server: BusyServer | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        assert self._server
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self, port: int = 0) -> None:
        """Start; on the port of before, it is the same server that was restarted."""
        outer = self

        class Handler(_Handler):
            studio = outer

        self._server = BusyServer(("127.0.0.1", port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> int:
        """Stop, and return the port."""
        self.released.set()
        assert self._server
        self._server.shutdown()
        self._server.server_close()
        return int(self._server.server_address[1])

    def run_ids(self) -> list[str]:
        """Return the run ids of all tasks, in the order they were stored."""
        return [task["data"]["run_id"] for task in self.tasks]

    def add_project(self, title: str, label_config: str | None = None) -> dict[str, Any]:
        """Create a project, and return what the API says of it."""
        label_config = label_config or get_default_label_configs("prompt")[0]
        number = len(self.projects) + 1
        self.projects[number] = {
            "id": number,
            "title": title,
            "label_config": label_config,
            "parsed_label_config": _parsed(label_config),
            "task_number": 0,
        }
        return self.projects[number]

    @contextmanager
    def counted(self) -> Iterator[None]:
        with self._lock:
            self.imports_at_once += 1
            self.most_imports_at_once = max(self.most_imports_at_once, self.imports_at_once)
        try:
            yield
        finally:
            with self._lock:
                self.imports_at_once -= 1

    def store(self, tasks: list[dict[str, Any]], *, with_predictions: bool = True) -> dict[str, Any]:
        with self._lock:
            ids = [len(self.tasks) + number for number in range(1, len(tasks) + 1)]
            for number, task in zip(ids, tasks, strict=True):
                kept = task["predictions"] if with_predictions else []
                meta = task.get("meta", {})
                self.tasks.append(
                    {"id": number, "data": task["data"], "meta": meta, "predictions": list(kept)}
                )
        stored = sum(len(task["predictions"]) for task in tasks) if with_predictions else 0
        return {"task_count": len(tasks), "prediction_count": stored, "task_ids": ids}


def _parsed(label_config: str) -> dict[str, Any]:
    """Return what Label Studio says of the control that takes the answer."""
    config = read_controls(label_config)
    if not config.answer_field:
        return {}
    to_names = list(config.controls[config.answer_field].to_names)
    inputs = [{"type": tag.type, "value": tag.key} for tag in map(config.inputs.get, to_names) if tag]
    return {config.answer_field: {"type": "TextArea", "to_name": to_names, "inputs": inputs}}


class _Handler(BaseHTTPRequestHandler):
    studio: LoopbackLabelStudio

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        path = urlsplit(self.path)
        query = parse_qs(path.query, keep_blank_values=True)
        self.studio.requests.append(("GET", path.path))
        if self.studio.longest_path and len(self.path) > self.studio.longest_path:
            self._answer(414, {"detail": "Request-URI Too Large"})
        elif path.path == "/user/login/":
            setting = json.dumps(self.studio.collects_analytics)
            self._answer(200, f"window.APP_SETTINGS.collect_analytics = {setting};")
        elif path.path.rstrip("/").endswith("/version"):
            edition = {"edition": self.studio.edition} if self.studio.edition else {}
            self._answer(200, {"release": self.studio.release, **edition})
        elif not self._key_is_good():
            self._answer(401, {"detail": "Invalid token."})
        elif path.path.rstrip("/").endswith("/whoami"):
            self._answer(200, {"id": 1, "email": "me@example.com"})
        elif path.path.rstrip("/") == "/api/projects":
            titled = [
                {"id": project["id"], "title": project["title"]}
                for project in self.studio.projects.values()
                if query["title"][0] in project["title"]
            ]
            self._answer(200, {"count": len(titled), "results": titled})
        elif "/imports/" in path.path:
            self._answer_job(int(path.path.strip("/").split("/")[-1]))
        elif path.path.startswith("/api/projects/"):
            self._answer_project(int(path.path.strip("/").split("/")[-1]), query)
        else:
            self._answer_list(path.path, query)

    def _answer_list(self, path: str, query: dict[str, list[str]]) -> None:
        if path == "/api/dm/views/":
            tabs = self.studio.tabs.get(int(query["project"][0]), [])
            self._answer(200, [{"data": tab} for tab in tabs])
        elif path == "/api/predictions/":
            number = int(query["task"][0])
            predictions = self.studio.tasks[number - 1]["predictions"]
            self._answer(200, [prediction | {"id": number} for prediction in predictions])
        else:
            self._answer_question(query)

    def do_POST(self) -> None:
        path = urlsplit(self.path).path
        content = self.rfile.read(int(self.headers["Content-Length"]))
        body = json.loads(content)
        self.studio.requests.append(("POST", path))
        if self.studio.largest_body and len(content) > self.studio.largest_body:
            self._answer(413, {"detail": "Request Entity Too Large"})
        elif path == "/api/token/refresh/":
            if self.studio.refresh_faults:
                self._answer_wrongly(self.studio.refresh_faults.pop(0))
            else:
                self._answer(200, {"access": self.studio.good_key})
        elif not self._key_is_good():
            self._answer(401, {"detail": "Invalid token."})
        elif path.rstrip("/") == "/api/projects":
            project = self.studio.add_project(body["title"], body.get("label_config"))
            project |= {"model_version": body.get("model_version", ""), "sampling": body.get("sampling")}
            self._answer(201, project)
        else:
            self._store(path, body)

    def _store(self, path: str, body: Any) -> None:
        if path == "/api/dm/views/":
            status = self.studio.tab_statuses.pop(0) if self.studio.tab_statuses else 201
            if status == 201:
                self.studio.tabs.setdefault(body["project"], []).append(body["data"])
            self._answer(status, {"status_code": status, "detail": "as told"})
        elif path.endswith("/import/predictions"):
            for prediction in body:
                self.studio.tasks[prediction["task"] - 1]["predictions"].append(prediction)
            self._answer(201, {"created": len(body)})
        else:
            self._import(body)

    def do_PATCH(self) -> None:
        path = urlsplit(self.path).path
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.studio.requests.append(("PATCH", path))
        if not self._key_is_good():
            self._answer(401, {"detail": "Invalid token."})
            return
        number = int(path.strip("/").split("/")[-1])
        if path.startswith("/api/projects/"):
            self.studio.projects[number] |= body
            self._answer(200, self.studio.projects[number])
            return
        task = self.studio.tasks[number - 1]
        if path.startswith("/api/predictions/"):
            task["predictions"][0] |= body
            self._answer(200, task["predictions"][0])
            return
        task |= {name: body[name] for name in ("data", "meta") if name in body}
        self._answer(200, task)

    def _key_is_good(self) -> bool:
        sent = self.headers["Authorization"] or ""
        return self.studio.key_is_good and self.studio.good_key in {None, sent.split()[-1]}

    def _import(self, tasks: list[dict[str, Any]]) -> None:
        fault = self.studio.faults.pop(0) if self.studio.faults else self.studio.every_fault
        refused = self.studio.refused_text is not None and self.studio.refused_text in json.dumps(tasks)
        if fault and fault.kind == "job":
            ends = replace(fault, ends="failed") if refused else fault
            self.studio.jobs.append(ImportJob(ends, lambda: self.studio.store(tasks)))
            self._answer(201, {"import": len(self.studio.jobs)})
        elif refused:
            time.sleep(self.studio.delay)
            self._answer(self.studio.refused_status, {"detail": "as told"})
        elif fault is None:
            # An import is over when it is stored: who reads the answer may send the next one at once.
            with self.studio.counted():
                time.sleep(self.studio.delay)
                stored = self.studio.store(tasks)
            self._answer(201, stored)
        elif fault.kind == "lose_predictions":
            self._answer(201, self.studio.store(tasks, with_predictions=False))
        else:
            if fault.stored_after is not None:
                fault.after_a_while(lambda: self.studio.store(tasks))
            if fault.kind == "reset_after":
                self.studio.store(tasks)
            self._answer_wrongly(fault)

    def _answer_project(self, number: int, query: dict[str, list[str]]) -> None:
        project = self.studio.projects.get(number)
        if project and "include" in query:
            columns = query["include"][0].split(",")
            project = {column: project[column] for column in columns if column in project}
        self._answer(200, project) if project else self._answer(404, {"detail": "Not found."})

    def _answer_question(self, query: dict[str, list[str]]) -> None:
        fault = self.studio.question_faults.pop(0) if self.studio.question_faults else None
        if fault:
            self._answer_wrongly(fault)
            return
        found = matching_tasks(self.studio.tasks, json.loads(query["query"][0]))
        size = int(query.get("page_size", ["100"])[0])
        first = size * (int(query.get("page", ["1"])[0]) - 1)
        self._answer(200, {"tasks": found[first : first + size], "total": len(found)})

    def _answer_job(self, number: int) -> None:
        fault = self.studio.job_faults.pop(0) if self.studio.job_faults else None
        if fault:
            self._answer_wrongly(fault)
            return
        known = self.studio.jobs[number - 1] if number <= len(self.studio.jobs) else None
        state = known.state() if known else None
        self._answer(200, {"id": number, **state}) if state else self._answer(404, {"detail": "Not found."})

    def _answer_wrongly(self, fault: Fault) -> None:
        if fault.kind == "status":
            self._answer(fault.status, {"detail": "as told"}, fault.headers, body_as_told=fault.body)
        elif fault.kind == "hang":
            self.studio.released.wait(30)
            self.close_connection = True
        else:
            # Closed with a time-out of nothing, a connection is reset instead of ended.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            self.connection.close()
            self.close_connection = True

    def _answer(
        self,
        status: int,
        body: object,
        headers: Mapping[str, str] | None = None,
        *,
        body_as_told: bytes | None = None,
    ) -> None:
        payload = json.dumps(body).encode() if body_as_told is None else body_as_told
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(payload)
