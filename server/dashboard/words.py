"""The words a person reads for what the store keeps in codes.

Templates have this module as `words`. An unknown code is shown as it is: a form may bring codes of its own.
"""

from __future__ import annotations

import re

from server.dashboard.language import gettext as _
from server.dashboard.language import locale
from server.validation.story import kind_name

MARKS = {"error": "▲", "warn": "◆", "info": "●"}
"""A shape for each severity: colour alone is lost on paper and on one man in twelve."""


def tally(code: int | None) -> str:
    """The word for a tally code (检尺类型); "" where none was given."""
    words = {
        11: _("保留木"),
        12: _("进界木"),
        13: _("枯立木"),
        14: _("采伐木"),
        15: _("枯倒木"),
        16: _("漏测木"),
        17: _("多测木"),
        18: _("胸径错测"),
        19: _("树种错测"),
        20: _("复活木"),
        24: _("采伐木（上期多测）"),
    }
    return "" if code is None else words.get(code, str(code))


def severity(code: str) -> str:
    """The word for a flag's severity."""
    return {"error": _("错误"), "warn": _("警告"), "info": _("提示")}.get(code, code)


def rule_group(letter: str) -> str:
    """What the rules whose number begins with this letter look at."""
    words = {
        "T": _("单株"),
        "H": _("树高"),
        "X": _("跨期"),
        "P": _("样地与定位"),
        "C": _("调查队"),
        "F": _("照片"),
        "Q": _("质量检查"),
    }
    return words.get(letter, letter)


def scope(code: str) -> str:
    """What a single flag of a rule is about."""
    words = {
        "tree": _("看一株树"),
        "pair": _("看一株树的两期"),
        "visit": _("看整次调查"),
        "place": _("看位置"),
        "photo": _("看照片"),
        "crew": _("看调查队"),
        "audit": _("看质量检查"),
    }
    return words.get(code, code)


def unit(code: str) -> str:
    """A unit of the parameters table."""
    words = {
        "trees": _("株"),
        "pairs": _("对"),
        "tags": _("号"),
        "a": _("年"),
        "cm/a": _("cm/年"),
        "1/a": _("每年"),
        "min": _("分钟"),
        "s": _("秒"),
        "photos": _("张"),
        "plots": _("块"),
        "visits": _("次"),
        "gaps": _("个间隔"),
        "km/h": _("公里/小时"),
        "stems/ha": _("株/公顷"),
        "m²/ha": _("平方米/公顷"),
        "t/m3": _("吨/立方米"),
        "eighths": _("八分之一圆周"),
        "bits": _("位"),
    }
    return words.get(code, code)


def slip(kind: str) -> str:
    """What may have happened to a value, as the rules tell slips apart."""
    return _("其余的可能") if kind == REST else kind_name(kind, locale())


def species_group(code: str) -> str:
    """A group of species that a threshold is for."""
    return {"conifer": _("针叶树"), "oak": _("栎类"), "fast": _("速生树种")}.get(code, code)


REST = "rest"
"""All that the rule weighed and does not name."""
_BLANK = re.compile(r"\{(\w+)\}")


def with_blanks(sentence: str) -> list[tuple[str, bool]]:
    """A sentence of a rule in parts, each with whether it is the name of a blank."""
    return [(part, place % 2 == 1) for place, part in enumerate(_BLANK.split(sentence)) if part]


def flag_state(code: str) -> str:
    """The word for what became of a flag."""
    words = {
        "open": _("待处理"),
        "accepted": _("已认可"),
        "corrected": _("已更正"),
        "sent_back": _("已返工"),
        "void": _("已作废"),
    }
    return words.get(code, code)


def review_state(code: str) -> str:
    """The word for a visit's review state, and for a plot that has no visit."""
    words = {
        "received": _("已收到"),
        "edited": _("已修订"),
        "has_issues": _("有问题"),
        "approved": _("已通过"),
        "rejected": _("已退回"),
        "not_visited": _("未调查"),
    }
    return words.get(code, code)


def visit_kind(code: str) -> str:
    """The word for a kind of visit."""
    return {"visit": _("样地调查"), "audit": _("质量检查"), "rework": _("返工")}.get(code, code)


def rework_state(code: str) -> str:
    """The word for what became of an order for rework."""
    return {"open": _("返工中"), "returned": _("已返回"), "cancelled": _("已取消")}.get(code, code)


