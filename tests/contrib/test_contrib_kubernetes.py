"""contrib/kubernetes: what no pod may do, who may talk to whom; and the commands, run as they stand there."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from distributed.cli import dask_scheduler, dask_worker
from git_repository import GitRepository
from scanning import Fresh
from sweep_lines import CONTRIB, documents, meant

OBJECTS = {(one["kind"], one["metadata"]["name"]): one for one in documents("kubernetes/sweep.yaml")}
SWEEP = OBJECTS["CronJob", "oakum-sweep"]["spec"]
PODS: dict[str, dict[str, Any]] = {
    "sweep": SWEEP["jobTemplate"]["spec"]["template"],
    "scheduler": OBJECTS["Deployment", "oakum-scheduler"]["spec"]["template"],
    "worker": OBJECTS["StatefulSet", "oakum-worker"]["spec"]["template"],
}
DOCKERFILE = (CONTRIB / "kubernetes" / "Dockerfile").read_text("utf-8")
parts = pytest.mark.parametrize("part", list(PODS))


def container(part: str) -> dict[str, Any]:
    """The one container of a pod."""
    (found,) = PODS[part]["spec"]["containers"]
    return dict(found)


def command(part: str) -> list[str]:
    """What it runs, without what hands on signals."""
    words = [*container(part)["command"], *container(part).get("args", [])]
    assert words[0] == "tini"
    return words[words.index("--") + 1 :]


def sources(part: str) -> set[str]:
    """The secrets and settings that a container has in its environment."""
    return {name["name"] for source in container(part)["envFrom"] for name in source.values()}


@parts
def test_what_a_pod_may_not_do(part: str) -> None:
    """Be root, become more, write but to its volumes, ask the API of Kubernetes, take all memory."""
    spec = PODS[part]["spec"]
    assert spec["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "runAsGroup": 10001,
        "fsGroup": 10001,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container(part)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert (
        spec["automountServiceAccountToken"],
        OBJECTS["ServiceAccount", "oakum"]["automountServiceAccountToken"],
    ) == (
        False,
        False,
    )
    assert {"requests", "limits"} == set(container(part)["resources"])
    assert "memory" in container(part)["resources"]["limits"]


def test_who_has_which_secrets() -> None:
    """The scheduler none; workers only tokens; store, key and webhooks the sweep alone."""
    assert {part: sources(part) for part in PODS} == {
        "sweep": {"oakum-dask", "oakum-tokens", "oakum-sweep"},
        "scheduler": {"oakum-dask"},
        "worker": {"oakum-dask", "oakum-tokens"},
    }


def test_one_sweep_at_a_time() -> None:
    """And one that could not do all is not begun again at once."""
    job = SWEEP["jobTemplate"]["spec"]
    assert (SWEEP["concurrencyPolicy"], PODS["sweep"]["spec"]["restartPolicy"]) == ("Forbid", "Never")
    assert job["podFailurePolicy"]["rules"][0]["onExitCodes"]["values"] == [2]


def test_the_same_image_user_and_paths_everywhere() -> None:
    """Folders are named by the sweep, and are those of the workers then."""
    assert len({container(part)["image"] for part in PODS}) == 1
    assert re.findall(r"^USER (.*)$", DOCKERFILE, re.MULTILINE) == ["10001:10001"]
    cache = OBJECTS["ConfigMap", "oakum-dask"]["data"]["XDG_CACHE_HOME"]
    for part in ("sweep", "worker"):
        assert cache in {mount["mountPath"] for mount in container(part)["volumeMounts"]}


def test_commands_are_such() -> None:
    """Parsed by oakum and by Dask."""
    params = meant(command("sweep"))
    assert (params["scheduler"], params["hooks"]) == ("tls://oakum-scheduler:8786", ("slack:SLACK_WEBHOOK",))
    of_dask = {"scheduler": dask_scheduler.main, "worker": dask_worker.main}
    told = {part: of.make_context(part, command(part)[2:]).params for part, of in of_dask.items()}
    assert (told["scheduler"]["protocol"], told["scheduler"]["dashboard"]) == ("tls", False)
    assert (told["worker"]["nthreads"], told["worker"]["nanny"], told["worker"]["dashboard"]) == (1, False, False)
    assert told["worker"]["name"] == "$(POD_NAME)"


def policies(part: str) -> tuple[set[Any], set[Any]]:
    """What may come to a pod, and go from it: (labels of the other side or its addresses, port)."""
    coming, going = set(), set()
    for (kind, _), one in OBJECTS.items():
        if kind == "NetworkPolicy" and one["spec"]["podSelector"]["matchLabels"].get("part", part) == part:
            for rules, side, found in (("ingress", "from", coming), ("egress", "to", going)):
                for rule in one["spec"].get(rules, []):
                    found |= {(named(other), port["port"]) for other in rule[side] for port in rule["ports"]}
    return coming, going


def named(other: dict[str, Any]) -> str:
    """The other side of a rule in a word."""
    if "ipBlock" in other:
        assert "169.254.0.0/16" in other["ipBlock"]["except"]
        return "internet"
    labels = dict(other["podSelector"].get("matchLabels", {}))
    for each in other["podSelector"].get("matchExpressions", []):
        labels[each["key"]] = " or ".join(each["values"])
    return str(labels.get("part") or labels.get("k8s-app") or labels["app"])


def test_who_may_talk_to_whom() -> None:
    """All else is refused: a policy without rules is for all pods, in both directions."""
    assert OBJECTS["NetworkPolicy", "oakum"]["spec"]["policyTypes"] == ["Ingress", "Egress"]
    names, outside = ("kube-dns", 53), ("internet", 443)
    assert policies("scheduler") == ({("sweep or worker", 8786)}, {names, ("worker", 8788)})
    assert policies("worker") == ({("scheduler", 8788)}, {names, outside, ("scheduler", 8786)})
    assert policies("sweep") == (set(), {names, outside, ("scheduler", 8786), ("postgresql", 5432)})


# --- run as they stand there -----------------------------------------------------------------------------------------


def certificates(folder: Path) -> None:
    """ca.crt, tls.crt and tls.key as a secret holds them."""
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    for arguments in (
        ["req", "-x509", *key, "-subj", "/CN=oakum", "-keyout", "ca.key", "-out", "ca.crt"],
        ["req", *key[:-2], "-subj", "/CN=oakum-dask", "-keyout", "tls.key", "-out", "tls.csr"],
        ["x509", "-req", "-in", "tls.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-out", "tls.crt"],
    ):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Cluster:
    """The commands of the pods, on this machine: with other ports and folders, and else as they are."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = {"8786": str(free_port()), "8788": str(free_port())}
        certificates(folder)

    def started(self, words: list[str], **variables: str) -> subprocess.Popen[str]:
        """A process of a pod."""
        words = [self._here(word) for word in words]
        program = [sys.executable, "-m", "oakum.scanner"] if words[0] == "oakum" else [sys.executable, "-m", "dask"]
        given = OBJECTS["ConfigMap", "oakum-dask"]["data"]
        return subprocess.Popen(
            [*program, *words[1:]],
            env=os.environ | {name: self._here(value) for name, value in given.items()} | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def _here(self, text: str) -> str:
        for port, free in self.ports.items():
            text = text.replace(port, free)
        text = text.replace("oakum-scheduler:", "127.0.0.1:").replace("$(POD_NAME)", "oakum-worker-0")
        for path in ("/tls", "/work", "/tmp"):
            text = re.sub(rf"(^|=){path}\b", rf"\g<1>{self.folder}", text)
        return text

    @contextmanager
    def running(self, part: str) -> Iterator[None]:
        """As long as the context lasts; then it is told to end as Kubernetes does."""
        process = self.started(command(part))
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.communicate(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                raise


def answer_without_a_certificate(port: int, authority: Path) -> bytes:
    """What a scheduler says to who trusts it, and has no certificate himself."""
    context = ssl.create_default_context(cafile=str(authority))
    context.check_hostname = False
    until = time.monotonic() + 60
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), 10) as plain, context.wrap_socket(plain) as one:
                return one.recv(1)
        except ConnectionRefusedError:  # it is not there yet
            assert time.monotonic() < until
            time.sleep(0.2)


