"""What is documented from the code: deploy/env.example, the table of commands in both READMEs, the catalogue of rules.

`make generated` writes them; tests/house/test_docs.py fails when one of them lags.
"""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from server.__main__ import COMMANDS
from server.settings import Settings
from tests.house.catalogue_page import catalogue_page

ROOT = Path(__file__).parent.parent.parent

ENV_HEAD = """\
# Every setting of Yangdi, with its default. Copy to /etc/yangdi/env (mode 0640, group yangdi) and take away the #
# where another value is wanted. Written from server/settings.py by `make generated`.
"""

IN_CHINESE = {
    "serve": "运行网页服务，并带上后台作业进程",
    "work": "单独运行后台作业进程",
    "migrate": "把数据库升级到本版本的结构",
    "project": "建立项目、调查期，导入计划样地",
    "form": "检查、发布、列出、停用调查表",
    "device": "登记手机，查看待发，限定范围，换二维码，停用",
    "import": "导入手机没能发出的待发箱文件",
    "people": "增加、列出、停用可以登录的人员",
    "export": "把一个项目写成一个供分析用的 SQLite 文件。",
    "rules": "查看、修改、还原一个项目的规则参数",
    "recheck": "让规则重新检查一个项目的全部样地",
    "audit": "随机抽取要抽查的样地，列出抽到的样地",
    "check": "不用服务器，直接检查表格里的可疑数值",
    "simulate": "像手机一样向服务器发送一期调查",
    "demo": "生成一个有样地、手机和疑点的县，并启动服务",
    "backup": "把数据库和照片连同校验值写入一个文件夹",
    "restore": "把备份恢复到空的安装中",
}


def env_example() -> str:
    """All settings as a file for systemd's EnvironmentFile and docker's env_file."""
    knobs = [
        f"# {knob.metadata['doc']}\n#YANGDI_{knob.name.upper()}={_written(knob.default)}\n"
        for knob in fields(Settings)
    ]
    return "\n".join([ENV_HEAD, *knobs])


def _written(default: object) -> str:
    return str(default).lower() if isinstance(default, bool) else str(default)


def command_table(locale: str) -> str:
    """The commands as a table of Markdown, in "zh" or "en"."""
    head = "| 命令 | 作用 |\n|---|---|\n" if locale == "zh" else "| command | what it does |\n|---|---|\n"
    lines = {name: IN_CHINESE[name] if locale == "zh" else entry.line for name, entry in COMMANDS.items()}
    return head + "".join(f"| `yangdi {name}` | {line} |\n" for name, line in lines.items())


def with_table(page: str, locale: str) -> str:
    """The page with today's table between its two marks. Raises ValueError where the marks are missing."""
    made, count = re.subn(
        r"(<!-- commands -->\n).*?(<!-- /commands -->)",
        lambda marks: marks[1] + command_table(locale) + marks[2],
        page,
        flags=re.DOTALL,
    )
    if count != 1:
        raise ValueError("the page needs <!-- commands --> and <!-- /commands --> once")
    return made


CATALOGUE = ROOT / "server" / "validation" / "CATALOGUE.md"
PAGES = {"README.md": "en", "README.zh-CN.md": "zh"}


def main() -> None:
    """Write everything again."""
    (ROOT / "deploy" / "env.example").write_text(env_example())
    CATALOGUE.write_text(catalogue_page())
    for name, locale in PAGES.items():
        page = ROOT / name
        page.write_text(with_table(page.read_text(), locale))


if __name__ == "__main__":
    main()
