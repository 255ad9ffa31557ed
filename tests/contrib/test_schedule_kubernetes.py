"""The files for Kubernetes: what each pod may do, who speaks to whom, and that the cluster works as it is written."""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import shutil
import socket
import ssl
import subprocess
import sys
import tomllib
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import click
import psutil
import pytest
from distributed.cli import dask_scheduler, dask_worker
from git_repository import GitRepository
from git_server import git_server
from scanning import Fresh
from schedule_files import CONTRIB, KUBERNETES, container, kubernetes, pods, text
from servers import free_port, process

COMPONENTS = ("scheduler", "sweep", "worker")
DOCKERFILE = text(KUBERNETES / "Dockerfile")
KEY = base64.b64encode(bytes(range(32))).decode()
NAME, PART = "app.kubernetes.io/name", "app.kubernetes.io/component"


# --- what a pod may do -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("component", COMPONENTS)
def test_pods_are_restricted(component: str) -> None:
    """As the Pod Security Standard "restricted" wants it, which the namespace enforces, and a little more."""
    pod = pods()[component]["spec"]
    context = pod["securityContext"]
    assert (context["runAsNonRoot"], context["runAsUser"]) == (True, 10001)
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container(component)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & set(pod)
    kinds = {kind for volume in pod["volumes"] for kind in volume if kind != "name"}
    assert kinds <= {"emptyDir", "secret"}
    assert all("sizeLimit" in volume["emptyDir"] for volume in pod["volumes"] if "emptyDir" in volume)
    assert {"cpu", "memory"} <= set(container(component)["resources"]["requests"])
    assert "memory" in container(component)["resources"]["limits"]


def test_the_namespace_enforces_it() -> None:
    """What asks for more is refused by the cluster."""
    labels = kubernetes()["Namespace/oakum"]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_nobody_speaks_to_the_kubernetes_api() -> None:
    """No token is mounted, and there are no roles."""
    every = kubernetes()
    assert every["ServiceAccount/oakum"]["automountServiceAccountToken"] is False
    for pod in pods().values():
        assert (pod["spec"]["serviceAccountName"], pod["spec"]["automountServiceAccountToken"]) == ("oakum", False)
    assert not [name for name in every if "Role" in name]


def test_each_has_the_secrets_that_it_needs_and_no_others() -> None:
    """The scheduler those of TLS, workers the tokens of hosts besides, the sweep all; none by its value."""
    secrets: dict[str, set[str]] = {}
    for component, pod in pods().items():
        named = [volume["secret"]["secretName"] for volume in pod["spec"]["volumes"] if "secret" in volume]
        variables = container(component)["env"]
        named += [one["valueFrom"]["secretKeyRef"]["name"] for one in variables if "secretKeyRef" in str(one)]
        secrets[component] = set(named)
        plain = {one["name"] for one in variables if "value" in one}
        assert all(name.startswith("DASK_") for name in plain)
        assert "envFrom" not in container(component), "each is named"
    assert secrets == {
        "scheduler": {"oakum-dask-tls"},
        "worker": {"oakum-dask-tls", "oakum-tokens"},
        "sweep": {"oakum-dask-tls", "oakum-tokens", "oakum-store", "oakum-webhooks"},
    }
    assert not [name for name in kubernetes() if name.startswith("Secret/")]


def test_one_sweep_at_a_time_and_none_for_ever() -> None:
    """And one that said what it could not look at is not begun again at once."""
    job = kubernetes()["CronJob/oakum-sweep"]["spec"]
    assert job["concurrencyPolicy"] == "Forbid"
    spec = job["jobTemplate"]["spec"]
    assert spec["activeDeadlineSeconds"] < 24 * 3600
    assert pods()["sweep"]["spec"]["restartPolicy"] == "Never", "podFailurePolicy wants it"
    codes = [rule["onExitCodes"] for rule in spec["podFailurePolicy"]["rules"] if "onExitCodes" in rule]
    assert codes == [{"containerName": "sweep", "operator": "In", "values": [2]}]
    assert container("sweep")["command"] == ["tini", "-e", "1", "--"], "1 is no failure"


def test_clones_lie_on_the_disk_of_each_worker() -> None:
    """Whose size is more than they may take, below its top, which is not the user's own; nobody else has it mounted."""
    stateful = kubernetes()["StatefulSet/oakum-worker"]["spec"]
    (claim,) = stateful["volumeClaimTemplates"]
    assert claim["spec"]["accessModes"] == ["ReadWriteOncePod"]
    (mount,) = (one for one in container("worker")["volumeMounts"] if one["name"] == claim["metadata"]["name"])
    given = dict(word.split("=", 1) for word in container("sweep")["args"] if "=" in word)
    assert Path(given["--clones"]).parent == Path(mount["mountPath"])
    size = re.fullmatch(r"(\d+)Gi", claim["spec"]["resources"]["requests"]["storage"])
    limit = re.fullmatch(r"(\d+)G", given["--clones-limit"])
    assert size
    assert limit
    assert int(size[1]) > int(limit[1])
    assert pods()["worker"]["spec"]["securityContext"]["fsGroupChangePolicy"] == "OnRootMismatch"


