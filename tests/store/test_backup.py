"""A backup brings back every row and every photo, says so beforehand, and never writes over anything."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import insert, select, update

from server.__main__ import main
from server.settings import Settings
from server.store.blobs import Blobs
from server.store.db import Database
from server.store.schema import attachment, crew, house, metadata, project, submission, township, upload
from tests.cast import Cast
from tests.conftest import NOW
from tests.live import environment
from tests.postgres import Cluster

PHOTO = b"\xff\xd8\xff a tape around a larch \x00" * 4000


def rows(database: Database) -> dict[str, list[Any]]:
    with database.reading() as connection:
        return {
            table.name: [
                tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns))
            ]
            for table in metadata.sorted_tables
            if table is not house  # a restored store is another one
        }


def yangdi(settings: Settings, *arguments: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in arguments], env=environment(settings))


@pytest.fixture
def blobs(settings: Settings) -> Blobs:
    return Blobs(settings.photo_dir)


@pytest.fixture
def photo_sha256(database: Database, blobs: Blobs, cast: Cast) -> str:
    """One submission with one photo, superseded by an edit: a row that names a later row of its own table."""
    part = blobs.incoming()
    part.write(PHOTO)
    sha256 = blobs.keep(part)
    part.close()
    with database.writing() as connection:
        first, second = (
            connection.scalar(
                insert(submission).values(
                    project_id=cast.project, form_id="plot_visit", version="1", instance_id=f"uuid:{number}",
                    xml=b"x\x9c", xml_sha256=bytes(32), received_at=NOW,
                ).returning(submission.c.id)
            )
            for number in (1, 2)
        )  # fmt: skip
        connection.execute(update(submission).where(submission.c.id == first).values(superseded_by_id=second))
        connection.execute(
            insert(attachment).values(submission_id=first, name="tape.jpg", is_expected=True, sha256=sha256)
        )
    return sha256


@pytest.fixture
def place(settings: Settings, photo_sha256: str, tmp_path: Path) -> Path:
    """A backup of it all."""
    done = yangdi(settings, "backup", tmp_path / "backups")
    assert done.exit_code == 0, done.output
    (made,) = (tmp_path / "backups").glob("*Z")
    return made


@pytest.fixture
def elsewhere(tmp_path: Path, empty_database_url: str, engine: str) -> Settings:
    """An empty installation on the same engine."""
    url = "" if engine == "sqlite" else empty_database_url
    return Settings(data_dir=tmp_path / "elsewhere", database_url=url)


def test_every_row_and_every_photo_comes_back(
    place: Path, elsewhere: Settings, database: Database, photo_sha256: str
) -> None:
    done = yangdi(elsewhere, "restore", place)
    assert done.exit_code == 0, done.output
    restored = Database(elsewhere.url)
    assert rows(restored) == rows(database)
    assert Blobs(elsewhere.photo_dir).path(photo_sha256).read_bytes() == PHOTO
    restored.close()


def test_a_photo_that_waits_for_its_instance_comes_back_too(
    database: Database, settings: Settings, blobs: Blobs, cast: Cast, tmp_path: Path, elsewhere: Settings
) -> None:
    with blobs.incoming() as part:
        part.write(PHOTO[::-1])
        sha256 = blobs.keep(part)
    with database.writing() as connection:
        connection.execute(
            insert(upload).values(
                id="early", project_id=cast.project, device_id=cast.device_one, form_id="plot_visit",
                instance_id="uuid:later", name="tape.jpg", sha256=sha256, size_bytes=len(PHOTO), created_at=NOW,
                expires_at=NOW, completed_at=NOW,
            )
        )  # fmt: skip
    yangdi(settings, "backup", tmp_path / "backups")
    (made,) = (tmp_path / "backups").glob("*Z")
    assert yangdi(elsewhere, "restore", made).exit_code == 0
    assert Blobs(elsewhere.photo_dir).path(sha256).read_bytes() == PHOTO[::-1]


def test_a_restored_store_takes_new_rows(place: Path, elsewhere: Settings) -> None:
    yangdi(elsewhere, "restore", place)
    restored = Database(elsewhere.url)
    with restored.writing() as connection:
        connection.execute(insert(project).values(name="后来的项目", created_at=NOW))
    restored.close()


def test_a_backup_is_never_restored_over_rows(place: Path, settings: Settings, database: Database) -> None:
    before = rows(database)
    done = yangdi(settings, "restore", place)
    assert done.exit_code == 1
    assert "not empty" in done.output
    assert rows(database) == before


def test_a_backup_is_never_restored_over_photos(place: Path, elsewhere: Settings) -> None:
    elsewhere.photo_dir.mkdir(parents=True)
    (elsewhere.photo_dir / "mine.jpg").write_bytes(b"mine")
    assert "not empty" in yangdi(elsewhere, "restore", place).output


@pytest.mark.parametrize("damage", ["store", "photo", "listing"])
def test_a_damaged_backup_changes_nothing(
    place: Path, elsewhere: Settings, photo_sha256: str, damage: str
) -> None:
    files = {
        "store": next(place.glob("store.*")),
        "photo": place.parent / "photos" / photo_sha256[:2] / photo_sha256,
        "listing": place / "photos.sha256",
    }
    content = bytearray(files[damage].read_bytes())
    content[len(content) // 2] ^= 1
    files[damage].unlink()  # apart from the live photo, which is another name of the same bytes
    files[damage].write_bytes(content)
    done = yangdi(elsewhere, "restore", place)
    assert done.exit_code == 1
    assert "damaged" in done.output
    assert not elsewhere.photo_dir.exists()
    assert yangdi(elsewhere, "migrate", "--check").exit_code == 1


def test_a_backup_can_be_checked_without_changing_anything(place: Path, elsewhere: Settings) -> None:
    assert "is whole" in yangdi(elsewhere, "restore", "--check", place).output
    assert not elsewhere.photo_dir.exists()


@pytest.mark.parametrize("engine", ["sqlite"])
def test_anybody_can_check_the_photos_with_sha256sum(place: Path) -> None:
    checked = subprocess.run(
        ["sha256sum", "--check", "photos.sha256"], cwd=place, capture_output=True, check=True
    )
    assert checked.stdout.strip().endswith(b": OK")


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_second_backup_does_not_take_the_photos_again(
    place: Path, settings: Settings, blobs: Blobs, photo_sha256: str
) -> None:
    in_pool = place.parent / "photos" / photo_sha256[:2] / photo_sha256
    in_pool.unlink()
    in_pool.write_bytes(PHOTO)
    inode = in_pool.stat().st_ino
    (place / "manifest.json").rename(place / "moved")
    place.rename(place.with_name("20260101T000000Z"))
    assert yangdi(settings, "backup", place.parent).exit_code == 0
    assert in_pool.stat().st_ino == inode


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_missing_photo_is_told_and_all_else_is_saved(
    settings: Settings, blobs: Blobs, photo_sha256: str, tmp_path: Path
) -> None:
    blobs.path(photo_sha256).unlink()
    done = yangdi(settings, "backup", tmp_path / "backups")
    assert done.exit_code == 1
    assert photo_sha256 in done.output
    (made,) = (tmp_path / "backups").glob("*Z")
    assert yangdi(settings, "restore", "--check", made).exit_code == 0


@pytest.mark.parametrize("engine", ["sqlite"])
def test_an_installation_grows_from_sqlite_to_postgresql(
    place: Path, database: Database, cast: Cast, cluster: Cluster, tmp_path: Path, photo_sha256: str
) -> None:
    cluster.create("grown", "template0")
    grown = Settings(data_dir=tmp_path / "grown", database_url=cluster.url("grown"))
    done = yangdi(grown, "restore", place)
    assert done.exit_code == 0, done.output
    new = Database(grown.url)
    assert rows(new) == rows(database)
    with new.writing() as connection:
        # no boundary is no boundary, not the JSON word null; and ids go on after those that came
        assert connection.scalar(select(township.c.id).where(township.c.boundary.is_(None))) == cast.township
        again = connection.scalar(
            insert(crew).values(project_id=cast.project, name="三队").returning(crew.c.id)
        )
        assert again == cast.crew_two + 1
    new.close()


@pytest.mark.parametrize("engine", ["postgresql"])
def test_a_backup_of_postgresql_is_not_forced_into_sqlite(place: Path, tmp_path: Path) -> None:
    done = yangdi(Settings(data_dir=tmp_path / "small"), "restore", place)
    assert "only be restored into PostgreSQL" in done.output
