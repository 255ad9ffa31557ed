"""Azure Blob Storage: containers of an account, blobs of a container, with a shared access signature or without.

The query of a SAS goes out as it was given; of its parameters only those are read that tell what may be asked
(`ss srt sr sdd sp se`). An account key makes a SAS for the run. Sources, below
https://learn.microsoft.com/rest/api/storageservices/: list-containers2, list-blobs, create-account-sas,
create-service-sas; https://learn.microsoft.com/azure/storage/blobs/anonymous-read-access-configure.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import unquote

from ...errors import TargetError, UsageError
from ...model import NotScanned, is_here
from ...net.shown import printable, shown
from ...net.urls import Parameters, Url, parse
from . import Access, Openness, Page
from .answers import UnreadableError, raw, root_of, xml_texts
from .asked import AskedStore
from .credentials import azure_account_sas
from .http import Answer, Client, Request
from .paging import End, Listing, named_in, one_by_one, openness, pages

VERSION = "2021-12-02"
"""Of the protocol: names that XML cannot hold come encoded since 2021-02-12."""
CONTAINERS = ("EnumerationResults", "Containers", "Container", "Name")
NEXT = ("EnumerationResults", "NextMarker")
_ASKED = ("restype", "comp", "prefix", "marker", "maxresults", "include", "delimiter", "timeout", "showonly", "where")
HOST = re.compile(
    r"(?P<account>[a-z0-9]{3,24}(?:-secondary)?)\.(?P<zone>z\d{1,2}\.)?(?P<service>blob|file|queue|table|dfs|web)\."
    r"(?P<domain>core\.(?:windows\.net|chinacloudapi\.cn|usgovcloudapi\.net|cloudapi\.de)|storage\.azure\.net)"
)
_ACCOUNT = re.compile(r"[a-z0-9]{3,24}(?:-secondary)?")
_CONTAINER = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,61}[a-z0-9])|\$(?:root|web|logs|blobchangefeed)")


@dataclass(frozen=True, slots=True)
class AzureStore(AskedStore):
    """A container, or (without one) all containers of an account. `base` is where the account lies; `sas` the query
    that opens it. `left_out` says what else it may open, which cannot be listed."""

    access: Access
    base: Url
    container: str = ""
    prefix: str = ""
    sas: str = field(default="", repr=False)
    left_out: str = ""

    @property
    def title(self) -> str:
        """For people."""
        place = self.base.below(*filter(None, (self.container, self.prefix))).shown
        return f"{place} (with a SAS)" if self.sas else place

    @property
    def origin(self) -> str:
        """The URL of the account, or of the container."""
        return (self.base.below(self.container) if self.container else self.base).shown.rstrip("/")

    @property
    def exposure(self) -> Literal["anonymous", "signed"]:
        """A SAS is a credential."""
        return "signed" if self.sas else "anonymous"

    def listed(self, client: Client) -> Iterator[Page | NotScanned]:
        """Its blobs; of an account the containers, and after each page of them their blobs."""
        if self.left_out:
            yield NotScanned(self.base.shown.rstrip("/").encode(), self.left_out)
        if self.container:
            yield from _Blobs(self).pages(client)
            return
        what = self.origin.encode() + b": containers"
        for page in pages(client, self._containers()):
            yield page
            if isinstance(page, NotScanned):
                continue
            names, left_out = named_in(page.data, CONTAINERS, what, _is_container)
            yield from left_out
            each = [_Blobs(replace(self, container=name, prefix="")).pages(client) for name in names]
            if not (yield from one_by_one(what, each)):
                return

    def anybody(self) -> Openness:
        """Ask once without the SAS."""
        if not self.container:
            return Openness("closed", "nobody lists the containers of an account without a credential")
        with Client(self.access) as client:
            return openness(client, _Blobs(replace(self, sas="")).listing(page_size=1))

    def _containers(self) -> Listing:
        fixed = [("comp", "list"), ("include", "metadata")]
        fixed += _sized(self.access.limits.page_size)

        def ask(mark: Parameters) -> Request:
            return self.request(self.base, (*fixed, *mark))

        return Listing(self.origin.encode(), b"", "azure-xml", ask, following, hint=self.hint)

    @property
    def hint(self) -> str:
        """Why a SAS may be refused, where that can be told from itself."""
        ends = Url("https", "", query=self.sas).parameter("se")
        try:
            end = datetime.fromisoformat(ends)
        except ValueError:
            return ""
        over = (end if end.tzinfo else end.replace(tzinfo=UTC)) < self.access.now
        return f": the SAS ended on {end:%Y-%m-%d}" if over else ""

    def request(self, url: Url, parameters: Parameters) -> Request:
        """A request with what opens it."""
        signed = replace(url, query=self.sas)
        return Request(signed.asking(parameters), {"x-ms-version": VERSION}, signed=bool(self.sas))


class _Blobs:
    """The listing of one container; it learns whether it may ask for tags."""

    def __init__(self, store: AzureStore) -> None:
        self._store = store
        permitted = "" if not store.sas else Url("https", "", query=store.sas).parameter("sp")
        self._with_tags = "t" in permitted

    def pages(self, client: Client) -> Generator[Page | NotScanned, None, End]:
        """Page after page."""
        return (yield from pages(client, self.listing(self._store.access.limits.page_size)))

    def listing(self, page_size: int) -> Listing:
        """How it is asked for."""
        store = self._store
        url = store.base.below(store.container)
        fixed = [("restype", "container"), ("comp", "list"), *_sized(page_size)]
        fixed += [("prefix", store.prefix)] if store.prefix else []

        def ask(mark: Parameters) -> Request:
            include = "metadata,copy" + (",tags" if self._with_tags else "")
            include += ",snapshots,versions,deleted" if store.access.versions else ""
            return store.request(url, (*fixed, ("include", include), *mark))

        what = url.shown.encode()
        return Listing(what, store.container.encode(), "azure-xml", ask, following, self._goes_without, store.hint)

    def _goes_without(self, answer: Answer) -> bool:
        """Tags need a permission of their own, and accounts with folders have none."""
        again = self._with_tags and answer.status in (400, 403, 409)
        self._with_tags = self._with_tags and not again
        return again


def _sized(page_size: int) -> list[tuple[str, str]]:
    return [("maxresults", str(page_size))] if page_size else []


def _is_container(name: str) -> bool:
    return _CONTAINER.fullmatch(name) is not None


def following(page: bytes) -> Parameters | None:
    """What leads from a page to the next one."""
    if root_of(page) != NEXT[0]:
        raise UnreadableError("what it answers is no listing of Azure")
    marker = raw("".join(xml_texts(page, {NEXT: 1})[NEXT]))
    return (("marker", marker),) if marker else None


# --- targets ---------------------------------------------------------------------------------------------------------


def azure_store(target: str, access: Access) -> AzureStore:
    """`az://account/container/prefix`, with what the environment has for that account."""
    account, _, path = target.removeprefix("az://").partition("/")
    if not _ACCOUNT.fullmatch(account):
        raise TargetError(f"{shown(target)}: write az://account/container/prefix (an account: 3 to 24 of a-z and 0-9)")
    container, _, prefix = path.partition("/")
    if container and not _is_container(container):
        raise TargetError(f"{shown(target)}: that is no name of a container: write az://account/container/prefix")
    told = _settings(access)
    if not access.anonymous and told.get("AccountName", account) != account and told.keys() & {"key", "sas"}:
        raise UsageError(
            f"the credentials of the environment are for the account {printable(told['AccountName'])}, and the target "
            f"is {account}: unset AZURE_STORAGE_ACCOUNT and AZURE_STORAGE_CONNECTION_STRING, or ask anonymously"
        )
    named = access.endpoint or told.get("BlobEndpoint", "")
    if named:
        base = replace(parse(named, plain_http=access.plain_http), query="")
        if _by_path(base) and base.path.strip("/") == "":
            base = base.below(account)
    else:
        base = parse(f"https://{account}.blob.{told.get('EndpointSuffix', 'core.windows.net')}", plain_http=False)
    sas = "" if access.anonymous else told.get("sas", "")
    if sas:
        opened = with_sas(replace(base.below(*filter(None, (container, prefix))), query=sas), access)
        return replace(opened, container=container, prefix=prefix, left_out="") if container else opened
    if not access.anonymous and "key" in told:
        sas = azure_account_sas(account.removesuffix("-secondary"), told["key"], access)
    if not container and not sas:
        raise TargetError(f"the containers of {account} cannot be listed without a credential: name a container")
    return AzureStore(access, base, container, prefix, sas)


def _settings(access: Access) -> dict[str, str]:
    """What the environment says: `AccountName`, `key`, `sas`, `BlobEndpoint`, `EndpointSuffix`."""
    environment = access.environment
    told: dict[str, str] = {}
    for part in environment.get("AZURE_STORAGE_CONNECTION_STRING", "").split(";"):
        name, _, value = part.strip().partition("=")
        name = {"accountkey": "key", "sharedaccesssignature": "sas", "accountname": "AccountName"}.get(
            name.lower(), {"blobendpoint": "BlobEndpoint", "endpointsuffix": "EndpointSuffix"}.get(name.lower(), "")
        )
        if name and value:
            told[name] = value
    for variable, name in (("ACCOUNT", "AccountName"), ("KEY", "key"), ("SAS_TOKEN", "sas")):
        if value := environment.get(f"AZURE_STORAGE_{variable}", ""):
            told[name] = value
    if "sas" in told:
        told["sas"] = told["sas"].strip().lstrip("?")
    return told


def is_sas(url: Url) -> bool:
    """Whether a URL has the parameters of a SAS of Azure Storage."""
    return all(map(url.parameter, ("sv", "sig"))) and any(map(url.parameter, ("sr", "ss", "si")))


def with_sas(url: Url, access: Access) -> AzureStore:
    """What a URL with a SAS opens: of an account all containers, wherever in the account the URL points."""
    get = url.parameter
    base, names = _account_of(url)
    container = unquote(names[0]) if names else ""
    sas = url.without(_ASKED).query
    permitted = get("sp")
    if get("ss"):
        services, types = get("ss"), get("srt")
        if "b" not in services:
            raise TargetError(f"this SAS opens no blobs (ss={printable(services)}): blobs are all that oakum lists")
        _may_list(permitted, "the account")
        if "s" in types:
            return AzureStore(access, base, sas=sas)
        if "c" not in types:
            raise TargetError(
                f"this SAS opens single objects whose names are known (srt={printable(types)}): it lists none"
            )
        if not container:
            raise TargetError(
                f"this SAS lists no containers (srt={printable(types)}): put the name of one into the URL"
            )
        why = f"this SAS opens its other containers, too, and cannot list their names (srt={printable(types)})"
        return AzureStore(access, base, container, sas=sas, left_out=why)
    resource = get("sr") or "c"
    if resource in ("s", "f"):
        raise TargetError(f"this SAS opens Azure Files (sr={printable(resource)}): blobs are all that oakum lists")
    if resource in ("b", "bs", "bv"):
        raise TargetError(
            f"this SAS opens one object and cannot list (sr={printable(resource)}): `oakum explain` says what it is "
            "worth"
        )
    if not container:
        raise TargetError("this SAS is for one container, and its URL names none: put the name into the URL")
    if permitted or not get("si"):
        _may_list(permitted, "the container")
    depth = get("sdd")
    if resource != "d":
        return AzureStore(access, base, container, sas=sas)
    deep = int(depth) if depth.isascii() and depth.isdigit() and len(depth) < 4 else len(names) - 1
    folder = _decoded(names[1 : 1 + deep])
    return AzureStore(access, base, container, f"{folder}/" if folder else "", sas)


def _may_list(permitted: str, what: str) -> None:
    if "l" not in permitted:
        raise TargetError(
            f"this SAS cannot list {what} (sp={printable(permitted)[:40]}, without l): it opens what somebody knows "
            "the name of; `oakum explain` says what it is worth"
        )


def from_azure_url(url: Url, access: Access) -> AzureStore | None:
    """The container that a URL of Azure's own hosts names, read anonymously; None for another host."""
    found = HOST.fullmatch(url.host)
    if not found or found["service"] not in ("blob", "dfs"):
        return None
    base, names = _account_of(url)
    container = unquote(names[0]) if names else ""
    if not _is_container(container):
        raise TargetError(f"{url.shown} names no container: only a container can be listed without a SAS")
    prefix = url.parameter("prefix") or _decoded(names[1:])
    return AzureStore(access, base, container, prefix)


