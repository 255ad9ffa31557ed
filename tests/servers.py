"""Servers for tests of stores, each a context manager that gives a URL on loopback: moto, nginx, Python's own, and one
that does what it is told. Azurite is in tests/azurite.py.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

START = 30
"""Seconds until a server must listen."""


def nginx_program() -> str:
    """Where it is; empty where it is not installed."""
    return (
        shutil.which("nginx", path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))) or ""
    )


@contextmanager
def nginx(root: Path, work: Path, *, form: str = "html") -> Iterator[str]:
    """nginx with `autoindex on` over the files of `root`; `work` holds its configuration and logs."""
    port = free_port()
    temporary = "".join(
        f"{name}_temp_path {work}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (work / "nginx.conf").write_text(
        f"""daemon off; master_process off; pid {work}/pid; error_log {work}/errors;
events {{}}
http {{ access_log off; {temporary} charset utf-8; default_type application/octet-stream;
  server {{ listen 127.0.0.1:{port}; root {root}; autoindex on; autoindex_format {form}; autoindex_exact_size on; }} }}
"""
    )
    command = [nginx_program(), "-p", str(work), "-e", str(work / "errors"), "-c", str(work / "nginx.conf")]
    with process(command, work / "output", port):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def http_server(root: Path, work: Path) -> Iterator[str]:
    """`python -m http.server` over the files of `root`."""
    port = free_port()
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(root)]
    with process(command, work / "output", port):
        yield f"http://127.0.0.1:{port}"


@dataclass(frozen=True)
class Moto:
    """A running moto server; `environment` has the credentials that it takes, as AWS's tools read them."""

    url: str
    environment: dict[str, str]

    def client(self, service: str) -> Any:
        """A client of boto3."""
        import boto3

        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
        )


_MOTO = """
import json, sys
from moto.s3.models import s3_backends
from moto.server import main
backend = s3_backends["123456789012"]["aws"]
for bucket, count in json.loads(sys.argv[1]).items():
    backend.create_bucket(bucket, "us-east-1")
    for n in range(count):
        backend.put_object(bucket, f"folder {n % 10}/object-{n:06d}", b"")
main(["-H", "127.0.0.1", "-p", sys.argv[2]])
"""


@contextmanager
def moto(work: Path, buckets: dict[str, int], *, checked: bool = False) -> Iterator[Moto]:
    """moto with buckets of so many empty objects; `checked` makes it check signatures and permissions."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-c", _MOTO, json.dumps(buckets), str(port)]
    variables = {"INITIAL_NO_AUTH_ACTION_COUNT": "3"} if checked else {}
    with process(command, work / "output", port, START + sum(buckets.values()) // 500, **variables):
        made = {"AWS_ACCESS_KEY_ID": "anything", "AWS_SECRET_ACCESS_KEY": "anything", "AWS_ENDPOINT_URL": url}
        server = Moto(url, made)
        if checked:
            iam = server.client("iam")
            iam.create_user(UserName="reader")
            allowed = {"Effect": "Allow", "Action": ["s3:List*", "s3:Get*"], "Resource": "*"}
            policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
            iam.put_user_policy(UserName="reader", PolicyName="lists", PolicyDocument=policy)
            key = iam.create_access_key(UserName="reader")["AccessKey"]
            made["AWS_ACCESS_KEY_ID"], made["AWS_SECRET_ACCESS_KEY"] = key["AccessKeyId"], key["SecretAccessKey"]
        yield server


# --- one that does what it is told -----------------------------------------------------------------------------------


@dataclass
class Asked:
    """What a server was asked for, in order."""

    targets: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


Answering = Callable[[BaseHTTPRequestHandler, int], None]
"""Answers a request, given its number from 0 on."""


@contextmanager
def told(answering: Answering) -> Iterator[tuple[str, Asked]]:
    """A server of which each answer is made by a function."""
    asked = Asked()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgement of its head

        def do_GET(self) -> None:
            with lock:
                number = len(asked.targets)
                asked.targets.append(self.path)
                asked.headers.append({name.lower(): value for name, value in self.headers.items()})
            answering(self, number)

        def log_message(self, *_: object) -> None:
            pass

    with serving(Handler) as url:
        yield url, asked


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """A server whose requests are handled so, while the block runs: its URL."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_: object) -> None:
            pass

    with Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def answer(to: BaseHTTPRequestHandler, body: bytes | str, status: int = 200, **headers: str) -> None:
    """A whole answer; `_` in the names of headers stands for `-`."""
    data = body.encode() if isinstance(body, str) else body
    to.send_response(status)
    for name, value in headers.items():
        to.send_header(name.replace("_", "-"), value)
    to.send_header("Content-Length", str(len(data)))
    to.end_headers()
    to.wfile.write(data)


# --- processes -------------------------------------------------------------------------------------------------------


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@contextmanager
def process(command: Sequence[str], output: Path, port: int, start: float = START, **variables: str) -> Iterator[None]:
    """A server, while the block runs, from when it listens; it runs where its output is written."""
    with output.open("wb") as written:
        server = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=written,
            env=os.environ | variables,
            cwd=output.parent,
        )
        try:
            until = time.monotonic() + start
            while not _listens(port):
                said = output.read_text("utf-8", "replace")[-2000:]
                assert server.poll() is None, f"{command[0]} ended with {server.returncode}:\n{said}"
                assert time.monotonic() < until, f"{command[0]} does not listen after {start} seconds:\n{said}"
                time.sleep(0.02)
            yield
        finally:
            server.terminate()
            try:
                server.wait(START)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _listens(port: int) -> bool:
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0
