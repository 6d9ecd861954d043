"""What goes to the server by COPY: the same rows as an independent reader of CSV finds, or nothing."""

from __future__ import annotations

from pathlib import Path

import oracle
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from experiment_features.plain_csv import plain_csv

COLUMNS = ["compound_id", "compound_name", "compound_structure"]
WHITE_SPACE = st.text(" \t\r\v\f\u00a0\ufeff", max_size=3)
CELLS = st.one_of(
    st.sampled_from(["1", "a b", "\u00e9", "\\.", "compound_id", "", "'", "\\N"]), st.text('a"\u00a0\u00c2 \r,;\t\n', max_size=4)
)
PLAIN: list[bool] = []


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Small files that are nearly plain: each has at most some of what makes a file not so."""
    delimiter = draw(st.sampled_from(",\t;"))
    cells = draw(st.sampled_from([CELLS, CELLS.filter(str.isalnum)]))
    edge = draw(st.sampled_from([st.just(""), st.just(""), WHITE_SPACE]))
    quote = draw(st.sampled_from([st.just(""), st.just('"'), st.sampled_from(["", '"'])]))

    def line(row: list[str]) -> str:
        parts = []
        for cell in row:
            mark = draw(quote)
            parts.append(draw(edge) + mark + draw(edge) + cell + draw(edge) + mark + draw(edge))
        return delimiter.join(parts)

    header = draw(st.permutations(COLUMNS))
    rows = draw(st.lists(st.lists(cells, min_size=3, max_size=3) | st.just(list(header)), max_size=4))
    if rows and draw(st.integers(0, 5)) == 0:
        rows[-1] = draw(st.sampled_from([rows[-1][1:], rows[-1] + ["x"], [""]]))
    end = draw(st.sampled_from(["\n", "\n", "\r\n", "\r", "\n\n"]))
    text = end.join([*draw(st.lists(WHITE_SPACE, max_size=1)), line(list(header)), *map(line, rows)])
    text += draw(st.sampled_from(["", end, end * 3]))
    return text.encode() + draw(st.sampled_from([b""] * 9 + [b"\xff\n", b"\0"]))


@settings(max_examples=2000, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@example(b'compound_id,compound_name,compound_structure\n",a,"x"y"\n')
@example(b"compound_id\tcompound_name\tcompound_structure\n\t\t\n")
@example(b"compound_id,compound_name,compound_structure\n1,2\n1,2,3,4\n")
@example(b'compound_id,compound_name,compound_structure\n1,a,b\n""\n')
@example(b"compound_id,compound_name,compound_structure\n\n1,a,b\n")
@given(content=files())
def test_same_rows_as_the_oracle(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "compounds.csv"
    path.write_bytes(content)
    file = plain_csv(str(path), COLUMNS)
    PLAIN.append(file is not None)
    if file is None:
        return
    places = [[name.lower() for name in file.header].index(column) for column in COLUMNS]
    found = []
    text = b"".join(file.blocks()).decode()
    odd = {number + line for number, record in file.odd_records for line in range(record.count("\n") + 1)}
    for number, line in enumerate(text.split("\n")[:-1], file.first_row_number):
        cells = line.split(file.delimiter)
        assert len(cells) == 3
        assert (number in odd) == (cells == ["\x02", "", ""])
        if number not in odd:
            found.append(oracle.Record(number, tuple(cells[place] for place in places)))
    names = tuple(file.header[place] for place in places)
    wrong = []
    for number, record in file.odd_records:
        alone = oracle.load("compounds.csv", f"{file.delimiter.join(file.header)}\n{record}".encode())
        assert len(alone.rows) + len(alone.wrong_count) <= 1
        found += [oracle.Record(number, row.cells) for row in alone.rows]
        wrong += [number] * len(alone.wrong_count)
    expected = oracle.load("compounds.csv", content)
    assert wrong == expected.wrong_count
    assert sorted((record for record in found if record.cells != names), key=lambda record: record.line) == expected.rows


def test_enough_of_them_were_plain() -> None:
    """Otherwise the comparison above would say little."""
    assert len(PLAIN) > 2000 and PLAIN.count(True) > 400, PLAIN.count(True)


PADDING = "x" * 50_000
HEADER = "compound_id,compound_name,compound_structure\n"


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("white space", HEADER + f"1,a,{PADDING}\n2,\tb ,{PADDING}\n3,\tc ,{PADDING}"),
        ("quotes", HEADER + f'1,a,{PADDING}\n2,"b",{PADDING}\n"3","c","{PADDING}"'),
        ("blank lines at the end", HEADER + f"1,a,{PADDING}\n2,b,{PADDING}\n3,c,{PADDING}\n \n\n"),
        ("an empty first line", "\n" + HEADER + f"1,a,{PADDING}\n2,b,{PADDING}\n3,c,{PADDING}"),
    ],
)
def test_plain_over_several_blocks(tmp_path: Path, what: str, text: str) -> None:
    path = tmp_path / "compounds.csv"
    path.write_text(text)
    file = plain_csv(str(path), COLUMNS)
    assert file is not None
    blocks = []
    while block := file.read():
        blocks.append(block)
    assert len(blocks) > 1
    assert b"".join(blocks).decode() == f"1,a,{PADDING}\n2,b,{PADDING}\n3,c,{PADDING}\n"
    assert file.first_row_number == (3 if what == "an empty first line" else 2)


@pytest.mark.parametrize(
    ("what", "record"),
    [
        ("a row too short", f"3,{PADDING}"),
        ("a row too long", f"3,c,{PADDING},d"),
        ("a separator in quotes", f'3,"a, b",{PADDING}'),
        ("doubled quotes", f'3,"say ""a""",{PADDING}'),
        ("a blank line", " \t"),
        ("an empty cell in quotes", '""'),
        ("a line break in quotes", f'3,"c\n\nc",{PADDING}'),
        ("a line break in quotes, and the rest of a block", f'3,"{PADDING}\n{PADDING}\n{PADDING}",c'),
    ],
)
def test_odd_record_among_plain_ones(tmp_path: Path, what: str, record: str) -> None:
    path = tmp_path / "compounds.csv"
    path.write_text(HEADER + f"1,a,{PADDING}\n2,b,{PADDING}\n{record}\n4,d,{PADDING}\n5,e,x")
    file = plain_csv(str(path), COLUMNS)
    assert file is not None
    assert b"".join(file.blocks()).decode() == (
        f"1,a,{PADDING}\n2,b,{PADDING}\n" + "\x02,,\n" * (record.count("\n") + 1) + f"4,d,{PADDING}\n5,e,x\n"
    )
    assert file.odd_records == [(4, record)]


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("a quote that is never closed", HEADER + f'1,a,{PADDING}\n2,b,{PADDING}\n3,"c\n4,d,{PADDING}'),
        ("a quote inside a cell", HEADER + f'1,a,{PADDING}\n2,b,{PADDING}\n3,5" wide,{PADDING}'),
        ("a line longer than one is looked at", HEADER + f"1,a,b{PADDING * 30},2,c,d\n2,b,x"),
        ("a column more", "note," + HEADER + f"1,2,3,{PADDING}"),
        ("a character that is not UTF-8", HEADER + f"1,a,{PADDING}\n2,b,{PADDING}\n3,\udcff,c"),
        ("a character that Postgres does not store", HEADER + f"1,a,{PADDING}\n2,b,\0"),
        ("the mark of odd records", HEADER + f"1,a,{PADDING}\n\x02,,"),
        ("too many odd records", HEADER + "1,a\n" * 10_000),
    ],
)
def test_not_plain(tmp_path: Path, what: str, text: str) -> None:
    path = tmp_path / "compounds.csv"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert plain_csv(str(path), COLUMNS) is None
