"""The reader finds the same rows as Python's own csv module, however the file is written, encoded and compressed."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

import pytest
from backports import zstd
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from experiment_features.reading import Rows
from experiment_features.reading.form import Form
from experiment_features.reading.header import name_of
from experiment_features.reading.text import WHITE_SPACE

# Rows may be up to 1 MiB long.
csv.field_size_limit(1 << 20)
COLUMNS = ["compound_id", "compound_name", "compound_structure"]
HEADER = "compound_id,compound_name,compound_structure\n"


@dataclass
class Found:
    """What a reader finds in a file: cells in the order of COLUMNS, by the line of their row, and the rejected lines."""

    rows: dict[int, list[str]] = field(default_factory=dict)
    rejected: list[int] = field(default_factory=list)


def read(folder: Path | str, **options: str) -> Found | None:
    """None for a file that is refused because it is unclear which column each cell belongs to, or where a table ends."""
    rows = Rows(str(folder), "compounds", COLUMNS, **options)
    stream = b"".join(iter(rows.read, b"")).decode()
    if any(text in rows.problem for text in ("so it is unclear which column each belongs to", "is another header", "of another table", "as if R or pandas")):
        return None
    assert not rows.problem, (rows.problem, folder)
    found = Found(rejected=[int(line) for line, _, _ in csv.reader(rows.rejected)])
    for line, cells in enumerate(csv.reader(io.StringIO(stream, newline=""), delimiter=rows.separator), 1):
        if cells[0] != rows.marker:
            found.rows[line] = [cells[rows.columns.index(column)] for column in COLUMNS]
    assert rows.count == len(found.rows) + len(found.rejected)
    return found


def problem(folder: Path | str, **options: str) -> str:
    rows = Rows(str(folder), "compounds", COLUMNS, **options)
    while rows.read():
        pass
    return rows.problem


def named_problem(folder: Path | str) -> str:
    """As the user sees it."""
    return Rows(str(folder), "compounds", COLUMNS).named_problem


def expected(text: str, separator: str) -> Found | None:
    """The same from Python's csv module, which counts the lines that it has read."""
    found, header, line, surplus, in_header = Found(), [], 1, None, False
    text = text.removeprefix("\ufeff")
    lines = re.split(r"\r\n|\n|\r", text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    is_after_blank = is_other_table = False
    for record in reader:
        start, line = line, reader.line_num + 1
        cells = [cell.strip(WHITE_SPACE) for cell in record]
        if not any(cells):
            is_after_blank, is_other_table = True, False
            continue
        is_first, is_after_blank = is_after_blank and bool(header), False
        if not header:
            header = [cell for cell in cells if cell]
            surplus = len(cells) - len(header)
            in_header = bool(surplus)
            separators = {len(cells) - 1, len(header) - 1}
            continue
        width = len(header)
        if not surplus and not found.rows and not found.rejected:
            # If the header has no empty cell after its last column, the first row decides.
            surplus = len(cells) - width if len(cells) > width and not any(cells[width:]) else 0
            if surplus == 1 and cells[0].isdigit() and cells[1].isdigit() and header[1].endswith("name"):
                return None
        if line > start + 1 and {lines[start - 1].count(separator), lines[line - 2].count(separator)} <= separators:
            # A quote left open at the end of a whole row has swallowed other rows.
            found.rejected += range(start, line)
            continue
        if len(cells) == width + surplus and not any(cells[width:]):
            cells = cells[:width]
        names = [cell.lower() for cell in header]
        key = names.index("compound_id")
        if cells != header and cells[key : key + 1] == ["compound_id"] and not cells[0].isdigit():
            return None
        if cells != header:
            if is_other_table and "".join(cells[key : key + 1]).isdigit():
                return None
            filled = [cell for cell in cells if cell]
            is_other_table = is_other_table or (is_first and len(filled) > 1 and not any(cell[0] in "+-.0123456789" for cell in filled))
        if surplus and not in_header and cells != header and (header[-1] == "note" or len(record) == width or len(cells) == width + surplus):
            return None
        if len(cells) != len(header):
            found.rejected.append(start)
        elif cells != header:
            found.rows[start] = [cells[names.index(column)] for column in COLUMNS]
    return found


@st.composite
def files(draw: st.DrawFn) -> tuple[str, str]:
    """The text of a file in which most lines are regular, and its separator."""
    separator = draw(st.sampled_from(",\t;|"))
    end = draw(st.sampled_from(["\n", "\n", "\r\n", "\r"]))
    plain = st.sampled_from(["1", "22", "a b", "é", "", "x'y", "\\N", "\\.", "compound_id", '12" gauge', "日本"])
    odd = st.text(st.sampled_from(list('ab" ,;\t|\n\r\u00a0\ufeff')), max_size=5)
    cells = draw(st.sampled_from([plain, plain, plain | odd]))
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    columns = draw(st.permutations([*COLUMNS, *draw(st.sampled_from([[], [], ["note"]]))]))
    rows = [list(columns)]
    for _ in range(draw(st.integers(0, 8))):
        row = draw(st.lists(cells, min_size=len(columns), max_size=len(columns)))
        kind = draw(st.integers(0, 12))
        rows.append({0: row[:-1], 1: [*row, "x"], 2: [*row, "", ""], 3: [], 4: [""] * len(row), 5: list(columns)}.get(kind, row))
    surplus = draw(st.sampled_from(["", "", separator]))
    text = io.StringIO()
    for row in rows:
        line = io.StringIO()
        csv.writer(line, delimiter=separator, lineterminator="", quoting=quoting).writerow(row)
        edge = draw(st.sampled_from(["", "", "", " ", "\u2003"]))
        shown = line.getvalue()
        # The csv module treats a quote after white space as part of the cell.
        text.write((edge if '"' not in shown else "") + shown + surplus + draw(st.sampled_from([end, end, end, "\n"])))
    return draw(st.sampled_from(["", "", "\ufeff", end])) + text.getvalue(), separator


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reading")


LENIENT = settings(max_examples=600, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))


