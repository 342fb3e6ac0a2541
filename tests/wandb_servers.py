"""Servers that a W&B client may meet: none, one that fails, one that is silent, one that dies."""

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "0123456789" * 4
UPLOAD = "UPLOAD"  # in an answer: where this server takes files
REFUSING = "http://127.0.0.1:9"


@contextlib.contextmanager
def failing_server() -> Iterator[str]:
    """Answers 500 to everything."""
    with _serving(lambda _path, _body: (500, {})) as address:
        yield address


@contextlib.contextmanager
def silent_server() -> Iterator[str]:
    """Accepts connections, and never says a word."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(100)
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@contextlib.contextmanager
def dying_server() -> Iterator[tuple[str, threading.Event]]:
    """Accepts a run; from when the event is set, it leaves every question without an answer."""
    dead = threading.Event()
    ended = threading.Event()

    def answer(_: str, body: dict[str, Any]) -> tuple[int, Any]:
        if dead.is_set():
            ended.wait(600)
        return 200, {"data": _data(body.get("query", ""), body.get("variables") or {}, None)}

    with _serving(answer) as address:
        yield address, dead
        ended.set()


@contextlib.contextmanager
def recording_server() -> Iterator[tuple[str, list[tuple[int, list[int]]]]]:
    """Takes runs, and notes where in a run's history lines were put, and of which steps."""
    history: list[tuple[int, list[int]]] = []

    def answer(path: str, body: dict[str, Any]) -> tuple[int, Any]:
        for name, lines in (body.get("files") or {}).items():
            if "history" in name:
                steps = [json.loads(line)["_step"] for line in lines["content"]]
                history.append((lines["offset"], steps))
        if not path.endswith("/graphql"):
            return 200, {}
        known = None
        if history:
            offset, steps = history[-1]
            tail = json.dumps([json.dumps({"_step": steps[-1], "_runtime": 1})])
            known = {"historyLineCount": offset + len(steps), "historyTail": tail}
        return 200, {"data": _data(body["query"], body.get("variables") or {}, known)}

    with _serving(answer) as address:
        yield address, history


def _data(query: str, variables: dict[str, Any], known: dict[str, Any] | None) -> dict[str, Any]:
    """What a query is told; `known` of a run that is there already."""
    project = {"id": "p", "name": "sscd", "entity": {"id": "e", "name": "somebody"}}
    if "upsertBucket" in query:
        name = variables.get("name")
        run = {"id": "run", "name": name, "displayName": name, "config": "{}", "project": project}
        run |= {"historyLineCount": known["historyLineCount"] if known else 0}
        return {"upsertBucket": {"bucket": run, "inserted": known is None}}
    if "RunResumeStatus" in query:
        name = variables.get("name")
        there = {"id": "run", "name": name, "displayName": name, "eventsTail": "[]"}
        there |= {"config": "{}", "wandbConfig": "{}"}
        there |= {"summaryMetrics": "{}", "eventsLineCount": 0, "logLineCount": 0, "tags": []}
        return {"model": project | {"bucket": there | known if known else None}}
    if "createRunFiles" in query:
        files = [{"name": name, "uploadUrl": UPLOAD} for name in variables.get("files", [])]
        return {"createRunFiles": {"runID": "run", "uploadHeaders": [], "files": files}}
    if "viewer" in query:
        return {"viewer": {"id": "v", "entity": "somebody", "flags": "{}", "username": "somebody"}}
    return {}


@contextlib.contextmanager
def _serving(answer: Any) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers.get("content-length") or 0))
            asked = self.path.endswith(("/graphql", "/file_stream"))
            status, content = answer(self.path, json.loads(data) if asked else {})
            here = f"http://127.0.0.1:{server.server_port}"
            text = json.dumps(content).replace(UPLOAD, f"{here}/upload").encode()
            with contextlib.suppress(OSError):
                self.send_response(status)
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

        def do_GET(self) -> None:
            self.do_POST()

        def do_PUT(self) -> None:
            self.do_POST()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
