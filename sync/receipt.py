"""What a crew reads on its phone when an instance has arrived: how much came, and what looks odd already.

ODK Collect shows this text beside each sent form. It is short, because it is read in the rain.
"""

from __future__ import annotations

from collections.abc import Sequence

from sync.intake import Reason

MOST_ODD = 5
"""Odd things told at once; the rest is a number. More does not fit a phone's screen."""

_HELD: dict[Reason, tuple[str, str]] = {
    Reason.UNKNOWN_FORM: ("服务器还没有这个调查表", "the server does not have this form yet"),
    Reason.UNKNOWN_VERSION: (
        "服务器还没有这个调查表版本",
        "the server does not have this version of the form yet",
    ),
    Reason.CLOSED_FORM: ("这个调查表已停止接收", "this form no longer takes records"),
    Reason.OTHER_CONTENT: ("同一编号已有内容不同的记录", "another record with this id came first"),
    Reason.EDIT_BEFORE_ORIGINAL: ("还没有收到它修改的原记录", "the record it edits has not arrived yet"),
    Reason.EDIT_OF_OLD: ("它修改的记录已有更新的版本", "the record it edits has a newer version"),
    Reason.ENCRYPTED: ("记录是加密的，服务器打不开", "it is encrypted and the server cannot open it"),
    Reason.REVOKED_DEVICE: ("这台手机已被停用", "this phone was revoked"),
}


def text(
    locale: str,
    plot: str,
    trees: int,
    photos_here: int,
    photos_expected: int,
    odd: Sequence[str],
    *,
    tested: bool = False,
) -> str:
    """The words of a receipt for a record that counts. `odd` are whole sentences, most suspicious first."""
    zh = locale.startswith("zh")
    parts = [_what_came(zh, plot, trees, photos_here, photos_expected)]
    if tested:
        parts.append("这是测试数据，不会计入。" if zh else "This was a test and does not count.")
    if odd:
        parts.append(
            ("请在离开前看一看：" if zh else "Please look before you leave: ") + " ".join(odd[:MOST_ODD])
        )
        if len(odd) > MOST_ODD:
            more = len(odd) - MOST_ODD
            parts.append(f"另有 {more} 处。" if zh else f"And {more} more.")
    return ("" if zh else " ").join(parts)


def _what_came(zh: bool, plot: str, trees: int, here: int, expected: int) -> str:
    if zh:
        where = f"样地 {plot}：" if plot else ""
        count = f"{trees} 株样木" if trees else "记录"
        photos = f"，照片 {here}/{expected}" if expected else ""
        return f"已收到 {where}{count}{photos}。"
    where = f"plot {plot}: " if plot else ""
    count = f"{trees} trees" if trees != 1 else "1 tree"
    photos = f", photos {here}/{expected}" if expected else ""
    return f"Received {where}{count if trees else 'the record'}{photos}."


def held(locale: str, reason: Reason) -> str:
    """The words of a receipt for an instance in quarantine: it is safe, and somebody will look."""
    zh, en = _HELD[reason]
    if locale.startswith("zh"):
        return f"已安全保存，但暂不计入：{zh}。监督员会处理，您不必重发。"
    return f"Kept safe, but not counted yet: {en}. Your supervisor will look at it; no need to send again."