@LENIENT
@example(file=("compound_id,compound_name,compound_structure\r1,,\r2,x,\r", ","))
@example(file=('compound_id,compound_name,compound_structure\n1,"a\n\nb",x\n2,"""",y\n', ","))
@given(file=files())
def test_same_rows_as_pythons_csv(folder: Path, file: tuple[str, str]) -> None:
    text, separator = file
    (folder / "compounds.csv").write_bytes(text.encode())
    assert read(folder) == expected(text, separator), text


@LENIENT
@given(file=files(), size=st.integers(7, 60))
def test_same_rows_whatever_the_blocks_and_without_the_fast_path(folder: Path, file: tuple[str, str], size: int) -> None:
    (folder / "compounds.csv").write_bytes(file[0].encode())
    whole = read(folder)
    with patch("experiment_features.reading.text.BLOCK_BYTES", size):
        assert read(folder) == whole
    with patch.object(Form, "_plain", lambda form, block: None):
        assert read(folder) == whole
    with patch.object(Form, "_plain", lambda form, block: None), patch.object(Form, "_trimmed", lambda form, lines: None):
        assert read(folder) == whole


@LENIENT
@given(cells=st.lists(st.text('a", \t\n', max_size=4), min_size=3, max_size=3), edge=st.text(" \t\u00a0\ufeff", max_size=2))
def test_white_space_around_quotes_is_nothing(folder: Path, cells: list[str], edge: str) -> None:
    quoted = ['"' + cell.replace('"', '""') + '"' for cell in cells]
    for name, row in (("without", ",".join(quoted)), ("with", ",".join(edge + cell + edge for cell in quoted))):
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "compounds.csv").write_text(HEADER + row + "\n9,z,z\n", newline="")
    assert read(folder / "with") == read(folder / "without")


@pytest.mark.parametrize("cell", ['"5\\" pipe"', '"5\\""', '"say, \\"hi\\""', ' "\\"hi\\", she said"'])
def test_escaped_quotes_reject_their_line_and_no_other(tmp_path: Path, cell: str) -> None:
    (tmp_path / "compounds.csv").write_text(HEADER + f'1,{cell},x\n2,"a",y\n3,"C:\\",z\n')
    assert read(tmp_path) == Found({3: ["2", "a", "y"], 4: ["3", "C:\\", "z"]}, [2])


