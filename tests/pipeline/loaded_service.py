"""A small service for the step load, whose faults a file says, and the repository around it."""

from __future__ import annotations

import json
from typing import Any

import yaml
from tests.pipeline.pipeline_runs import video
from tests.unit.contract.conftest import png

MODEL = """
import json, logging.handlers, os, signal, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
HOW = json.load(open("how.json"))
if HOW.get("daemonises") and os.fork(): os._exit(0)
if HOW.get("lock"):
    left = os.path.join(os.environ["TMPDIR"], "lock")
    if os.path.exists(left): sys.exit("another one holds the lock")
    open(left, "w").close()
log = logging.getLogger("served")
if HOW.get("logs"):
    # one that is never rotated grows by 64 MiB for each 1,000 requests; three files of a quarter MiB each do not
    size = 1 << 18 if HOW["logs"] == "rotated" else 0
    path = os.path.join(os.environ["TMPDIR"], "served.log")
    log.addHandler(logging.handlers.RotatingFileHandler(path, maxBytes=size, backupCount=2))
held = []
if HOW.get("workers"):
    while os.fork():
        os.wait()
        if HOW["workers"] == "left alone":
            time.sleep(600)
    held.append(os.urandom(32 << 20))
LOADED = time.monotonic() + HOW.get("loads_s", 0.2)
count, under_way, lock = 0, 0, threading.Lock()
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    def answer(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
    def do_GET(self):
        ready = HOW.get("lies") or time.monotonic() > LOADED
        self.answer(200 if ready else 503, "application/json", b"{}")
    def do_POST(self):
        global count, under_way
        self.rfile.read(int(self.headers["Content-Length"]))
        if time.monotonic() < LOADED:
            return self.answer(500, "text/plain", b"no model yet")
        with lock:
            count += 1
            under_way += 1
            mine = count
        if mine == HOW.get("dies_at"):
            print("out of handles", flush=True)
            os._exit(3)
        time.sleep(HOW["slow_s"] if mine % 15 == 0 and "slow_s" in HOW else HOW.get("answers_s", 0.005))
        if HOW.get("chatty"):
            print("a line of log;" * 20_000, flush=True)
        if HOW.get("logs"):
            log.warning("served " * 9_362)
        if HOW.get("leaks"):
            held.append(os.urandom(1 << 18))
        spoilt = HOW.get("mixes") and under_way > 1
        with lock:
            under_way -= 1
        self.answer(200, "video/mp4", ANSWER[:-1] if spoilt else ANSWER)
    def log_message(self, *_): pass
ANSWER = open("answer.mp4", "rb").read()
class Server(ThreadingHTTPServer):
    daemon_threads = True
port = int(os.environ["PORT"]) + (1 if HOW.get("elsewhere") else 0)
server = Server(("127.0.0.1", port), Handler)
def stop(*_): threading.Thread(target=server.shutdown).start()
if HOW.get("deaf"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
elif not HOW.get("drops"):
    signal.signal(signal.SIGTERM, stop)
server.serve_forever()
time.sleep(0.5)  # what is under way is answered
os._exit(0)
"""
RULES: list[dict[str, Any]] = [
    {"metric": "duration_error", "max": 0.1},
    {"metric": "load_p95_ms", "max": 300.0, "confidence": 0.95},
    {"metric": "memory_growth", "max": 50.0},
    {"metric": "file_growth", "max": 20.0},
]
LOAD: dict[str, Any] = {"rate": 40.0, "seconds": 2.5, "warmup_s": 0.2, "timeout_s": 5.0}
"""100 requests."""
ALONE = {"together": False, "twice": False, "stop": False, "recover": False, "oom": False}
"""The stated rate alone."""


def contract(load: dict[str, Any], **changes: Any) -> dict[str, Any]:
    http = {
        "argv": ["python", "serve.py"],
        "path": "/generate",
        "files": {"image": "image"},
        "response": "video/mp4",
        "ready_timeout_s": 20.0,
    }
    return {
        "version": 1,
        "name": "speaker",
        "family": "talking-head",
        "call": {"http": http, "parameters": {"duration": 1.0}, "warmup": 0, "timeout_s": 20.0},
        "load": load,
        "suite": "suite",
        "policy": {"rules": RULES},
    } | changes


def loaded_files(load: dict[str, Any], how: dict[str, Any], **changes: Any) -> dict[str, str | bytes]:
    """The repository of a service that is put under ``load``, and does ``how`` says."""
    cases = [{"name": "one", "inputs": {"image": "人像.png"}}]
    return {
        "penstock.yaml": yaml.safe_dump(contract(load, **changes), sort_keys=False),
        "suite/suite.yaml": yaml.safe_dump({"version": 1, "family": "talking-head", "cases": cases}),
        "suite/人像.png": png(),
        "serve.py": MODEL,
        "how.json": json.dumps(how),
        "answer.mp4": video(25),
    }