def rework_tree_state(code: str) -> str:
    """The word for what became of a tree that was sent back."""
    words = {
        "open": _("等待重测"),
        "corrected": _("已改"),
        "confirmed": _("两次一致"),
        "gone": _("没有找到"),
        "cancelled": _("不再重测"),
    }
    return words.get(code, code)


def decision(code: str) -> str:
    """The word for what a person decided."""
    words = {
        "accept": _("认可"),
        "correct": _("更正"),
        "send_back": _("送回返工"),
        "reopen": _("撤回"),
        "approve": _("通过"),
        "reject": _("退回"),
    }
    return words.get(code, code)


def conflict_state(code: str) -> str:
    """The word for what became of a conflict."""
    return {"open": _("待决定"), "settled": _("已解决"), "gone": _("已消失")}.get(code, code)


def conflict_kind(code: str) -> str:
    """The words for who contradicts whom."""
    words = {
        "two-visits": _("两支调查队测了同一样地"),
        "two-edits": _("同一记录的两份修订"),
        "edit-correction": _("调查队的新值与更正不同"),
    }
    return words.get(code, code)


def conflict_base(kind: str) -> str:
    """The word for what was there before both."""
    return {"two-visits": _("上期"), "two-edits": _("原记录")}.get(kind, _("更正前"))


def conflict_side(kind: str, is_mine: bool) -> str:
    """The words for one of the two: `is_mine` is what stands meanwhile."""
    words = {
        "two-visits": (_("先收到的调查"), _("后收到的调查")),
        "two-edits": (_("先收到的修订"), _("后收到的修订")),
        "edit-correction": (_("更正"), _("调查队的新值")),
    }
    mine, theirs = words.get(kind, ("", ""))
    return mine if is_mine else theirs


def role(code: str) -> str:
    """The word for a person's role."""
    words = {
        "crew": _("调查队"),
        "supervisor": _("监督员"),
        "farm": _("林场"),
        "verifier": _("核查员"),
        "admin": _("管理员"),
    }
    return words.get(code, code)


def form_state(code: str) -> str:
    """The word for a form's state."""
    return {"open": _("开放"), "closing": _("收尾（只收不发）"), "closed": _("已停止")}.get(code, code)


def mapping(code: str) -> str:
    """How a form's questions were tied to the forest."""
    words = {"tags": _("按标注"), "names": _("按题名"), "none": _("未对应（不产生样木）")}
    return words.get(code, code)


def job(kind: str) -> str:
    """The word for a step that is promised."""
    words = {
        "unfold": _("读取记录"),
        "check": _("检查数据"),
        "merge": _("合并同一样地的两次调查"),
        "crew_look": _("检查调查队"),
        "audit_score": _("评定抽查"),
        "merge_edits": _("合并同一记录的两份修订"),
        "inspect_photo": _("查看照片"),
        "settle": _("重新判定"),
        "return_rework": _("读取返工结果"),
        "publish_rework": _("生成返工调查表"),
        "refit": _("用认可的数据更新参考范围"),
        "recheck": _("整期重新检查"),
    }
    return words.get(kind, kind)


def recheck_reason(reason: str) -> str:
    """Why the rules look at everything again."""
    words = {
        "rules": _("程序的规则已更新"),
        "bands": _("参考范围已更新"),
        "parameters": _("规则参数已修改"),
        "asked": _("有人要求"),
    }
    return words.get(reason, reason)


def cell(field: str | None) -> str:
    """The word for the cell that a flag points at."""
    words = {
        "tag": _("样木号"),
        "stem_id": _("分株号"),
        "species": _("树种"),
        "tally_code": _("检尺类型"),
        "dbh_cm": _("胸径"),
        "height_m": _("树高"),
        "pom_m": _("测量高"),
        "x_m": _("位置"),
        "y_m": _("位置"),
        "position": _("位置"),
        "photo": _("照片"),
        "elevation_m": _("海拔"),
        "slope_deg": _("坡度"),
        "aspect": _("坡向"),
        "perimeter_m": _("周长"),
        "closure_m": _("闭合差"),
        "corner": _("角桩"),
        "measured_on": _("调查日期"),
        "canopy_cover": _("郁闭度"),
        "land_type": _("地类"),
        "origin": _("起源"),
        "mean_age": _("平均年龄"),
    }
    return words.get(field or "", field or "")


def cell_unit(field: str | None) -> str:
    """The unit of the numbers in a cell; "" where there is none."""
    units = {"dbh_cm": "cm", "height_m": "m", "pom_m": "m", "elevation_m": "m", "slope_deg": "°", "perimeter_m": "m",
             "closure_m": "m"}  # fmt: skip
    return units.get(field or "", "")