def test_surplus_in_some_rows_rejects_them(tmp_path: Path) -> None:
    """A separator in a cell and an empty last cell look the same."""
    (tmp_path / "compounds.csv").write_text(HEADER + "1,a,x\n2,2,4-Dinitrophenol,\n3,c,z\n")
    assert read(tmp_path) == Found({2: ["1", "a", "x"], 4: ["3", "c", "z"]}, [3])


@pytest.mark.parametrize(
    "text",
    [
        # A comma in a structure, before an empty note; a surplus cell that is filled in another row.
        "compound_id,compound_name,compound_structure,note\n1,a,10,5,\n2,b,11,5,\n",
        "compound_id,compound_structure,compound_name\n1,x,a,\n2,x,b,c\n",
    ],
)
def test_surplus_that_may_come_from_a_separator_inside_a_cell_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "compounds.csv").write_text(text)
    assert "where the header has" in problem(tmp_path) and "so it is unclear which column each belongs to; name every column" in problem(tmp_path)


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ("1,2,4-Dinitrophenol,\n2,b,y\n", 3),
        ("1,2,4-Dinitrophenol,\n2,b,y\n3,c,z\n", 3),
        ('1,2,4-Dinitrophenol,\n2,"b, c",y\n', 3),
        ("1,a,x,\n2,b,y,\n3,c,z\n", 4),
    ],
    ids=["a plain row", "plain rows", "a quoted row", "the last row"],
)
def test_surplus_that_only_the_first_rows_have_is_refused(tmp_path: Path, rows: str, line: int) -> None:
    (tmp_path / "compounds.csv").write_text("compound_name,compound_id,compound_structure\n" + rows)
    assert problem(tmp_path).startswith(f"line {line} has 3 cells where the header has 3 and the first row has 4, so it is unclear which column")


@pytest.mark.parametrize("first", ['"1",2,Aspirin,', "0,2,Aspirin,"], ids=["R", "pandas"])
def test_row_names_before_an_empty_last_column_are_no_ids(tmp_path: Path, first: str) -> None:
    (tmp_path / "compounds.csv").write_text(f"{HEADER}{first}\n2,3,Ibuprofen,\n")
    assert problem(tmp_path).startswith("line 2 has one more cell than the header and begins with two numbers, as if R or pandas had written row names;")


@pytest.mark.parametrize("name", ["Unnamed: 3", "Column4", "...4", "X.1", "Unnamed: 3_level_1"])
def test_generated_name_of_a_column_is_no_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "compounds.csv").write_text(f"compound_id,compound_structure,compound_name,{name}\n1,x,a,b\n2,y,c,\n")
    assert read(tmp_path) == Found({3: ["2", "c", "y"]}, [2])
    rows = Rows(str(tmp_path), "compounds", COLUMNS)
    while rows.read():
        pass
    assert f"a cell in column 4, which has only the placeholder name {name_of(name)}" in rows.rejected.read()


def test_cell_without_a_name_beside_a_column_rejects_its_row(tmp_path: Path) -> None:
    """Below header cells merged in Excel, a list may have one entry per column; before the first column, names of rows are harmless."""
    (tmp_path / "compounds.csv").write_text(",compound_id,compound_name,,note,,compound_structure\nr1,1,a,b,,,x\nr2,2,c,,,d,y\n")
    assert read(tmp_path) == Found({3: ["2", "c", "y"]}, [2])


def test_two_stray_quotes_swallow_no_row(tmp_path: Path) -> None:
    (tmp_path / "compounds.csv").write_text(HEADER + '1,"a,x\n2,b,y\n3,c",z\n4,"two\nlines",w\n')
    assert read(tmp_path) == Found({5: ["4", "two\nlines", "w"]}, [2, 3, 4])