# --- who speaks to whom ----------------------------------------------------------------------------------------------


def selected(selector: dict[str, Any]) -> set[str]:
    """The components that a selector of pods is for."""
    labels = selector.get("matchLabels", {})
    found = {component for component in COMPONENTS if labels.get(PART, component) == component}
    for one in selector.get("matchExpressions", []):
        assert (one["key"], one["operator"]) == (PART, "In")
        found &= set(one["values"])
    return found


def allowed(direction: str, peer: str) -> set[tuple[str, str, int]]:
    """(component, other side, port) of what policies allow: ingress or egress."""
    out = set()
    for name, policy in kubernetes().items():
        if not name.startswith("NetworkPolicy/"):
            continue
        for rule in policy["spec"].get(direction, []):
            for one in rule[peer]:
                if "ipBlock" in one:
                    others = {"internet"}
                elif "namespaceSelector" in one:
                    others = set(one["podSelector"]["matchLabels"].values())
                elif one["podSelector"]["matchLabels"][NAME] == "oakum":
                    others = selected(one["podSelector"])
                else:
                    others = {one["podSelector"]["matchLabels"][NAME]}
                here = selected(policy["spec"]["podSelector"])
                out |= {(a, b, port["port"]) for a in here for b in others for port in rule["ports"]}
    return out


def test_who_speaks_to_whom() -> None:
    """The scheduler to nobody outside; the sweep alone to the database; all else is dropped."""
    nothing = kubernetes()["NetworkPolicy/nothing"]["spec"]
    assert nothing == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert allowed("ingress", "from") == {
        ("scheduler", "sweep", 8786),
        ("scheduler", "worker", 8786),
        ("worker", "scheduler", 8788),
    }
    outside = {("sweep", "internet", 443), ("worker", "internet", 443)}
    outside |= {("sweep", "kube-dns", 53), ("worker", "kube-dns", 53), ("sweep", "postgresql", 5432)}
    inside = {("sweep", "scheduler", 8786), ("worker", "scheduler", 8786), ("scheduler", "worker", 8788)}
    assert allowed("egress", "to") == outside | inside


