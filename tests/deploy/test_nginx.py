"""A phone's day through Debian's nginx with our nginx.conf, over TLS, in front of a live server."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from pathlib import Path

import pytest
from lxml import etree
from sqlalchemy import select

from forms.compile import compile_form
from server.settings import Settings
from server.steps.publish import publish
from server.store.blobs import Blobs
from server.store.db import Database
from server.store.schema import attachment
from tests.cast import Cast
from tests.conftest import NOW
from tests.live import ROOT, LiveServer, free_port

NGINX = shutil.which("nginx") or next((p for p in ["/usr/sbin/nginx"] if Path(p).exists()), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        NGINX is None, reason="nginx is not on this machine (Debian: apt-get install nginx-light)"
    ),
]

NAME = "yangdi.example.org"
FORM = """
| survey |       |      |       |
|        | type  | name | label |
|        | text  | note | 备注  |
|        | image | pic  | 照片  |
| settings |            |         |            |
|          | form_title | form_id | version    |
|          | 试一试     | trial   | 2026112201 |
"""
PHOTO = os.urandom(5_000_000)
"""5 MB that no gzip makes smaller: what a phone's camera writes."""


@pytest.fixture
def engine() -> str:
    """One is enough: nginx does not see the store."""
    return "sqlite"


@dataclass(frozen=True)
class Front:
    """nginx as the phone sees it."""

    port: int
    plain_port: int
    trust: ssl.SSLContext
    folder: Path

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[HTTPResponse, bytes]:
        connection = HTTPSConnection("127.0.0.1", self.port, context=self.trust, timeout=60)
        return _ask(connection, method, path, body, {"Host": f"{NAME}:{self.port}"} | headers)

    def ask_plain(self, method: str, path: str) -> tuple[HTTPResponse, bytes]:
        connection = HTTPConnection("127.0.0.1", self.plain_port, timeout=60)
        return _ask(connection, method, path, b"", {"Host": NAME})