@pytest.mark.parametrize(
    ("text", "rejected"), [('1,"Bob, PhD,x\n2,b,y\n3,c,z\n4,"Eve",w\n', [2, 3, 4, 5]), ('1,"a, b,x\n2,"c",y\n3,c,z\n4,d,w\n', [2, 3])], ids=["three", "one"]
)
def test_open_quote_swallows_no_row_whatever_its_ends_are(tmp_path: Path, text: str, rejected: list[int]) -> None:
    (tmp_path / "compounds.csv").write_text(HEADER + text + '5,"two\nlines",v\n')
    found = read(tmp_path)
    assert found.rejected == rejected and found.rows.keys() | set(rejected) == {2, 3, 4, 5, 6}
    assert found.rows[6] == ["5", "two\nlines", "v"]


def test_one_column_spread_over_several_is_refused(tmp_path: Path) -> None:
    (tmp_path / "compounds.csv").write_text("compound_id,compound_name,compound_name.1,compound_structure\n1,a,b,x\n")
    assert problem(tmp_path).startswith("the header on line 1 has compound_name_1 beside compound_name, as if one column were spread over several;")
    (tmp_path / "compounds.csv").write_text("compound_id,compound_name_1,compound_name_2,compound_structure\n1,a,b,x\n")
    sentence = "the header on line 1 has compound_name_1, compound_name_2 instead of compound_name, as if one column were spread over several;"
    assert problem(tmp_path).startswith(sentence)


@pytest.mark.parametrize("name", ["compound_name2", "compound_name_duplicated_0", "compound_name:1", "compound_name[1]", "Compound Name (2)"])
def test_column_given_again_by_another_name_is_refused(tmp_path: Path, name: str) -> None:
    """As Excel, polars, DuckDB and flattened JSON call it."""
    (tmp_path / "compounds.csv").write_text(f"compound_id,compound_name,{name},compound_structure\n1,a,b,x\n")
    assert problem(tmp_path).startswith(f"the header on line 1 has {name.lower().replace(' ', '_')} beside compound_name, as if one column")


@pytest.mark.parametrize("names", ["compound_name[0],compound_name[1]", "compound_name_x,compound_name_y", "compound_nam,compound_nam2"])
def test_no_advice_to_rename_one_of_several_columns(tmp_path: Path, names: str) -> None:
    (tmp_path / "compounds.csv").write_text(f"compound_id,{names},compound_structure\n1,a,b,x\n")
    sentence = f"the header on line 1 has {names.replace(',', ', ')} instead of compound_name, as if one column were spread over several;"
    assert problem(tmp_path).startswith(sentence)


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        (["users.xlsx"], "it is a zip file with an Excel workbook in it; unpack it."),
        (["mimetype", "content.xml"], "it is an OpenDocument spreadsheet; save it as .xlsx or CSV."),
        (["[Content_Types].xml", "word/document.xml"], "it is a document of Office or Numbers; save the table as .xlsx or CSV."),
        (["Index/Document.iwa", "preview.jpg"], "it is a document of Office or Numbers; save the table as .xlsx or CSV."),
    ],
)
def test_zip_that_is_no_packed_table(tmp_path: Path, members: list[str], sentence: str) -> None:
    with zipfile.ZipFile(tmp_path / "compounds.csv", "w") as archive:
        for member in members:
            archive.writestr(member, "x")
    assert problem(tmp_path) == sentence


def test_hidden_files_in_a_zip_are_ignored(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "compounds.zip", "w") as archive:
        archive.writestr("compounds.csv", TEXT)
        archive.writestr("._compounds.csv", "x")
    assert read(tmp_path) == expected(TEXT, ",")


@pytest.mark.parametrize(("packing", "place"), [("gz", 12), ("zst", 4), ("bz2", 12), ("xz", 12)])
def test_packed_file_that_is_damaged(tmp_path: Path, packing: str, place: int) -> None:
    packed = bytearray(PACKED[packing]((HEADER + "1,a,x\n" * 5000).encode()))
    packed[place : place + 8] = b"x" * 8
    (tmp_path / "compounds.csv").write_bytes(packed)
    assert problem(tmp_path).startswith("it is compressed, and damaged or cut short (")


