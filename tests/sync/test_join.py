"""A join link says where, who and which project; nothing of it but the page's address reaches a server."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import join

KEYS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=60)


@given(KEYS, st.integers(0, 2**40))
def test_what_is_put_into_a_link_comes_out_of_it(key: str, project_id: int) -> None:
    read = join.read(join.link("https://yd.example:8443/field/", key, project_id))
    assert read == join.Join("https://yd.example:8443/field", key, project_id)


def test_the_key_stands_behind_the_hash_where_no_server_hears_it() -> None:
    link = join.link("https://yd.example", "s3cret", 7)
    assert link == "https://yd.example/join#k=s3cret&p=7"
    assert "s3cret" not in urlsplit(link)._replace(fragment="").geturl()


@pytest.mark.parametrize("text", [
    "", "https://yd.example/join", "https://yd.example/join#k=a", "https://yd.example/join#p=1",
    "https://yd.example/other#k=a&p=1", "javascript:alert(1)/join#k=a&p=1", "https:///join#k=a&p=1",
    "https://yd.example/join#k=a&p=one", "https://yd.example/join#k=a&p=-1", "eJy" * 900, "https://[/join#k=a&p=1",
])  # fmt: skip
def test_what_is_no_join_link_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        join.read(text)