@pytest.mark.long
@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_a_sweep_on_the_cluster(tmp_path: Path, fresh: Fresh) -> None:
    """Over TLS, by a scheduler and a worker as they stand there, with a code that says that there is news; nobody
    without a certificate is let in."""
    others = tmp_path / "others"
    for name in ("web", "api"):
        GitRepository.create(others / f"{name}.git").commit({"a.env": b"TOKEN=" + fresh() + b"\n"}, "leak")
    cluster = Cluster(tmp_path)
    words = [str(others) if word == "github:acme" else word for word in command("sweep") if "--notify" not in word]
    own = {"OAKUM_STORE": str(tmp_path / "sweeps.db"), "OAKUM_STORE_KEY": base64.b64encode(bytes(32)).decode()}
    with cluster.running("scheduler"), cluster.running("worker"):
        with pytest.raises(ssl.SSLError, match="certificate required"):
            answer_without_a_certificate(int(cluster.ports["8786"]), tmp_path / "ca.crt")
        sweep = cluster.started(words, **own)
        said, _ = sweep.communicate(timeout=120)
    searched = [json.loads(line) for line in said.splitlines() if '"ending"' in line]
    told = [(line["repository"], line["ending"], line["findings"], line["worker"]) for line in searched]
    assert sorted(told) == [(name, "searched", 1, "oakum-worker-0") for name in ("api", "web")], said
    assert sweep.returncode == 1