@pytest.mark.parametrize("packing", ["gz", "zst", "bz2", "xz"])
def test_packed_file_that_is_cut_short(tmp_path: Path, packing: str) -> None:
    """Also between two rows, where the rest looks like a whole table."""
    text = HEADER + "".join(f"{line},{line * 7919 % 1009},x\n" for line in range(20_000))
    packed = PACKED[packing](text.encode())
    for share in (0.5, 0.9):
        (tmp_path / "compounds.csv").write_bytes(packed[: int(len(packed) * share)])
        assert problem(tmp_path).startswith("it is compressed, and damaged or cut short (")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ('\ufeff[\n  {\n    "compound_id": 1}]', "a JSON file"),
        ("<table><tr>", "a web page"),
        ("<html>".encode("utf-16"), "a web page"),
        (b"7z\xbc\xaf\x27\x1c", "an archive of a kind that cannot be read"),
        (b"Rar!\x1a\x07", "an archive of a kind that cannot be read"),
        (HEADER.encode("utf-32-be").replace(b"\0\0\0c", b"\0\0\xfe\xff", 1), "UTF-32 text"),
        # Without the time, which would be part of the names of the tests.
        (gzip.compress(b"<!DOCTYPE html>", mtime=0), "a web page"),
        (gzip.compress(gzip.compress(HEADER.encode(), mtime=0), mtime=0), "compressed more than once"),
        (gzip.compress(b"compounds.csv".ljust(257, b"\0") + b"ustar\0", mtime=0), "a tar archive"),
    ],
)
def test_other_kinds_of_files(tmp_path: Path, content: str | bytes, what: str) -> None:
    (tmp_path / "compounds.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert problem(tmp_path).startswith(f"it is {what}")


def test_declared_separator_that_the_header_does_not_have(tmp_path: Path) -> None:
    (tmp_path / "compounds.csv").write_text("sep=;\n" + HEADER + "1,a,x\n")
    assert read(tmp_path).rows == {3: ["1", "a", "x"]}


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ('"compound_id" "compound_name" "compound_structure"', "the columns seem to be separated by spaces (see line 1);"),
        ("compound_id\x01compound_name\x01compound_structure", "the separator seems to be '\\x01' (see line 1);"),
    ],
)
def test_unusual_separator_is_named(tmp_path: Path, header: str, sentence: str) -> None:
    (tmp_path / "compounds.csv").write_text(header + "\n")
    assert problem(tmp_path).startswith(sentence)


@pytest.mark.parametrize("cell", ["oDCB\n1,2-dichlorobenzene", "TMB\nmesitylene\n1,3,5-trimethylbenzene", "a\n7,b\n1,2,c"])
def test_lines_of_a_cell_that_look_like_rows(tmp_path: Path, cell: str) -> None:
    """All quotes are in their places."""
    (tmp_path / "compounds.csv").write_text(HEADER + f'1,"{cell}",x\n2,b,y\n')
    assert read(tmp_path) == Found({2: ["1", cell, "x"], 3 + cell.count("\n"): ["2", "b", "y"]}, [])


@pytest.mark.parametrize("blank", ["", ",,", '"",,'])
@pytest.mark.parametrize("rows", [0, 10_000])
def test_another_table_below_is_refused(tmp_path: Path, blank: str, rows: int) -> None:
    """Its rows would pass for rows of the first, wherever a block of the file ends."""
    above = HEADER + "".join(f"{number},a,x\n" for number in range(rows))
    (tmp_path / "compounds.csv").write_text(above + f"{blank}\ncompound_structure,users,share\nx,2,0.5\n7,1,0.5\n")
    assert problem(tmp_path) == f"line {rows + 3} seems to be the header of another table; move it and the rows below it to another file, or remove it."


def test_row_without_numbers_in_a_file_with_double_spacing(tmp_path: Path) -> None:
    """As Python's csv writes files on Windows if they are opened without newline=''."""
    (tmp_path / "compounds.csv").write_bytes((HEADER + "1,a,x\n,b,y\n3,c,z\n").replace("\n", "\r\r\n").encode())
    assert read(tmp_path).rows == {3: ["1", "a", "x"], 5: ["", "b", "y"], 7: ["3", "c", "z"]}


def test_second_header_is_to_be_removed(tmp_path: Path) -> None:
    """As SPSS and Qualtrics write: names and labels."""
    (tmp_path / "compounds.csv").write_text(HEADER + "Compound ID,Name of the compound,Compound-structure\n1,a,x\n")
    assert problem(tmp_path) == "line 2 is another header; remove it."


