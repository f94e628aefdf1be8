"""`ledger report --serve`: the report in a browser of this machine, following the runs that are running.

It listens on the loopback address alone, answers GET alone, and only under a token that nobody can guess:
a page of another site, or another user of the machine, can read nothing.
"""

import json
import secrets
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Lock

from ledger.commands.attention import STALLED_AFTER
from ledger.commands.ps import state_of
from ledger.commands.report import ReportRequest, report, training_curve
from ledger.findings import Json
from ledger.journal.live import describe_live, read_live
from ledger.journal.run import CheckpointRow, Run
from ledger.journal.runs import load_runs
from ledger.journal.store import open_journal
from ledger.report.page import Curve
from ledger.report.plot_data import plot_data
from ledger.workspace import Workspace

ADDRESS = "127.0.0.1"
LIVE_POINTS = 500  # of one series of a running training
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class ReportServer(ThreadingHTTPServer):
    """Serves one workspace; `address` is what to open. `port` 0: any that is free."""

    daemon_threads = True

    def __init__(self, workspace: Workspace, request: ReportRequest, port: int = 0) -> None:
        super().__init__((ADDRESS, port), _Handler)
        self.token = secrets.token_urlsafe(24)
        self._workspace, self._request = workspace, replace(request, live=True, markdown=False)
        self._one_at_a_time = Lock()
        self._page: tuple[str, str] = ("", "")
        self._runs: tuple[str, list[Run]] = ("", [])

    @property
    def address(self) -> str:
        """The address of the page, token included."""
        return f"http://{ADDRESS}:{self.server_port}/{self.token}/"

    def server_bind(self) -> None:
        """Bind without asking a name server what this machine is called, which can take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = ADDRESS, self.server_address[1]

    def page(self) -> str:
        """The report, made again if the record has changed since."""
        with self._one_at_a_time:
            version = self._version()
            if self._page[0] != version:
                self._page = (version, report(self._workspace, self._request))
            return self._page[1]

    def live(self) -> Json:
        """The version of the record, and the runs that are running: state, progress, checkpoints, curves."""
        with self._one_at_a_time:
            version = self._version()
            if self._runs[0] != version or any(run.status == "running" for run in self._runs[1]):
                self._runs = (version, load_runs(self._workspace))
            running = [run for run in self._runs[1] if run.status == "running"]
            return {"version": version, "runs": [self._run(run) for run in reversed(running)]}

    def _run(self, run: Run) -> Json:
        facts = read_live(self._workspace.runs / run.id)
        state, silent = state_of(self._workspace, run, STALLED_AFTER)
        rows = sorted(map(CheckpointRow.from_json, facts.get("checkpoints") or ()), key=lambda row: row.step)
        scored = any(row.memory is not None or row.reloaded is not None for row in rows)
        curve = Curve(run.id, tuple(rows)) if scored else None
        return {
            "run": run.id,
            "state": state,
            "silent": silent,
            "doing": describe_live(facts),
            "checkpoints": facts.get("checkpoints") or [],
            "samples": facts.get("samples") or [],
            "plot": plot_data(training_curve(self._workspace, run), curve, rows, LIVE_POINTS),
        }

    def _version(self) -> str:
        """Changes with the record: the sizes and times of its journals."""
        paths = [open_journal(self._workspace, mode).path for mode in ("real", "rehearsal")]
        stats = [path.stat() for path in paths if path.exists()]
        return "-".join(f"{one.st_size}.{one.st_mtime_ns}" for one in stats)


class _Handler(BaseHTTPRequestHandler):
    server: ReportServer
    server_version, sys_version = "ledger", ""

    def do_GET(self) -> None:
        # A site's name may be made to lead here, so only these are answered; a forwarded port may differ.
        if (self.headers.get("Host") or "").rpartition(":")[0] not in (ADDRESS, "localhost"):
            return self._answer(HTTPStatus.FORBIDDEN, "text/plain", "ask for 127.0.0.1 or localhost\n")
        _, token, *rest = self.path.split("?")[0].split("/")
        page = {"": self._page, "live.json": self._live}.get(rest[0]) if len(rest) == 1 else None
        if page is None or not secrets.compare_digest(token.encode(), self.server.token.encode()):
            return self._answer(HTTPStatus.NOT_FOUND, "text/plain", "open the address that was printed\n")
        return page()

    def _page(self) -> None:
        self._answer(HTTPStatus.OK, "text/html", self.server.page())

    def _live(self) -> None:
        self._answer(HTTPStatus.OK, "application/json", json.dumps(self.server.live()))

    def _answer(self, status: HTTPStatus, kind: str, text: str) -> None:
        body = text.encode("utf-8", "replace")
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: the terminal is for the address alone."""


def serve(workspace: Workspace, request: ReportRequest, port: int, announce: Callable[[str], None]) -> None:
    """Serve until Ctrl-C. Raises OSError for a port that is taken."""
    with ReportServer(workspace, request, port) as server:
        announce(server.address)
        server.serve_forever(poll_interval=0.2)
