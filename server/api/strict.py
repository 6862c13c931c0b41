"""How a project that wants strict intake refuses what it cannot count, at every door where instances come in."""

from __future__ import annotations

from server import problems
from server.problems import Problem
from sync.intake import Reason

PROBLEM_OF: dict[Reason, type[Problem]] = {
    Reason.UNKNOWN_FORM: problems.FormUnknown,
    Reason.UNKNOWN_VERSION: problems.VersionUnknown,
    Reason.CLOSED_FORM: problems.FormClosed,
    Reason.OTHER_CONTENT: problems.OtherContent,
    Reason.EDIT_BEFORE_ORIGINAL: problems.EditConflict,
    Reason.EDIT_OF_OLD: problems.EditConflict,
    Reason.ENCRYPTED: problems.EncryptedRefused,
    Reason.REVOKED_DEVICE: problems.DeviceUnknown,
}