def test_text_below_the_rows_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "compounds.csv").write_text(HEADER + "1,a,x\n\nExported by,the lab,\nPrinted,,\n")
    assert read(tmp_path) == Found({2: ["1", "a", "x"], 4: ["Exported by", "the lab", ""], 5: ["Printed", "", ""]}, [])


@pytest.mark.parametrize("mark", list(",;|\t"))
def test_names_of_columns_on_two_lines(tmp_path: Path, mark: str) -> None:
    """As Excel exports header cells with a line break; nothing else on the first line tells the separator."""
    (tmp_path / "compounds.csv").write_text(mark.join(['"Compound\nID"', '"Compound\nname"', '"Compound\nstructure"']) + f"\n1{mark}a{mark}x\n")
    assert read(tmp_path).rows == {5: ["1", "a", "x"]}


def test_another_header_below_is_refused(tmp_path: Path) -> None:
    (tmp_path / "compounds.csv").write_text(HEADER + "1,a,x\nCompound ID,Compound-Name,compound.structure\n2,b,y\n\ncompound_name,compound_id\nc,3\n")
    assert problem(tmp_path) == "line 6 is another header; move the rows below it to another file."
    (tmp_path / "compounds.csv").write_text(HEADER + "1,a,x\ncompound_id,price\n1,5\n")
    assert problem(tmp_path) == "line 3 is another header; move the rows below it to another file."


def test_separator_is_the_one_of_the_columns(tmp_path: Path) -> None:
    (tmp_path / "compounds.csv").write_text("notes, remarks;compound_id;\u202acompound\u2011name\u202c;compound_structure\n,;1;a;x\n")
    assert read(tmp_path).rows == {2: ["1", "a", "x"]}


def test_encodings_in_one_file(tmp_path: Path) -> None:
    (tmp_path / "compounds.csv").write_bytes((HEADER + "1,é,x\n").encode() + "2,é,y\n".encode("cp1252"))
    assert problem(tmp_path) == "line 3 is not UTF-8 text, but lines before it are, so the file mixes encodings; export it again in one encoding."


def test_control_characters_of_a_damaged_line_are_not_shown(tmp_path: Path) -> None:
    """A NUL cannot be stored in the run log, and an escape could command the terminal."""
    (tmp_path / "compounds.csv").write_bytes(b"compound_id,\x1b[2J\0\xff\n")
    assert "it would read 'compound_id,\ufffd[2J\ufffdÿ'" in problem(tmp_path)


def test_utf8_is_recognized_wherever_its_first_character_is(tmp_path: Path) -> None:
    (tmp_path / "compounds.csv").write_text(HEADER + "1,a,x\n" * 20_000 + "2,β,y\n")
    assert read(tmp_path, encoding="cp1252").rows[20_002] == ["2", "β", "y"]
    # At the end of the file, or of what is read at once, a character may look like the first half of another.
    for text in (HEADER + "1,a,José", (HEADER + "1,a," + "x" * (1 << 16))[: (1 << 16) - 1] + "éz\n"):
        (tmp_path / "compounds.csv").write_bytes(text.encode("cp1252"))
        assert next(iter(read(tmp_path, encoding="cp1252").rows.values())) == text.splitlines()[1].split(",")
    (tmp_path / "compounds.csv").write_bytes(text.encode())
    assert next(iter(read(tmp_path, encoding="cp1252").rows.values())) == text.splitlines()[1].split(",")


def test_utf16_that_is_cut_short(tmp_path: Path) -> None:
    (tmp_path / "compounds.csv").write_bytes((HEADER + "1,a,x\n").encode("utf-16")[:-1])
    assert problem(tmp_path).startswith("it is not valid utf-16 text; it may be cut short, or mix encodings: export it again")


TEXT = HEADER + '1,"Zoë, pure",C20\n2,b,"C21\nH30"\n\n4,d,e\n'
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zst": zstd.compress
}  # fmt: skip