def at(url: Url, access: Access) -> AzureStore:
    """A container, by the URL that gave its listing."""
    container = url.path.strip("/").rpartition("/")[2]
    base = replace(url, path=url.path.rstrip("/").rpartition("/")[0] or "/", query="")
    return AzureStore(access, base, unquote(container), url.parameter("prefix"), url.without(_ASKED).query)


def _decoded(names: list[str]) -> str:
    """The prefix that parts of a path make."""
    return "/".join(unquote(name, errors="surrogateescape") for name in names)


def _account_of(url: Url) -> tuple[Url, list[str]]:
    """Where an account's blobs lie, and the parts of the path below."""
    names = [name for name in url.path.split("/") if name]
    base = replace(url, path="/", query="")
    if found := HOST.fullmatch(url.host):
        host = f"{found['account']}.{found['zone'] or ''}blob.{found['domain']}"
        return replace(base, authority=host + url.authority[len(url.host) :]), names
    if _by_path(url):
        return replace(base, path=f"/{names[0]}" if names else "/"), names[1:]
    return base, names


def _by_path(url: Url) -> bool:
    """Whether accounts lie below a host, as with emulators."""
    return is_here(url.authority) or re.fullmatch(r"\d{1,3}(?:\.\d{1,3}){3}", url.host) is not None