def held_back(reason: str) -> str:
    """Why an instance is kept but does not count."""
    words = {
        "unknown-form": _("服务器上没有这个调查表"),
        "unknown-version": _("服务器上没有这个调查表版本"),
        "closed-form": _("调查表已停止接收"),
        "other-content": _("同一编号已有另一份内容不同的记录"),
        "edit-before-original": _("收到了修订，但原记录还没有到"),
        "edit-of-old": _("它修订的记录已经被另一份修订取代"),
        "encrypted": _("记录是加密的，服务器无法打开"),
        "revoked-device": _("发送的手机已被停用"),
    }
    return words.get(reason, reason)


def what_to_do(reason: str) -> str:
    """What a supervisor can do about an instance that does not count."""
    words = {
        "unknown-form": _("发布这个调查表；发布后会自动重新判定。"),
        "unknown-version": _("发布这个版本；发布后会自动重新判定。"),
        "closed-form": _("如果应当接收，重新开放调查表后点“再试一次”；否则搁置。"),
        "other-content": _("下载两份 XML 比较。保留正确的一份；如果是重复发送，搁置这一份。"),
        "edit-before-original": _("请调查队在手机上重发原记录；原记录到达后会自动重新判定。"),
        "edit-of-old": _("不冲突的部分已自动合并；其余请在“冲突”页选择，选完后这份记录自动离开待定。"),
        "encrypted": _("在调查表中关闭加密并重新发布，请调查队重填后发送；然后搁置这一份。"),
        "revoked-device": _("确认手机仍由调查队使用：重新登记手机后点“再试一次”；否则搁置。"),
    }
    return words.get(reason, "")


def brought(state: str) -> str:
    """The word for what became of an instance of an outbox file."""
    words = {
        "kept": _("已保存"),
        "already_kept": _("以前已收到"),
        "quarantined": _("已保存，待定"),
        "refused": _("未保存"),
    }
    return words.get(state, state)


def refused(reason: str) -> str:
    """Why an instance of an outbox file was not kept."""
    words = {
        "missing": _("文件里没有这份记录"),
        "broken": _("这一部分已损坏，读不出来"),
        "too-large": _("太大"),
        "wrong-hash": _("内容与校验值不符"),
    }
    known = words.get(reason) or held_back(reason)
    return known if known != reason else _("不是一份可以读取的记录（%(reason)s）", reason=reason)


def outbox_fault(fault: str) -> str:
    """What was wrong with an outbox file or with something in it."""
    words = {
        "cut-off": _("文件不完整：结尾缺失。能读出的都已导入，请在手机上重新导出一次。"),
        "list-missing": _("清单（outbox.json）缺失或损坏：记录已导入，照片的名称无法得知。"),
        "item-unreadable": _("清单中的这一项读不懂"),
        "double-name": _("压缩包里有两个同名的文件，只用了后一个"),
        "unlisted": _("清单里没有这份记录，已照样导入"),
        "unnamed": _("没有任何记录用到这个文件"),
        "missing": _("没有附带"),
        "broken": _("已损坏，读不出来"),
        "too-large": _("太大"),
        "wrong-hash": _("内容与校验值不符"),
    }
    return words.get(fault, fault)


def verdict(code: str | None) -> str:
    """The word for what an audit says; None: there is no visit to check yet."""
    words = {"passed": _("合格"), "failed": _("不合格"), "weak": _("株数太少，不能判断")}
    return _("还没有可对照的调查") if code is None else words.get(code, code)


def audit_kind(is_random: bool | None) -> str:
    """The word for why a plot was audited."""
    return _("未注明") if is_random is None else _("随机") if is_random else _("有疑点")


def audit_fault(code: str) -> str:
    """The word for what differs between the two lists at one tree."""
    words = {
        "dbh": _("超差"),
        "missed": _("漏测"),
        "extra": _("多测"),
        "species": _("树种不同"),
        "status": _("存活状态不同"),
    }
    return words.get(code, code)


def audit_failure(code: str) -> str:
    """Why an audit fails."""
    words = {
        "dbh": _("超差的胸径太多"),
        "large": _("漏测或多测了大树"),
        "small": _("漏测或多测的小树太多"),
        "species": _("树种错误太多"),
        "status": _("存活状态错误太多"),
        "agb": _("样地生物量相差太大"),
    }
    return words.get(code, code)