@pytest.mark.parametrize("name", ["compounds.csv", "Compounds.CSV", "compounds.tsv", "compounds.txt", "compounds.csv.gz", "compounds.gz"])
@pytest.mark.parametrize("packing", PACKED)
def test_packed_whatever_the_name_says(tmp_path: Path, name: str, packing: str) -> None:
    (tmp_path / name).write_bytes(PACKED[packing](TEXT.encode()))
    assert read(tmp_path) == expected(TEXT, ",")


def test_zip_with_one_file(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "compounds.csv", "w") as archive:
        archive.writestr("export/whatever.csv", TEXT)
    assert read(tmp_path) == expected(TEXT, ",")
    with zipfile.ZipFile(tmp_path / "compounds.csv", "a") as archive:
        archive.writestr("other.csv", TEXT)
    assert problem(tmp_path) == "it is a zip file with 2 files; put one file in it, or unpack it."


@pytest.mark.parametrize(
    ("written", "setting"),
    [
        ("utf-8-sig", ""),
        ("utf-16", ""),
        ("utf-16-le", ""),
        ("utf-16-be", ""),
        ("cp1252", "cp1252"),
        ("cp437", "cp437"),
        ("utf-7", "utf-7"),
        # The setting is for another of the files.
        ("utf-8-sig", "cp1252"),
        ("utf-16", "cp1252"),
        ("utf-8", "cp1252"),
        ("gb18030", "gb18030"),
    ],
)
def test_encodings(tmp_path: Path, written: str, setting: str) -> None:
    (tmp_path / "compounds.csv").write_bytes(TEXT.encode(written))
    assert read(tmp_path, encoding=setting) == expected(TEXT, ",")


def test_what_is_saved_is_where_the_workers_see_it(tmp_path: Path) -> None:
    """It is deleted together with the rows."""
    (tmp_path / "compounds.csv").write_text(HEADER + "1,a,x\n")
    exchange = tmp_path / "exchange"
    exchange.mkdir()
    rows = Rows(str(tmp_path), "compounds", COLUMNS, exchange=str(exchange))
    assert Path(rows.save()).is_relative_to(exchange)
    del rows
    assert not list(exchange.iterdir())


@pytest.mark.parametrize("mark", ["'", '"', "§", "a"])
def test_only_punctuation_can_be_declared_as_separator(tmp_path: Path, mark: str) -> None:
    """Anything else would be part of the statement that loads the rows."""
    (tmp_path / "compounds.csv").write_text(f"sep={mark}\n{HEADER}")
    assert problem(tmp_path) == "the header seems to be on line 2, not on line 1; remove the lines before it."


def test_long_cell_with_quotes_on_each_line(tmp_path: Path) -> None:
    """If each of its lines were looked at more than a few times, this would take hours."""
    text = "\n".join(f'the ""{number}"" of it' for number in range(40_000))
    (tmp_path / "compounds.csv").write_text(f'{HEADER}1, "{text}",x\n2,b,y\n')
    assert read(tmp_path).rows == {2: ["1", text.replace('""', '"'), "x"], 40_002: ["2", "b", "y"]}


def test_columns_that_nobody_describes_may_be_numbered(tmp_path: Path) -> None:
    (tmp_path / "places.csv").write_text("address,address_2\na,b\n")
    rows = Rows(str(tmp_path), "places")
    assert (rows.columns, rows.problem) == (["address", "address_2"], "")


def test_cell_longer_than_the_limit_of_csv_is_saved_for_spark(tmp_path: Path) -> None:
    text = "x" * 200_000
    (tmp_path / "compounds.csv").write_text(f"{HEADER}1,{text},y\n")
    limit = csv.field_size_limit(131_072)
    try:
        rows = Rows(str(tmp_path), "compounds", COLUMNS)
        assert text in Path(rows.save(numbered=True)).read_text() and not rows.problem
    finally:
        csv.field_size_limit(limit)


def test_header_below_lines_with_other_breaks(tmp_path: Path) -> None:
    """Only line feeds and carriage returns end a line, as in an editor."""
    (tmp_path / "compounds.csv").write_text(f"Export\nby\vthe laboratory\x85in\u2028March\n{HEADER}")
    assert problem(tmp_path) == "the header seems to be on line 3, not on line 1; remove the lines before it."
