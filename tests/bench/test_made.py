"""What the benchmarks send is true to size, readable, and the same in every run."""

from __future__ import annotations

import io
import math

import pytest
from PIL import Image

from forms.instance import Reader, read
from tests.bench import load, made


def test_a_plot_of_fifty_trees_has_the_size_that_phones_send() -> None:
    xml = made.instance(7)
    assert 8_000 < len(xml) < 9_000  # 8.5 kB: the same plot from ODK Collect
    answers = Reader(made.form().form).answers(read(xml).root)
    assert len(answers.trees) == 50
    assert all(float(tree["dbh_cm"]) >= 5 for tree in answers.trees)


def test_a_number_gives_the_same_plot_again_and_another_number_another() -> None:
    assert made.instance(7) == made.instance(7)
    assert read(made.instance(7)).meta.instance_id != read(made.instance(8)).meta.instance_id


@pytest.mark.parametrize("size_bytes", [300_000, 356_295, 356_296, 356_297, 500_001])
def test_a_picture_has_exactly_the_bytes_asked_for_and_opens(size_bytes: int) -> None:
    picture = made.photo(1, size_bytes)
    assert len(picture) == size_bytes
    assert picture != made.photo(2, size_bytes)
    with Image.open(io.BytesIO(picture)) as opened:
        opened.load()
        assert opened.size == (1024, 768)


def test_a_percentile_is_the_value_that_so_many_do_not_exceed() -> None:
    tenths = [k / 10 for k in range(1, 11)]
    assert [load.percentile(tenths, p) for p in (0, 10, 50, 95, 100)] == [0.1, 0.1, 0.5, 1.0, 1.0]
    assert math.isnan(load.percentile([], 50))