def _ask(
    connection: HTTPConnection, method: str, path: str, body: bytes, headers: dict[str, str]
) -> tuple[HTTPResponse, bytes]:
    try:
        connection.request(method, path, body or None, headers)
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def multipart(parts: dict[str, tuple[str, bytes]]) -> tuple[bytes, str]:
    """A body as ODK Collect builds it: each part named by its file, the XML first."""
    edge = "----yangdi"
    pieces = [
        f'--{edge}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n'
        f"Content-Type: {kind}\r\n\r\n".encode()
        + content
        + b"\r\n"
        for name, (kind, content) in parts.items()
    ]
    return b"".join(pieces) + f"--{edge}--\r\n".encode(), f"multipart/form-data; boundary={edge}"


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """fullchain.pem and privkey.pem for our name, signed by nobody else."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "2", "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME},IP:127.0.0.1",
         "-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder


@pytest.fixture
def front(start_server: Callable[..., LiveServer], certificate: Path, tmp_path: Path) -> Iterator[Front]:
    server = start_server(trust_proxy=True, embedded_worker=False)
    port, plain_port = free_port(), free_port()
    site = (ROOT / "deploy" / "nginx.conf").read_text()
    for theirs, ours in {
        r"server 127\.0\.0\.1:8000": f"server 127.0.0.1:{server.settings.port}",
        r"/etc/letsencrypt/live/[^/]+": str(certificate),
        r"/var/log/nginx": str(tmp_path),
        r"listen 80;": f"listen 127.0.0.1:{plain_port};",
        r"listen 443 ": f"listen 127.0.0.1:{port} ",
        r"listen \[::\][^;]*;": "",
    }.items():
        site, changed = re.subn(theirs, ours, site)
        assert changed, f"nginx.conf has no {theirs}"
    conf = tmp_path / "nginx.conf"
    temporary = "".join(f"{kind}_temp_path {tmp_path / kind};\n" for kind in ("client_body", "proxy"))
    account = "user root;" if os.getuid() == 0 else ""
    conf.write_text(
        f"{account} daemon off; pid {tmp_path}/nginx.pid; error_log {tmp_path}/error.log info;\n"
        f"events {{ worker_connections 64; }}\nhttp {{\n{temporary}\n{site}\n}}\n"
    )
    nginx = subprocess.Popen([str(NGINX), "-c", str(conf), "-e", f"{tmp_path}/error.log"])
    _await(nginx, port, tmp_path)
    yield Front(
        port, plain_port, ssl.create_default_context(cafile=str(certificate / "fullchain.pem")), tmp_path
    )
    nginx.terminate()
    nginx.wait(10)


def _await(nginx: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    give_up_at = time.monotonic() + 10
    while time.monotonic() < give_up_at and nginx.poll() is None:
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=2)
            connection.connect()
            connection.close()
            return
        except OSError:
            time.sleep(0.05)
    nginx.kill()
    raise RuntimeError((folder / "error.log").read_text())


@pytest.fixture
def address(cast: Cast, database: Database, tmp_path: Path) -> str:
    """Where the phone of 一队 sends to, with a form published there."""
    source = tmp_path / "trial.md"
    source.write_text(FORM)
    compiled = compile_form(source)
    with database.writing() as connection:
        publish(connection, cast.project, compiled.form, compiled.xml, {}, "test", NOW)
    return f"/v1/key/{cast.token_one}/projects/{cast.project}"


def instance(photo: str) -> bytes:
    return (
        '<data xmlns:orx="http://openrosa.org/xforms" id="trial" version="2026112201"><note>好</note>'
        f"<pic>{photo}</pic><orx:meta><orx:instanceID>uuid:11111111-1111-4111-8111-111111111111"
        "</orx:instanceID></orx:meta></data>"
    ).encode()


def test_the_form_list_names_addresses_that_the_phone_can_reach(front: Front, address: str) -> None:
    answer, body = front.ask("GET", f"{address}/formList", **{"X-OpenRosa-Version": "1.0"})
    assert answer.status == 200, body.decode() + (front.folder / "error.log").read_text()
    assert answer.headers["X-OpenRosa-Version"] == "1.0"
    assert "text/xml" in answer.headers["Content-Type"]
    download = etree.fromstring(body).findtext(".//{*}downloadUrl")
    assert download is not None
    assert download.startswith(f"https://{NAME}:{front.port}{address}/")
    answer, form = front.ask("GET", download.partition(str(front.port))[2])
    listed = etree.fromstring(body).findtext(".//{*}hash")
    assert listed == f"md5:{hashlib.md5(form).hexdigest()}"


def test_a_form_list_that_the_phone_has_is_not_sent_again(front: Front, address: str) -> None:
    answer, _ = front.ask("GET", f"{address}/formList", **{"Accept-Encoding": "gzip"})
    again, body = front.ask(
        "GET", f"{address}/formList", **{"Accept-Encoding": "gzip", "If-None-Match": answer.headers["ETag"]}
    )
    assert (again.status, body) == (304, b"")


def test_a_phone_may_ask_how_much_it_can_send(front: Front, address: str) -> None:
    answer, _ = front.ask("HEAD", f"{address}/submission")
    assert answer.status == 204, (front.folder / "error.log").read_text()
    assert int(answer.headers["X-OpenRosa-Accept-Content-Length"]) == Settings().accept_content_length
    assert answer.headers["Location"] is None


def test_a_record_with_a_large_photo_arrives_whole(
    front: Front, address: str, settings: Settings, database: Database
) -> None:
    body, kind = multipart(
        {"xml_submission_file": ("text/xml", instance("tape.jpg")), "tape.jpg": ("image/jpeg", PHOTO)}
    )
    answer, said = front.ask("POST", f"{address}/submission", body, **{"Content-Type": kind})
    assert answer.status == 201, said
    assert b"submit_success" in said
    with database.reading() as connection:
        sha256 = connection.scalar(select(attachment.c.sha256).where(attachment.c.name == "tape.jpg"))
    assert Blobs(settings.photo_dir).path(str(sha256)).read_bytes() == PHOTO


def test_a_photo_passes_nginx_without_touching_its_disk(front: Front, address: str) -> None:
    body, kind = multipart(
        {"xml_submission_file": ("text/xml", instance("tape.jpg")), "tape.jpg": ("image/jpeg", PHOTO)}
    )
    front.ask("POST", f"{address}/submission", body, **{"Content-Type": kind})
    assert "buffered to a temporary file" not in (front.folder / "error.log").read_text()


def test_too_much_is_refused_before_it_travels_and_in_words(front: Front, address: str) -> None:
    connection = HTTPSConnection("127.0.0.1", front.port, context=front.trust, timeout=30)
    connection.putrequest("POST", f"{address}/submission")
    connection.putheader("Content-Type", "multipart/form-data; boundary=x")
    connection.putheader("Content-Length", str(Settings().max_request_bytes + 1))
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.status == 413
    assert answer.headers["X-OpenRosa-Version"] == "1.0"
    assert "请减少照片数量" in (etree.fromstring(body).findtext("{*}message") or "")


def test_what_nginx_takes_is_what_the_app_takes() -> None:
    conf = (ROOT / "deploy" / "nginx.conf").read_text()
    limit = re.search(r"client_max_body_size (\d+);", conf)
    assert limit is not None
    assert int(limit[1]) == Settings().max_request_bytes


def test_while_the_app_is_away_the_phone_hears_a_sentence(
    front: Front, address: str, start_server: Callable[..., LiveServer]
) -> None:
    site = (front.folder / "nginx.conf").read_text()
    (front.folder / "nginx.conf").write_text(re.sub(r"server 127\.0\.0\.1:\d+;", "server 127.0.0.1:9;", site))
    subprocess.run(
        [str(NGINX), "-c", str(front.folder / "nginx.conf"), "-s", "reload"], check=True, capture_output=True
    )
    give_up_at = time.monotonic() + 10
    status = 0
    while status != 503 and time.monotonic() < give_up_at:
        answer, body = front.ask("GET", f"{address}/formList")
        status = answer.status
    assert status == 503
    assert "手机里的数据还在" in (etree.fromstring(body).findtext("{*}message") or "")


def test_a_phones_key_never_stands_in_the_log(front: Front, address: str, cast: Cast) -> None:
    front.ask("GET", f"{address}/formList?deviceID=collect%3Aabc")
    time.sleep(0.2)
    log = (front.folder / "yangdi.log").read_text()
    assert f"/v1/key/***/projects/{cast.project}/formList?deviceID=" in log
    assert cast.token_one not in log


def test_without_tls_a_phone_is_told_so_and_never_led_elsewhere(front: Front, address: str) -> None:
    answer, body = front.ask_plain("POST", f"{address}/submission")
    assert answer.status == 403
    assert "https://" in body.decode()


def test_a_person_who_typed_the_bare_name_is_led_to_https(front: Front) -> None:
    answer, _ = front.ask_plain("GET", "/")
    assert answer.headers["Location"] == f"https://{NAME}/"


def test_a_client_cannot_claim_to_come_over_https_or_from_elsewhere(front: Front, address: str) -> None:
    answer, body = front.ask("GET", f"{address}/formList", **{"X-Forwarded-Host": "evil.example"})
    assert b"evil.example" not in body
    assert json.dumps("evil.example") not in str(answer.headers)