def test_the_internet_is_not_the_network_of_the_cloud() -> None:
    """Neither private addresses nor those of metadata services."""
    rules = kubernetes()["NetworkPolicy/outside"]["spec"]["egress"]
    four, six = (one["ipBlock"] for rule in rules for one in rule["to"] if "ipBlock" in one)
    assert {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"} <= set(four["except"])
    assert {"fc00::/7", "fe80::/10"} <= set(six["except"])


def test_ports_are_those_of_the_commands() -> None:
    """And the scheduler is asked by the name of its service, over TLS."""
    scheduler = params(dask_scheduler.main, container("scheduler")["args"][2:])
    assert (scheduler["port"], scheduler["protocol"], scheduler["dashboard"]) == ("8786", "tls", False)
    worker = params(dask_worker.main, container("worker")["args"][2:])
    assert worker["scheduler"] == "tls://oakum-scheduler:8786"
    assert (worker["worker_port"], worker["nthreads"], worker["nanny"]) == ("8788", 1, False)
    assert worker["dashboard"] is False
    assert "--scheduler=tls://oakum-scheduler:8786" in container("sweep")["args"]
    assert kubernetes()["Service/oakum-scheduler"]["spec"]["ports"][0]["port"] == 8786


def params(command: click.Command, arguments: list[str]) -> dict[str, Any]:
    """What a command makes of its arguments."""
    with command.make_context("dask", list(arguments)) as context:
        return context.params


# --- the image -------------------------------------------------------------------------------------------------------


def test_the_image_is_made_of_what_is_here() -> None:
    """All that it copies is there, is not ignored, and its extras are extras."""
    copied = [word for line in re.findall(r"^COPY (?!--)(.*)$", DOCKERFILE, re.MULTILINE) for word in line.split()[:-1]]
    ignored = text(KUBERNETES / "Dockerfile.dockerignore").splitlines()
    assert copied
    assert all((CONTRIB.parent / name).exists() and f"!{name}" in ignored for name in copied)
    extras = re.findall(r"'\.\[([\w,]+)\]'", DOCKERFILE)[0].split(",")
    known = tomllib.loads(text(CONTRIB.parent / "pyproject.toml"))["project"]["optional-dependencies"]
    assert set(extras) == {"sweep", "postgresql", "distributed"} <= set(known)


def test_the_image_is_not_of_root() -> None:
    """Its user is the one of the pods, by number, and it has what pods call."""
    (user,) = re.findall(r"^USER (.*)$", DOCKERFILE, re.MULTILINE)
    assert int(user) == pods()["sweep"]["spec"]["securityContext"]["runAsUser"]
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert {"git", "tini", "ca-certificates"} <= set(re.findall(r"[\w-]+", last))
    assert "gcc" not in last


def test_kustomize_takes_them() -> None:
    """All files, with the image that it names."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not installed")  # no `needs`: Debian has no package of it, and the rest is tested here
    done = subprocess.run([kubectl, "kustomize", KUBERNETES], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("image: registry.example.org/oakum:") == 3


# --- the cluster -----------------------------------------------------------------------------------------------------


def made_certificates(folder: Path) -> None:
    """The authority and the certificate, by the commands of docs/schedules.md."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    page = text(CONTRIB.parent / "docs" / "schedules.md")
    commands = [line for line in page.replace("\\\n", "").splitlines() if line.startswith("openssl") and ".crt" in line]
    assert len(commands) == 2
    others = [line for line in page.replace("\\\n", "").splitlines() if line.startswith("openssl req -new ")]
    for command in (commands[0], *others, commands[1]):
        subprocess.run(shlex.split(command), cwd=folder, check=True, capture_output=True)


class Cluster:
    """The containers of the three pods as processes of this machine: other ports and folders, nothing else."""

    def __init__(self, folder: Path, target: Path) -> None:
        self.folder, self.target = folder, target
        self.port, self.worker_port = free_port(), free_port()
        for name in ("tls", "cache", "tmp"):
            (folder / name).mkdir()
        made_certificates(folder / "tls")

    def here(self, word: str) -> str:
        """A word of a container as it is on this machine."""
        word = word.replace("oakum-scheduler:8786", f"127.0.0.1:{self.port}").replace("$(POD)", "oakum-worker-0")
        word = re.sub(r"(?<![\w/])/(tls|cache|tmp)\b", rf"{self.folder}/\1", word)
        ports = {"--port=8786": f"--port={self.port}", "--worker-port=8788": f"--worker-port={self.worker_port}"}
        return ports.get(word, word)

    def command(self, component: str) -> list[str]:
        """What a container runs, without what finds the program."""
        words = [self.here(word) for word in container(component)["args"]]
        if words[0] == "dask":
            return [sys.executable, "-m", "dask", *words[1:]]
        words = [str(self.target) if word.startswith("github:") else word for word in words]
        return [sys.executable, "-m", "oakum.scanner", *(word for word in words[1:] if "--notify" not in word)]

    def environment(self, component: str) -> dict[str, str]:
        """Its variables; those of the image besides."""
        given = {one["name"]: self.here(one["value"]) for one in container(component)["env"] if "value" in one}
        image = dict.fromkeys(("HOME", "XDG_CACHE_HOME"), str(self.folder / "cache"))
        return image | given

    def running(self, component: str, port: int) -> AbstractContextManager[None]:
        """A container for as long as the context lasts."""
        return process(self.command(component), self.folder / f"{component}.log", port, **self.environment(component))


@pytest.mark.long
def test_the_cluster_works_as_it_is_written(tmp_path: Path, fresh: Fresh) -> None:
    """Scheduler, worker and sweep by the commands and variables of the files, over TLS; with the certificates of the
    documentation; the worker has the clone, and who has no certificate is not let in."""
    (tmp_path / "hosted").mkdir()
    leaky = GitRepository.create(tmp_path / "hosted" / "web.git")
    leaky.commit({"deploy.env": b"TOKEN=" + fresh() + b"\n"}, "deploy")
    with git_server(tmp_path / "hosted") as server:
        (tmp_path / "urls.txt").write_text(f"{server.url}/web.git\n")
        cluster = Cluster(tmp_path, tmp_path / "urls.txt")
        with cluster.running("scheduler", cluster.port), cluster.running("worker", cluster.worker_port):
            given = {"OAKUM_STORE": str(tmp_path / "sweeps.db"), "OAKUM_STORE_KEY": KEY}
            done = subprocess.run(
                cluster.command("sweep"),
                env=os.environ | cluster.environment("sweep") | given,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            assert done.returncode == 1, done.stderr
            (line,) = (json.loads(one) for one in done.stderr.splitlines() if '"ending"' in one)
            assert (line["ending"], line["findings"], line["worker"]) == ("searched", 1, "oakum-worker-0")
            assert list((tmp_path / "cache" / "clones").glob("*/repo.git"))
            assert listening() == {cluster.port, cluster.worker_port}, "no page without TLS"
            stranger = ssl.create_default_context(cafile=str(tmp_path / "tls" / "ca.crt"))
            stranger.check_hostname = False
            with pytest.raises((ssl.SSLError, OSError)):
                answer_to(stranger, cluster.port)
            friend = ssl.create_default_context(cafile=str(tmp_path / "tls" / "ca.crt"))
            friend.check_hostname = False
            friend.load_cert_chain(tmp_path / "tls" / "tls.crt", tmp_path / "tls" / "tls.key")
            assert answer_to(friend, cluster.port)


def listening() -> set[int]:
    """The ports of this test's processes on which others than this machine can connect."""
    processes = psutil.Process().children(recursive=True)
    found = (one for process in processes for one in process.net_connections("tcp"))
    return {one.laddr.port for one in found if one.status == psutil.CONN_LISTEN and one.laddr.ip != "127.0.0.1"}


def answer_to(context: ssl.SSLContext, port: int) -> bytes:
    """What the scheduler says at first. OSError where it says nothing but that it will not talk."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain, context.wrap_socket(plain) as wrapped:
        answer = wrapped.recv(16)
        if not answer:
            raise OSError("closed")
        return answer
