"""The code that sets up a phone says what was put in, in the form that ODK Collect reads."""

from __future__ import annotations

import base64
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import settings_qr

VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=50)
SETTINGS = st.dictionaries(
    st.text(max_size=10), VALUES | st.dictionaries(st.text(max_size=10), VALUES, max_size=5), max_size=4
)


@given(SETTINGS)
def test_what_is_put_into_a_code_comes_out_of_it(settings: dict[str, object]) -> None:
    assert settings_qr.decode(settings_qr.encode(settings)) == settings


@pytest.mark.parametrize(("locale", "language"), [("zh", "zh"), ("zh_CN", "zh"), ("en", "en")])
def test_a_code_carries_what_collect_must_find(locale: str, language: str) -> None:
    url = "https://yd.example/v1/key/abc/projects/1"
    code = settings_qr.encode(settings_qr.settings_json(url, "平顺县森林碳汇", locale))
    said = json.loads(zlib.decompress(base64.b64decode(code)))  # as Collect does it
    assert {"general", "admin"} <= set(said)
    assert said["general"]["server_url"] == url
    assert said["general"]["app_language"] == language
    assert said["project"] == {"name": "平顺县森林碳汇"}


def test_a_code_that_collect_would_refuse_is_not_made() -> None:
    noise = "".join(
        chr(0x4E00 + n * 7919 % 20_000) for n in range(3_000)
    )  # 3,000 characters that do not repeat
    with pytest.raises(ValueError, match="at most 4000"):
        settings_qr.encode({"general": {"server_url": noise}, "admin": {}})
