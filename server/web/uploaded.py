"""Files in forms are put on the data disk while they arrive: neither into memory nor into a /tmp that is memory."""

from __future__ import annotations

import tempfile
from typing import IO

from flask import Request

from server.web import connection


class UploadRequest(Request):
    """A request whose uploaded files lie in the data folder, without a name: they vanish with the request."""

    def _get_file_stream(
        self,
        total_content_length: int | None,  # noqa: ARG002  # werkzeug's signature
        content_type: str | None,  # noqa: ARG002
        filename: str | None = None,  # noqa: ARG002
        content_length: int | None = None,  # noqa: ARG002
    ) -> IO[bytes]:
        folder = connection.settings().data_dir
        return tempfile.TemporaryFile("w+b", dir=folder)
