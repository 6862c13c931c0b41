"""`yangdi check` on tables as people have them."""

from __future__ import annotations

import csv
import io

import pytest
from click.testing import CliRunner

from server.cli.check import check
from server.forest.position import Point
from server.validation.datum import GCJ02, shifted

HEAD = "plot_id,tag,stem_id,species,status,dbh_cm,height_m,date,census,x,y\n"
TWO_CENSUSES = HEAD + (
    "A,1,1,油松,alive,15.0,,2019-07-01,1,,\n"
    "A,2,1,油松,alive,20.0,,2019-07-01,1,,\n"
    "A,1,1,油松,alive,163.0,,2024-07-01,2,,\n"
    "A,2,1,油松,dead,,,2024-07-01,2,,\n"
)


def run(tmp_path, text: str | bytes, *options: str, name: str = "now.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return CliRunner().invoke(check, ["--csv", str(path), *options])


def rows(result) -> list[dict[str, str]]:
    assert result.exit_code == 0, result.output
    return list(csv.DictReader(io.StringIO(result.stdout)))


def test_a_table_with_two_censuses_is_checked_against_itself(tmp_path):
    (row,) = rows(run(tmp_path, TWO_CENSUSES))
    assert (row["plot_id"], row["tag"], row["census"], row["rule"], row["severity"]) == (
        "A",
        "1",
        "2",
        "T05",
        "error",
    )
    assert (row["value"], row["suggestion"]) == ("163.0", "16.3")
    assert "样木 1 胸径 163.0 cm" in row["message"]


def test_an_older_census_may_be_chosen(tmp_path):
    assert rows(run(tmp_path, TWO_CENSUSES, "--census", "1")) == []


def test_a_census_that_is_not_there_is_named(tmp_path):
    result = run(tmp_path, TWO_CENSUSES, "--census", "9")
    assert result.exit_code == 1
    assert "no census 9; there are 1, 2" in result.output


def test_the_previous_census_may_be_a_file_of_its_own(tmp_path):
    (tmp_path / "before.csv").write_text(HEAD + "A,1,1,油松,alive,15.0,,2019-07-01,1,,\n", "utf-8")
    now = HEAD + "A,1,1,油松,alive,12.0,,2024-07-01,2,,\n"
    (row,) = rows(run(tmp_path, now, "--previous", str(tmp_path / "before.csv")))
    assert row["rule"] == "X01"


def test_a_table_saved_by_chinese_excel_is_read(tmp_path):
    text = "样地号\t样木号\t树种\t检尺类型\t胸径（cm）\t调查日期\nA\t1\t油松\t11\t4.2\t2024/7/1\n"
    (row,) = rows(run(tmp_path, text.encode("gb18030")))
    assert (row["rule"], row["tag"]) == ("T02", "1")


def test_a_byte_order_mark_is_no_part_of_the_heading(tmp_path):
    (row,) = rows(run(tmp_path, ("\ufeff" + HEAD + "A,1,,油松,alive,,,,,,\n").encode()))
    assert row["rule"] == "T01"


def test_unicode_text_of_excel_is_read(tmp_path):
    text = "plot_id\ttag\tdbh_cm\nA\t1\t250\n"
    (row,) = (r for r in rows(run(tmp_path, text.encode("utf-16"))) if r["rule"] != "T11")
    assert row["rule"] == "T03"


def test_a_value_that_is_no_number_is_refused_with_its_place(tmp_path):
    result = run(tmp_path, HEAD + "A,1,1,油松,alive,15.0,,,1,,\nA,2,1,油松,alive,fifteen,,,1,,\n")
    assert result.exit_code == 1
    assert "now.csv, row 3, column dbh_cm: 'fifteen' is not a number" in result.output


def test_a_date_and_a_status_that_cannot_be_read_are_refused_with_their_place(tmp_path):
    for line, column in (
        ("A,1,1,油松,alive,15.0,,someday,1,,", "date"),
        ("A,1,1,油松,sleeping,15.0,,,1,,", "status"),
    ):
        result = run(tmp_path, HEAD + line + "\n")
        assert result.exit_code == 1
        assert f"row 2, column {column}" in result.output


def test_a_missing_column_is_named(tmp_path):
    result = run(tmp_path, "plot_id,tag\nA,1\n")
    assert result.exit_code == 1
    assert "no column dbh_cm" in result.output


def test_an_empty_file_is_refused(tmp_path):
    assert "empty" in run(tmp_path, "").output
    assert "no rows" in run(tmp_path, HEAD).output


def test_blank_diameters_matter_only_for_the_living(tmp_path):
    lines = "".join(
        f"A,{i},1,油松,{status},,,,1,,\n" for i, status in enumerate(("alive", "dead", "missing", "NA", ""))
    )
    flagged = rows(run(tmp_path, HEAD + lines))
    assert [(row["tag"], row["rule"]) for row in flagged] == [("0", "T01")]


def test_the_field_crews_verified_code_counts(tmp_path):
    text = (
        "plot_id,tag,species,status,dbh_cm,date,census,codes\n"
        "A,1,油松,alive,20.0,2019-07-01,1,\nA,1,油松,alive,9.8,2024-07-01,2,B;DV\n"
    )
    (row,) = rows(run(tmp_path, text))
    assert (row["rule"], row["severity"]) == ("X01", "warn")


def test_settings_change_thresholds_and_a_wrong_one_is_refused(tmp_path):
    text = HEAD + "A,1,1,油松,alive,1.2,,,1,,\n"
    assert rows(run(tmp_path, text, "--set", "T02.min_cm=1.0")) == []
    result = run(tmp_path, text, "--set", "T02.least=1.0")
    assert result.exit_code == 1
    assert "T02.least: no such parameter" in result.output


def test_a_species_list_makes_unknown_codes_errors(tmp_path):
    (tmp_path / "species.csv").write_text("sp,Latin,Species\npita,Pinus tabuliformis,tabuliformis\n", "utf-8")
    text = HEAD + "A,1,1,pita,alive,15.0,,,1,,\nA,2,1,pito,alive,15.0,,,1,,\n"
    (row,) = rows(run(tmp_path, text, "--species", str(tmp_path / "species.csv")))
    assert (row["tag"], row["rule"]) == ("2", "T11")


def test_cut_trees_are_only_judged_where_the_table_tells_of_thinnings(tmp_path):
    lines = "plot_id,tag,species,status,dbh_cm,census,thinned\nA,1,油松,cut,15.0,1,{}\n"
    assert [row["rule"] for row in rows(run(tmp_path, lines.format("no")))] == ["X16"]
    assert rows(run(tmp_path, lines.format("yes"))) == []
    assert rows(run(tmp_path, lines.replace(",thinned", "").replace(",{}", ""))) == []


def test_each_plot_of_a_rolling_inventory_is_checked_at_its_newest_visit(tmp_path):
    text = HEAD + (
        "A,1,1,油松,alive,20.0,,2018-07-01,2018,,\nB,1,1,油松,alive,20.0,,2019-07-01,2019,,\n"
        "A,1,1,油松,alive,10.0,,2023-07-01,2023,,\nB,1,1,油松,alive,10.0,,2024-07-01,2024,,\n"
    )
    assert [row["plot_id"] for row in rows(run(tmp_path, text))] == ["B"]
    assert [row["plot_id"] for row in rows(run(tmp_path, text, "--each-plot"))] == ["A", "B"]


def test_excel_gets_its_byte_order_mark_and_people_a_summary(tmp_path):
    out = tmp_path / "flags.csv"
    result = run(tmp_path, TWO_CENSUSES, "--out", str(out), "--excel", "--lang", "en")
    assert out.read_bytes().startswith(b"\xef\xbb\xbf")
    assert "1 plots, 2 records, 1 flags" in result.stderr
    assert result.stdout == ""


def test_the_most_suspicious_flag_of_all_plots_comes_first(tmp_path):
    text = HEAD + "A,1,1,油松,alive,4.0,,,1,,\nB,1,1,油松,alive,,,,1,,\n"
    assert [row["rule"] for row in rows(run(tmp_path, text))] == ["T01", "T02"]


def test_accepted_data_of_a_file_say_how_large_a_species_grows(tmp_path):
    older = HEAD + "".join(f"B,{i},1,油松,alive,{20 + i},,2014-07-01,0,,\n" for i in range(21))
    (tmp_path / "older.csv").write_text(older, "utf-8")
    # 1.15 * 40 + 3 = 49
    text = HEAD + "A,1,1,油松,alive,49.1,,2024-07-01,2,,\nA,2,1,油松,alive,48.9,,2024-07-01,2,,\n"
    (row,) = rows(run(tmp_path, text, "--reference", str(tmp_path / "older.csv")))
    assert (row["tag"], row["rule"], row["expected_high"]) == ("1", "T04", "49.0")


def test_the_genus_of_a_listed_species_sets_its_growth_cap(tmp_path):
    (tmp_path / "species.csv").write_text(
        "code,latin\n油松,Pinus tabuliformis\n杨,Populus davidiana\n", "utf-8"
    )
    text = HEAD + "".join(
        f"A,{tag},1,{name},alive,{dbh},,{day},{day[:4]},,\n"
        for tag, name in (("1", "油松"), ("2", "杨"))
        for dbh, day in ((20.0, "2019-07-01"), (35.3, "2024-07-01"))
    )
    found = rows(run(tmp_path, text, "--species", str(tmp_path / "species.csv")))
    assert [(row["tag"], row["rule"]) for row in found if row["severity"] == "error"] == [("1", "X04")]


def test_the_size_of_the_plots_may_be_given(tmp_path):
    text = HEAD + "A,1,1,油松,alive,15.0,,,1,24.0,3.0\n"
    assert [row["rule"] for row in rows(run(tmp_path, text, "--side-m", "20"))] == ["T14"]
    assert [row["rule"] for row in rows(run(tmp_path, text, "--radius-m", "25"))] == []


def test_a_row_tells_its_story(tmp_path):
    text = HEAD + "".join(
        f"A,{tag},1,油松,alive,{dbh},,{day},{day[:4]},,\n"
        for day, dbhs in (("2019-07-01", (15.0, 20.0)), ("2024-07-01", (163.0, 21.5)))
        for tag, dbh in zip("12", dbhs, strict=True)
    )
    told = run(tmp_path, text, "--explain", "4").stdout  # the heading is row 1
    assert "样木 1，油松" in told
    assert "小数点错位 → 16.3 cm" in told
    assert "T05 error" in told
    quiet = run(tmp_path, text, "--explain", "5", "--lang", "en").stdout
    assert "the value is right" in quiet
    assert "Rules that spoke" not in quiet
    assert run(tmp_path, text, "--explain", "9").exit_code == 1


def test_flags_may_come_by_the_carbon_at_stake(tmp_path):
    text = HEAD + (
        "A,1,1,油松,alive,15.0,,2019-07-01,1,,\nA,2,1,油松,alive,60.0,,2019-07-01,1,,\n"
        "A,1,1,油松,alive,1.6,,2024-07-01,2,,\nA,2,1,油松,alive,72.0,,2024-07-01,2,,\n"
    )
    by_score, by_stake = (
        [row["tag"] for row in rows(run(tmp_path, text, "--queue", queue)) if row["rule"] != "T02"]
        for queue in ("score", "priority")
    )
    assert by_score == ["1", "2"]
    assert by_stake == ["2", "1"]


def test_a_reference_that_holds_the_checked_census_itself_does_not_judge_it(tmp_path):
    text = HEAD + "".join(
        f"A,{tag},1,油松,alive,{dbh},,{day},{day[:4]},,\n"
        for day, more in (("2014-07-01", 0.0), ("2019-07-01", 1.0), ("2024-07-01", 9.0))
        for tag in range(1, 46)
        for dbh in [round(10 + tag / 2 + more + 0.1 * (tag % 3), 1)]
    )
    (tmp_path / "all.csv").write_text(text, "utf-8")
    alone = run(tmp_path, text)
    beside_itself = run(tmp_path, text, "--reference", str(tmp_path / "all.csv"))
    assert rows(beside_itself) == rows(alone) != []


OAKS = [(tag, 10 + 0.7 * tag) for tag in range(1, 13)]


def oaks(heading: str, line: str, **odd: float) -> str:
    """A plot of twelve oaks as a table; `odd` gives a tree another diameter ("t3")."""
    lines = (
        line.format(tag=tag, cm=odd.get(f"t{tag}", cm), mm=10 * odd.get(f"t{tag}", cm)) for tag, cm in OAKS
    )
    return heading + "\n" + "".join(one + "\n" for one in lines)


def test_a_flag_names_the_row_it_is_about(tmp_path):
    text = HEAD + "A,1,1,油松,alive,15.0,,,1,,\n\nB,7,1,油松,alive,15.0,,,1,,\nB,7,1,油松,alive,300,,,1,,\n"
    found = rows(run(tmp_path, text))
    assert {(row["row"], row["rule"]) for row in found} == {("5", "T03"), ("5", "T09")}


@pytest.mark.parametrize("days", [("", ""), (",2024-07-01", ""), ("", ",2019-07-01")])
def test_the_previous_census_needs_neither_a_day_nor_a_name(tmp_path, days):
    headings = ["plot_id,tag,species,dbh_cm" + (",date" if day else "") for day in days]
    (tmp_path / "before.csv").write_text(oaks(headings[1], "A,{tag},oak,{cm:.1f}" + days[1]), "utf-8")
    now = oaks(headings[0], "A,{tag},oak,{cm:.1f}" + days[0], t3=121.0)
    found = rows(run(tmp_path, now, "--previous", str(tmp_path / "before.csv")))
    assert [(row["tag"], row["rule"]) for row in found if row["severity"] == "error"] == [("3", "T05")]


def test_a_previous_census_of_other_plots_or_a_later_one_is_refused(tmp_path):
    line = "plot_id,tag,dbh_cm,date\n{},1,15.0,{}-07-01\n"
    (tmp_path / "other.csv").write_text(line.format("B", 2019), "utf-8")
    (tmp_path / "later.csv").write_text(line.format("A", 2029), "utf-8")
    for name, said in (("other.csv", "none of its plots"), ("later.csv", "nothing in it is older")):
        result = run(tmp_path, line.format("A", 2024), "--previous", str(tmp_path / name))
        assert result.exit_code == 1
        assert said in result.output


@pytest.mark.parametrize(
    ("heading", "line"),
    [
        ("plot_id,tag,species,dbh_mm", "A,{tag},oak,{mm:.0f}"),
        ("Plot ID,Tree Tag,Species,DBH (mm)", "A,{tag},oak,{mm:.0f}"),
        ("样地号,样木号,树种,胸径（毫米）", "A,{tag},oak,{mm:.0f}"),
        ("quadrat,treeID,tag,StemTag,sp,dbh_mm,status", "A,9{tag},{tag},1,oak,{mm:.0f},A"),
        ("plot;tag;sp;DBH", "A;{tag};oak;{cm:.1f}"),
    ],
)
def test_columns_may_be_called_and_measured_as_elsewhere(tmp_path, heading, line):
    text = oaks(heading, line, t3=121.0)
    if ";" in line:
        text = text.replace(".", ",")
    (row,) = rows(run(tmp_path, text, "--lang", "en"))
    assert (row["tag"], row["rule"], row["suggestion"]) == ("3", "T05", "12.1")


def test_millimetres_under_a_heading_without_a_unit_are_refused(tmp_path):
    result = run(tmp_path, oaks("plot_id,tag,dbh", "A,{tag},{mm:.0f}"))
    assert result.exit_code == 1
    assert "call the column dbh_mm if they are millimetres" in result.output


@pytest.mark.parametrize("column", ["year", "census", "date"])
def test_visits_are_told_apart_by_whatever_says_when(tmp_path, column):
    lines = "".join(f"A,{tag},oak,{cm:.1f},2019\nA,{tag},oak,{cm + 1:.1f},2024\n" for tag, cm in OAKS)
    text = f"plot_id,tag,species,dbh_cm,{column}\n" + lines.replace("13.1,2024", "121,2024")
    (row,) = (row for row in rows(run(tmp_path, text)) if row["severity"] == "error")
    assert (row["tag"], row["rule"]) == ("3", "T05")


@pytest.mark.parametrize(
    "day",
    ["7/13/2024", "13/7/2024", "13.07.2024", "2024年7月13日", "2024-07", "13-Jul-2024", "45486", "2024.0"],
)
def test_days_may_be_written_as_elsewhere(tmp_path, day):
    text = oaks("plot_id,tag,species,dbh_cm,date,census", "A,{tag},oak,{cm:.1f},2019-07-01,1").strip()
    later = "\n".join(f"A,{tag},oak,{cm + 6:.1f},{day},2" for tag, cm in OAKS)
    said = rows(run(tmp_path, f"{text}\n{later}\n"))
    # 1.2 cm a year in five years; in one it would be odd
    assert {row["severity"] for row in said} <= {"info"}


def test_a_day_that_may_be_two_is_read_as_the_rest_of_its_column(tmp_path):
    text = "plot_id,tag,dbh_cm,date\nA,1,15,3/4/2024\n"
    assert "a date like 2024-06-01" in run(tmp_path, text).output
    assert run(tmp_path, text + "A,2,15,13/4/2024\n").exit_code == 0


def test_a_quotation_mark_that_is_never_closed_swallows_nothing(tmp_path):
    result = run(tmp_path, "plot_id,tag,dbh_cm,note\n" + 'A,1,15,"5 cm nail\n' + "A,2,15,\n" * 100)
    assert result.exit_code == 1
    assert "line 2 of the text: a quotation mark" in result.output


def test_a_table_without_plots_is_one_plot_where_no_tag_comes_twice(tmp_path):
    text = "tag,species,dbh_cm\n1,oak,15\n2,oak,300\n"
    (row,) = rows(run(tmp_path, text))
    assert (row["row"], row["rule"]) == ("3", "T03")
    result = run(tmp_path, text + "2,oak,16\n")
    assert result.exit_code == 1
    assert "no column plot_id" in result.output


def test_a_workbook_is_no_table(tmp_path):
    result = run(tmp_path, b"PK\x03\x04" + bytes(100))
    assert result.exit_code == 1
    assert "save the sheet as CSV UTF-8" in result.output


def test_plots_of_a_reference_alone_are_not_checked(tmp_path):
    (tmp_path / "older.csv").write_text(HEAD + "B,1,1,油松,alive,300,,2014-07-01,0,,\n", "utf-8")
    text = HEAD + "A,1,1,油松,alive,15.0,,2024-07-01,2,,\n"
    assert rows(run(tmp_path, text, "--each-plot", "--reference", str(tmp_path / "older.csv"))) == []


def test_a_crew_that_rounds_and_one_that_hurries_are_named(tmp_path):
    lines = []
    for number in range(400):
        crew, second = "甲乙"[number % 2], number * (3 if number % 2 else 97)
        cm = 10 + (5 * (number % 13) if number % 2 == 0 else 3 * number % 77 + 1) / 10
        at = f"2024-07-0{1 + number % 2} {8 + second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
        lines.append(f"{crew}1,{number},油松,{cm:.1f},{crew},{at}\n")
    text = "plot_id,tag,species,dbh_cm,crew,entered_at\n" + "".join(lines)
    found = [row for row in rows(run(tmp_path, text)) if row["crew"]]
    assert {(row["crew"], row["rule"], row["plot_id"]) for row in found} == {
        ("甲", "C01", ""),
        ("乙", "C02", ""),
    }


def test_plots_away_from_their_plan_are_told_and_a_shifted_datum_is_known(tmp_path):
    design = Point(36.2, 113.4)
    fixes = {"A": design, "B": shifted(design, GCJ02), "C": Point(36.21, 113.4)}
    plan = "".join(f"{name},36.2,113.4,{fix.lat:.6f},{fix.lon:.6f},5\n" for name, fix in fixes.items())
    (tmp_path / "plots.csv").write_text("plot_id,lat,lon,fix_lat,fix_lon,accuracy_m\n" + plan, "utf-8")
    trees = "plot_id,tag,species,dbh_cm\n" + "".join(f"{name},1,油松,15.3\n" for name in fixes)
    found = rows(run(tmp_path, trees, "--plots", str(tmp_path / "plots.csv")))
    assert {(row["plot_id"], row["rule"]) for row in found if row["severity"] == "error"} == {
        ("B", "P02"),
        ("C", "P01"),
    }


def test_photos_from_elsewhere_from_another_hour_and_used_before_are_told(tmp_path):
    (tmp_path / "plots.csv").write_text(
        "plot_id,fix_lat,fix_lon,started_at,ended_at\n"
        "A,36.2,113.4,2024-07-01 08:00:00,2024-07-01 09:00:00\nB,36.3,113.4,2024-07-01 11:00:00,2024-07-01 12:00:00\n"
    )
    (tmp_path / "photos.csv").write_text(
        "plot_id,photo,taken_at,lat,lon,sha256\n"
        "A,1.jpg,2024:07:01 08:30:00,36.2,113.4,aa\nA,2.jpg,2024-07-01 10:00:00,36.2,113.4,bb\n"
        "A,3.jpg,2024-07-01 08:40:00,36.202,113.4,cc\nB,4.jpg,2024-07-01 11:40:00,36.3,113.4,aa\n"
    )
    trees = "plot_id,tag,species,dbh_cm\nA,1,油松,15.3\nB,1,油松,15.3\n"
    found = rows(
        run(tmp_path, trees, "--plots", str(tmp_path / "plots.csv"), "--photos", str(tmp_path / "photos.csv"))
    )
    told = {(row["value"], row["rule"]) for row in found if row["value"].endswith(".jpg")}
    assert told == {("2.jpg", "F02"), ("3.jpg", "F01"), ("4.jpg", "F03")}


@pytest.mark.parametrize(
    ("option", "text", "said"),
    [
        ("--plots", "plot_id,lat,lon\nA,36.2,113.4\n", "no column fix_lat, fix_lon"),
        ("--plots", "plot_id,fix_lat,fix_lon\nA,113.4,36.2\n", "row 2, column fix_lat"),
        ("--plots", "plot_id,fix_lat,fix_lon\nA,1,2\nA,1,2\n", "row 3, column plot_id"),
        ("--photos", "plot_id,photo,taken_at\nA,1.jpg,yesterday\n", "row 2, column taken_at"),
    ],
)
def test_tables_of_plots_and_photos_that_cannot_be_read_are_refused_with_their_place(
    tmp_path, option, text, said
):
    (tmp_path / "other.csv").write_text(text, "utf-8")
    result = run(tmp_path, "plot_id,tag,dbh_cm\nA,1,15\n", option, str(tmp_path / "other.csv"))
    assert result.exit_code == 1
    assert said in result.output
