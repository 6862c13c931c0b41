"""Every refusal that a client can meet, on one page.

A problem is a status, a word for a code and a sentence for the person in front of the screen that says what to
do next, in zh and en. It has three voices, chosen in `server.web.answers`: problem+json, OpenRosa, a page.
"""

from __future__ import annotations

from typing import ClassVar


class Problem(Exception):
    """Base of all refusals. `detail` is for the log and for developers: where and what, never a secret."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    zh: ClassVar[str] = "服务器出错了，数据未被确认，请稍后再发一次。"
    en: ClassVar[str] = "The server failed and has confirmed nothing. Please send again later."

    def __init__(self, detail: str = "", **facts: object) -> None:
        super().__init__(detail or self.code)
        self.detail = detail
        self.facts = facts

    def sentence(self, locale: str) -> str:
        """What to tell the person, in "zh" or (anything else) "en"."""
        template = self.zh if locale.startswith("zh") else self.en
        return template.format(**{"detail": self.detail, **self.facts})


class NotSignedIn(Problem):
    status, code = 401, "not-signed-in"
    zh = "请先登录，或重新扫描样地二维码。"
    en = "Please sign in, or scan the settings QR code again."


class WrongPassword(Problem):
    status, code = 401, "wrong-password"
    zh = "用户名或密码不对，请再试一次。"
    en = "The name or the password is wrong. Please try again."


class DeviceUnknown(Problem):
    status, code = 403, "device-unknown"
    zh = "这台手机没有登记，或已被停用。请找监督员重新扫码登记。"
    en = "This phone is not enrolled, or was revoked. Ask your supervisor for a new QR code."


class NotAllowed(Problem):
    status, code = 403, "not-allowed"
    zh = "您没有权限做这件事。如有需要，请联系管理员。"
    en = "You may not do this. Ask the administrator if you need to."


class PageExpired(Problem):
    status, code = 400, "page-expired"
    zh = "页面已过期，请刷新后再试。"
    en = "This page has expired. Please reload it and try again."


class NotFound(Problem):
    status, code = 404, "not-found"
    zh = "没有找到，或者您无权查看。"
    en = "There is no such thing, or it is not yours to see."


class MethodNotAllowed(Problem):
    status, code = 405, "method-not-allowed"
    zh = "这个地址不接受这种请求。"
    en = "This address does not take that kind of request."


class BadRequest(Problem):
    status, code = 400, "bad-request"
    zh = "请求无法读懂：{detail}"
    en = "The request could not be read: {detail}"


class InvalidInput(Problem):
    status, code = 422, "invalid-input"
    zh = "有些内容需要修改：{detail}"
    en = "Some of it needs another look: {detail}"


class TooLarge(Problem):
    status, code = 413, "too-large"
    zh = "一次发送的内容太大（最多 {limit_mb} MB）。请减少照片数量后再发。"
    en = "Too much in one request (at most {limit_mb} MB). Send fewer photos at a time."


class TooMany(Problem):
    status, code = 413, "too-many"
    zh = "一次发送的记录太多（最多 {limit} 份）。请分批发送。"
    en = "Too many records at once (at most {limit}). Send them in smaller batches."


class EncodingUnknown(Problem):
    status, code = 415, "encoding-unknown"
    zh = "服务器不认识这种压缩方式，请不压缩再发（可用 gzip 或 zstd）。"
    en = "The server does not know this Content-Encoding. Send it uncompressed, or as gzip or zstd."


class TooOften(Problem):
    status, code = 429, "too-often"
    zh = "尝试次数太多，请过几分钟再试。"
    en = "Too many tries. Please wait a few minutes."


class HttpsNeeded(Problem):
    status, code = 403, "https-needed"
    zh = "用户名和密码只能通过 https 发送。请检查服务器地址。"
    en = "A name and password may only travel over https. Check the server address."


class PartMissing(Problem):
    status, code = 400, "part-missing"
    zh = "请求里没有调查记录（xml_submission_file）。请用 ODK Collect 重新发送。"
    en = "The request carries no record (xml_submission_file). Please send it again from ODK Collect."


class NotMultipart(Problem):
    status, code = 400, "not-multipart"
    zh = "请求格式不对：需要 multipart/form-data。请检查发送程序。"
    en = "The request must be multipart/form-data. Check the program that sends it."


class CutOff(Problem):
    status, code = 400, "cut-off"
    zh = "传输中断，收到的内容不完整。请再发一次，手机里的数据还在。"
    en = "The request was cut off. Please send it again; the data is still on the phone."


class InstanceRefused(Problem):
    status, code = 400, "instance-unreadable"
    zh = "这份记录无法读取（{detail}），服务器没有保存。请在手机上打开检查后重发，并告诉监督员。"
    en = (
        "This record cannot be read ({detail}) and was not kept. "
        "Open it on the phone, send again, tell your supervisor."
    )


class UploadGone(Problem):
    status, code = 410, "upload-gone"
    zh = "这次上传隔得太久，已经作废。请从头再传这个文件。"
    en = "This upload was left alone for too long and is gone. Begin again with the file."


class OffsetConflict(Problem):
    status, code = 409, "offset-conflict"
    zh = "这一段接不上服务器已有的内容。请先查询已收到多少，再接着传。"
    en = "This piece does not follow what the server has. Ask how much that is, then go on from there."


class ChecksumMismatch(Problem):
    status, code = 460, "checksum-mismatch"
    zh = "收到的内容与校验值不符，已丢弃。请把这一段再传一次。"
    en = "What arrived does not match its checksum and was thrown away. Send that piece again."


class TusVersion(Problem):
    status, code = 412, "tus-version"
    zh = "上传协议的版本不对，服务器只支持 tus 1.0.0。请更新手机上的程序。"
    en = "The server speaks tus 1.0.0 only. Update the program on the phone."


class NotAPiece(Problem):
    status, code = 415, "not-a-piece"
    zh = "上传内容的类型不对，应为 application/offset+octet-stream。请检查发送程序。"
    en = "A piece of a file must come as application/offset+octet-stream. Check the program that sends it."


class FormUnknown(Problem):
    status, code = 404, "form-unknown"
    zh = "服务器上没有这个调查表。请在手机上刷新调查表。"
    en = "The server has no such form. Refresh the forms on the phone."


class VersionUnknown(Problem):
    status, code = 404, "version-unknown"
    zh = "服务器上没有这个调查表版本。请在手机上刷新调查表。"
    en = "The server has no such version of the form. Refresh the forms on the phone."


class FormClosed(Problem):
    status, code = 409, "form-closed"
    zh = "这个调查表已经停止接收。请联系监督员。"
    en = "This form no longer takes records. Ask your supervisor."


class OtherContent(Problem):
    status, code = 409, "other-content"
    zh = "服务器已有同一编号、内容不同的记录。请联系监督员。"
    en = "The server already has a record with this id and other content. Ask your supervisor."


class EditConflict(Problem):
    status, code = 409, "edit-conflict"
    zh = "您修改的记录在服务器上已有更新，或尚未收到原记录。请联系监督员。"
    en = "The record you edited has a newer version, or its original has not come. Ask your supervisor."


class EncryptedRefused(Problem):
    status, code = 409, "encrypted"
    zh = "服务器不能打开加密的记录。请在调查表中关闭加密。"
    en = "The server cannot open encrypted records. Switch encryption off in the form."


class FormRefused(Problem):
    status, code = 422, "form-invalid"
    zh = "调查表有错，没有发布：\n{detail}"
    en = "The form has faults and was not published:\n{detail}"


class DraftGone(Problem):
    status, code = 404, "draft-gone"
    zh = "这个测试二维码已失效：草稿已发布、被替换或删除。请扫描新的二维码。"
    en = "This test code no longer works: the draft was published, replaced or deleted. Scan the new code."


class NotOutbox(Problem):
    status, code = 422, "not-outbox"
    zh = "这不是待发箱文件，什么也没有导入。请在手机上重新导出待发箱（.zip），再选择那个文件。"
    en = (
        "This is no outbox file and nothing was brought in. "
        "Export the outbox on the phone again (.zip) and choose that file."
    )


class OutboxNewer(Problem):
    status, code = 422, "outbox-newer"
    zh = "这个待发箱文件来自更新的程序，什么也没有导入。请先升级服务器，文件请保留。"
    en = "This outbox file is of a newer program and nothing was brought in. Keep it and upgrade the server first."


class StoreBusy(Problem):
    status, code = 503, "store-busy"
    zh = "服务器正忙，数据未被确认，请稍后再发一次。"
    en = "The server is busy and has confirmed nothing. Please send again in a moment."


class DiskFull(Problem):
    status, code = 507, "disk-full"
    zh = "服务器磁盘已满，数据未被确认，请保留手机上的数据并通知管理员。"
    en = "The server's disk is full and nothing was confirmed. Keep the data on the phone and tell the administrator."


class ReasonMissing(InvalidInput):
    code = "reason-missing"
    zh = "请写明原因：以后查看的人要知道为什么这样决定。"
    en = "Please give a reason: whoever looks later wants to know why it was decided so."


class ValueUnfit(InvalidInput):
    code = "value-unfit"
    zh = "“{value}”不能作为这一项的值。请检查后重新填写。"
    en = "“{value}” cannot stand in this cell. Please check it and write it again."


class NothingChanged(InvalidInput):
    code = "nothing-changed"
    zh = "新值与现有的值相同，没有需要更正的。如果这个值是对的，请点“认可”。"
    en = "The new value is the one that stands there. If it is right, accept it instead."


class AlreadyDecided(Problem):
    status, code = 409, "already-decided"
    zh = "这里已经有人处理过了。请刷新页面查看最新的决定。"
    en = "Somebody has decided on this already. Please reload the page and look at the decision."


class OpenErrors(Problem):
    status, code = 409, "open-errors"
    zh = "这次调查还有 {count} 个错误没有处理。请先认可、更正或返工，再通过。"
    en = "{count} errors of this visit are still open. Accept, correct or send them back before you approve."


class ReworkOpen(Problem):
    status, code = 409, "rework-open"
    zh = "这次调查还有样木在返工。请等调查队返回，或先取消返工，再作决定。"
    en = "Trees of this visit are still being measured again. Wait for the crew, or cancel the rework first."


class AlreadySentBack(Problem):
    status, code = 409, "already-sent-back"
    zh = "样木 {tags} 已经在返工中，不能重复返工。请等调查队返回，或先取消原来的返工。"
    en = "Tree {tags} is being measured again already. Wait for the crew, or cancel that rework first."


class NothingToSendBack(InvalidInput):
    code = "nothing-to-send-back"
    zh = "请至少选择一株要返工的样木。"
    en = "Please choose at least one tree to be measured again."


class DayUnfit(InvalidInput):
    code = "day-unfit"
    zh = "“{day}”不是日期。请按 2026-06-30 的格式填写，或留空。"
    en = "“{day}” is no day. Write it like 2026-06-30, or leave it blank."


class ReworkClosed(Problem):
    status, code = 409, "rework-closed"
    zh = "这次返工已经结束，不能再取消。请刷新页面查看结果。"
    en = (
        "This rework has ended and can no longer be cancelled. Please reload the page and look at its result."
    )


class ConflictChanged(Problem):
    status, code = 409, "conflict-changed"
    zh = "您查看期间又有新的记录到达，内容已经变化。请刷新页面，看过新的内容再决定。"
    en = "Something new has come while you were looking. Please reload the page, look again, then decide."


class CrewMustEdit(InvalidInput):
    code = "crew-must-edit"
    zh = "这一项不能在这里改成另一份的内容。请保留现有内容，并请调查队在最新的记录上再修订一次。"
    en = "This cannot be changed from here. Keep what stands and ask the crew to edit the newest record once more."


class NothingChosen(InvalidInput):
    code = "nothing-chosen"
    zh = "请至少为一项选择保留哪个值。"
    en = "Please choose for at least one row which value shall stand."


class ThresholdUnfit(InvalidInput):
    code = "threshold-unfit"
    zh = "{name} 不能是 {value}：应在 {least} 到 {most} {unit} 之间。请改写后再试。"
    en = "{name} cannot be {value}: it must lie between {least} and {most} {unit}. Please write another number."


class ThresholdUnchanged(InvalidInput):
    code = "threshold-unchanged"
    zh = "{name} 现在就是这个值，没有改动。"
    en = "{name} has that value already; nothing was changed."


class NothingToDraw(InvalidInput):
    code = "nothing-to-draw"
    zh = "没有可抽的样地：要么还没有测过，要么已经抽够了。请先收样地，或提高比例。"
    en = "There is no plot to draw: none was measured yet, or enough were drawn. Wait for plots, or raise the share."
