"""Where files may be: folders, parts, workbooks, web servers and stores."""

from __future__ import annotations

import re
import threading
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import sleep
from xml.sax.saxutils import escape

import fsspec.config
import pytest
from conftest import PUBLISHED, Project
from moto.server import ThreadedMotoServer
from test_published_input import EXPECTED
from test_reading import COLUMNS, HEADER, Found, named_problem, problem, read

from experiment_features.reading.locations import without_password

ROWS = "1,a,x\n2,b,y\n"
NAMES = ["users", "user_experiments", "compounds"]


@pytest.mark.parametrize(
    "name",
    [
        "Compounds (1).tsv", "compounds(1).csv", "compounds 2.csv", "compounds-2.csv", "compounds - Kopie.csv", "Copy of compounds.csv",
        "compounds - Sheet1.csv", "compounds (another copy).csv", "compounds (Ann's conflicted copy 2024-05-01).csv",
    ],
)  # fmt: skip
def test_two_candidates_are_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "compounds.csv").write_text(HEADER + ROWS)
    (tmp_path / name).write_text(HEADER + ROWS)
    first, second = sorted((name, "compounds.csv"))
    assert problem(tmp_path) == f"{tmp_path} contains {first} and {second}, and each could be the table compounds; keep only one of them there."


def test_other_files_are_no_candidates(tmp_path: Path) -> None:
    for name in ("compounds.csv", "compounds.md", "compounds_old.csv", "compounds 2023.csv", "~$compounds.xlsx", "compounds.csv.bak"):
        (tmp_path / name).write_text(HEADER + ROWS)
    assert len(read(tmp_path).rows) == 2


@pytest.mark.parametrize("name", ["compounds.xls", "Com-Pounds.csv", "old compounds.csv", "compounds.csv.bak", "compounds.xlsx.gz"])
def test_file_by_a_similar_name_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(HEADER + ROWS)
    assert problem(tmp_path) == f"there is no such file; if {name} is meant, save it as compounds.csv or compounds.xlsx."


def test_parts_beside_each_other_belong_into_a_folder(tmp_path: Path) -> None:
    for name in ("compounds-000000000000.csv", "compounds-000000000001.csv"):
        (tmp_path / name).write_text(HEADER + ROWS)
    sentence = "if compounds-000000000000.csv, compounds-000000000001.csv are its parts, move all of them to a folder named compounds."
    assert problem(tmp_path) == f"there is no such file; {sentence}"


def test_parts_with_columns_in_any_order(tmp_path: Path) -> None:
    """Line numbers continue through all parts."""
    parts = tmp_path / "compounds"
    parts.mkdir()
    (parts / "2024-01.csv").write_text("\n" + HEADER + ROWS)
    (parts / "2024-02.csv").write_text("compound_structure;compound_id;note;compound_name\nz,z;3;;c\nw;4\n")
    (parts / "2024-03.csv.gz").write_bytes(b"compound_name,compound_structure,compound_id\n")
    (parts / "README.md").write_text("Exports of a month each.")
    (parts / "_SUCCESS").touch()
    found = read(tmp_path)
    assert found.rows == {3: ["1", "a", "x"], 4: ["2", "b", "y"], 6: ["3", "c", "z,z"]}
    assert found.rejected == [7]
    (parts / "2024-02.csv").write_text("compound_id;compound_name\n")
    (parts / "2024-04").touch()
    assert problem(tmp_path) == "its folder contains 2024-04, which is not a table; remove it, or give it an extension such as .csv."
    (parts / "2024-04").unlink()
    assert problem(tmp_path).startswith("compounds/2024-02.csv: the header on line 1 lacks the column compound_structure")


class Xml(str):
    """A cell as the workbook has it."""


def workbook(path: Path, sheets: dict[str, list[list[object]]], calculation: str = "") -> None:
    """Writes a minimal workbook."""

    def cell(value: object) -> str:
        if isinstance(value, (date, datetime)):
            days = (value - datetime(1899, 12, 30)).total_seconds() / 86400
            return f'<c s="1"><v>{days}</v></c>'
        if isinstance(value, (int, float)):
            return f"<c><v>{value}</v></c>"
        if isinstance(value, Xml):
            return value
        return f'<c t="inlineStr"><is><t>{escape(str(value))}</t></is></c>' if value is not None else "<c/>"

    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    numbers = range(1, len(sheets) + 1)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", f'<Types xmlns="{package}/content-types"/>')
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}/relationships"><Relationship Id="r" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
            + "".join(f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, name in zip(numbers, sheets))
            + f"</sheets>{calculation}</workbook>",
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{package}/relationships">'
            + "".join(f'<Relationship Id="r{n}" Type="{office}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers)
            + f'<Relationship Id="s" Type="{office}/styles" Target="styles.xml"/></Relationships>',
        )
        archive.writestr("xl/styles.xml", f'<styleSheet xmlns="{main}"><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>')
        for n, rows in zip(numbers, sheets.values()):
            content = "".join(f'<row r="{r}">{"".join(map(cell, row))}</row>' for r, row in enumerate(rows, 1) if row)
            archive.writestr(f"xl/worksheets/sheet{n}.xml", f'<worksheet xmlns="{main}"><sheetData>{content}</sheetData></worksheet>')


def test_workbook(tmp_path: Path) -> None:
    """Whole numbers have no decimals, dates have no time, and rows are numbered as in Excel."""
    rows = [[], COLUMNS, [1.0, "Zoë", datetime(2024, 3, 1)], [], [2, 12.5, None], ["3", None], [4, "a,b", True, "surplus"]]
    workbook(tmp_path / "compounds.xlsx", {"Notes": [["x"]], "Compounds": rows})
    found = read(tmp_path)
    assert found.rows == {3: ["1", "Zoë", "2024-03-01"], 5: ["2", "12.5", ""], 6: ["3", "", ""]}
    assert found.rejected == [7]
    workbook(tmp_path / "compounds.xlsx", {"Sheet1": rows})
    assert len(read(tmp_path).rows) == 3
    workbook(tmp_path / "compounds.xlsx", {"Sheet1": rows, "Sheet2": rows})
    assert problem(tmp_path) == "it has the sheets Sheet1, Sheet2, and none is named compounds; rename one of them."
    workbook(tmp_path / "compounds.xlsx", {"Sheet1": [["All compounds"], *rows]})
    assert problem(tmp_path) == "the header seems to be on line 3, not on line 1; remove the lines before it."


def test_numbers_that_excel_has_rounded_are_no_ids(tmp_path: Path) -> None:
    workbook(tmp_path / "compounds.xlsx", {"compounds": [COLUMNS, [999_999_999_999_999.0, "a", "x"], [9_007_199_254_740_993.0, "b", "y"]]})
    assert [row[0] for row in read(tmp_path).rows.values()] == ["999999999999999", "9.00719925474099E+15"]


def test_errors_of_a_workbook_are_text(tmp_path: Path) -> None:
    workbook(tmp_path / "compounds.xlsx", {"compounds": [COLUMNS, [1, "a", Xml('<c r="C2" t="e"><f>1/0</f><v>#DIV/0!</v></c>')], [2, "b_x000D_", "y"]]})
    assert read(tmp_path).rows == {2: ["1", "a", "#DIV/0!"], 3: ["2", "b", "y"]}


CALCULATE = '<calcPr calcId="124519" fullCalcOnLoad="1"/>'
NEVER_CALCULATED = "line 3 has a formula that was never calculated; open the workbook in Excel or LibreOffice, save it, and load it again."


def change_sheet(path: Path, change: Callable[[str], str]) -> None:
    """Changes the XML of the only sheet of a workbook."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist()}
    parts["xl/worksheets/sheet1.xml"] = change(parts["xl/worksheets/sheet1.xml"])
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def formulas(path: Path, *results: str, calculation: str = "", columns: Sequence[str] = COLUMNS) -> None:
    """A workbook with formulas in its last column, from line 3 on."""
    rows = [[number, "a", Xml(f"<c>{result}</c>")] for number, result in enumerate(results, 2)]
    workbook(path / "compounds.xlsx", {"compounds": [columns, [1, "a", "x"], *rows]}, calculation)


@pytest.mark.parametrize("result", ["<f>A2</f><v/>", "<f>A2</f>", '<f t="shared" si="0"/><v></v>'])
def test_formulas_without_results_are_refused(tmp_path: Path, result: str) -> None:
    """As openpyxl and ExcelJS write them."""
    formulas(tmp_path, result, "<f>A2*1.5</f><v>1.5</v>")
    assert problem(tmp_path) == NEVER_CALCULATED


def test_a_result_of_zero_may_be_none(tmp_path: Path) -> None:
    """XlsxWriter and Apache POI write it in place of a result; a workbook that Excel has saved may have it as one."""
    formulas(tmp_path, "<f>A2</f><v>0</v>", "<f>A2</f><v>0</v>")
    assert read(tmp_path).rows[3] == ["2", "a", "0"]
    formulas(tmp_path, "<f>A2</f><v>0</v>", "<f>A2*1.5</f><v>1.5</v>", calculation=CALCULATE)
    assert problem(tmp_path) == NEVER_CALCULATED
    formulas(tmp_path, "<f>A2</f><v>0.0</v>", "<f>A2</f><v>0.0</v>")
    assert problem(tmp_path) == NEVER_CALCULATED
    formulas(tmp_path, "<f>A2</f><v>0.0</v>", "<f>A2*1.5</f><v>1.5</v>")
    assert read(tmp_path).rows[3] == ["2", "a", "0"]


def test_rows_of_nothing_but_formulas_are_not_dropped(tmp_path: Path) -> None:
    workbook(tmp_path / "compounds.xlsx", {"compounds": [COLUMNS, [1, "a", "x"], [Xml("<c><f>A2+1</f></c>")] * 3]})
    assert problem(tmp_path) == NEVER_CALCULATED


def test_formulas_that_are_not_loaded_need_no_result(tmp_path: Path) -> None:
    workbook(tmp_path / "compounds.xlsx", {"compounds": [[*COLUMNS, "note"], [1, "a", "x", Xml("<c><f>A2</f></c>")]]}, CALCULATE)
    assert read(tmp_path).rows == {2: ["1", "a", "x"]}
    workbook(tmp_path / "compounds.xlsx", {"compounds": [COLUMNS, [1, "a", "x"]], "summary": [[Xml("<c><f>A2</f></c>")]]}, CALCULATE)
    assert read(tmp_path).rows == {2: ["1", "a", "x"]}


def test_formulas_with_an_empty_text_as_their_result(tmp_path: Path) -> None:
    workbook(tmp_path / "compounds.xlsx", {"compounds": [COLUMNS, [1, "a", Xml('<c r="C2" t="str"><f>IF(A2,"","x")</f><v></v></c>')]]}, CALCULATE)
    assert read(tmp_path).rows == {2: ["1", "a", ""]}


def test_formulas_in_tags_with_a_prefix(tmp_path: Path) -> None:
    formulas(tmp_path, "<f>A2</f>")
    change_sheet(tmp_path / "compounds.xlsx", lambda xml: re.sub(r"<(/?)(\w)", r"<\1x:\2", xml).replace("xmlns=", "xmlns:x="))
    assert problem(tmp_path) == NEVER_CALCULATED


def test_a_far_cell_is_refused(tmp_path: Path) -> None:
    """Reading all cells up to it would take half a terabyte of memory."""
    workbook(tmp_path / "compounds.xlsx", {"compounds": [COLUMNS, [1, "a", "x"]]})
    far = '<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t> </t></is></c></row></sheetData>'
    change_sheet(tmp_path / "compounds.xlsx", lambda xml: xml.replace("</sheetData>", far))
    sentence = "its cells reach as far as column XFD and row 1048576; delete the columns and rows outside the table, or save it as CSV."
    assert problem(tmp_path) == sentence


def test_nul_in_a_workbook(tmp_path: Path) -> None:
    workbook(tmp_path / "compounds.xlsx", {"compounds": [COLUMNS, [1, "a_x0000_b", "x"]]})
    assert problem(tmp_path) == "line 2 contains a NUL character, which text cannot have; remove it."
    workbook(tmp_path / "compounds.xlsx", {"compounds": [[*COLUMNS, "note"], [1, "a", "x", "_x0000_"], [2, "b", "y", "", "_x0000_surplus"]]})
    assert read(tmp_path) == Found({2: ["1", "a", "x"]}, [3])


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "it is an Excel workbook in the old format, or with a password; save it as .xlsx without a password, or as CSV."),
        (b"<html><table>", "it is a web page, perhaps a login page; download the file itself."),
        (HEADER.encode(), "it is not an Excel workbook, although its name says so; rename it, for example to end in .csv."),
    ],
)
def test_no_workbook_under_its_name(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "compounds.xlsx").write_bytes(content)
    assert problem(tmp_path) == sentence


def test_numbers_of_a_workbook_have_the_decimal_mark_that_is_set(tmp_path: Path) -> None:
    """Where text in the same column needs FEATURES_DECIMAL, it must not change what a number is."""
    workbook(tmp_path / "compounds.xlsx", {"compounds": [COLUMNS, [1, 1.234, "1.250,5"], [2, 7.0, ""]]})
    assert read(tmp_path, decimal_mark=",").rows == {2: ["1", "1234e-3", "1.250,5"], 3: ["2", "7", ""]}
    # Here 1.234 could be 1234, as the text beside it suggests.
    assert read(tmp_path).rows == {2: ["1", "1.2340", "1.250,5"], 3: ["2", "7", ""]}


def test_notes_beside_the_table_of_a_workbook_are_ignored(tmp_path: Path) -> None:
    """Nothing can have been shifted over an empty column."""
    rows = [[1, "a", "x", "", "check this"], ["", "", "", "", "and this"], [2, "b", "y", "z"]]
    workbook(tmp_path / "compounds.xlsx", {"compounds": [COLUMNS, *rows]})
    assert read(tmp_path) == Found({2: ["1", "a", "x"]}, [4])


def test_workbook_by_another_name(tmp_path: Path) -> None:
    workbook(tmp_path / "compounds.csv", {"compounds": [COLUMNS]})
    assert problem(tmp_path) == "it is an Excel workbook without the extension .xlsx; rename it, or save it as CSV."


@contextmanager
def web_server(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            answer(self)

        def do_HEAD(self) -> None:
            answer(self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def send(handler: BaseHTTPRequestHandler, content: bytes, status: int = 200, length: int | None = None, **headers: str) -> None:
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(content) if length is None else length))
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    if handler.command == "GET":
        handler.wfile.write(content)


def published(handler: BaseHTTPRequestHandler) -> None:
    """The three files, in a folder that does not list its content."""
    name = handler.path.removeprefix("/export/")
    path = PUBLISHED / name
    if name and path.is_file():
        send(handler, path.read_bytes())
    else:
        send(handler, b"", 404)


def test_web_server_through_dbt(project: Project) -> None:
    with web_server(published) as url:
        project.dbt("build", "--exclude-resource-type", "unit_test", "--quiet", SEEDS_DIR=f"{url}/export")
    assert project.features() == EXPECTED


def test_redirect(tmp_path: Path) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        if handler.path == "/export/compounds.csv":
            send(handler, b"", 302, Location="/elsewhere")
        elif handler.path == "/elsewhere":
            send(handler, (HEADER + ROWS).encode())
        else:
            send(handler, b"", 404)

    with web_server(answer) as url:
        assert len(read(f"{url}/export").rows) == 2


def test_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """The token comes from fsspec's settings, as FSSPEC_HTTP in the environment, and appears in no message."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if handler.headers.get("Authorization") != "Bearer sesame":
            send(handler, b"", 401)
        elif handler.path.endswith("/compounds.csv"):
            send(handler, (HEADER + ROWS).encode())
        else:
            send(handler, b"", 404)

    with web_server(answer) as url:
        sentence = problem(f"{url}/export")
        assert "401" in sentence and sentence.endswith("check the address and your access to it, and load it again.")
        monkeypatch.setitem(fsspec.config.conf, "http", {"client_kwargs": {"headers": {"Authorization": "Bearer sesame"}}})
        assert len(read(f"{url}/export").rows) == 2
        assert "sesame" not in named_problem(url.replace("//", "//user:open@sesame@") + "/nothing")


def test_remote_folder_without_parts() -> None:
    fsspec.filesystem("memory").pipe("/export/compounds/README.md", b"Exports of a month each.")
    assert problem("memory://export") == "its folder contains no files; put the parts of the table there."


def test_remote_file_that_is_no_part_is_named(tmp_path: Path) -> None:
    """As in a local folder."""
    (tmp_path / "compounds").mkdir()
    for name in ("part-0.csv", "part-1"):
        (tmp_path / "compounds" / name).write_text(HEADER)
    sentence = "its folder contains part-1, which is not a table; remove it, or give it an extension such as .csv."
    assert problem(tmp_path) == problem(f"file://{tmp_path}") == sentence


def test_connection_that_ends_early() -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        if not handler.path.endswith("/compounds.csv"):
            send(handler, b"", 404)
            return
        send(handler, (HEADER + ROWS).encode(), length=1000)
        handler.close_connection = True

    with web_server(answer) as url:
        assert problem(f"{url}/export").startswith("it cannot be read: ")


def test_slow_answers() -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        if not handler.path.endswith("/compounds.csv"):
            send(handler, b"", 404)
            return
        content = (HEADER + ROWS).encode()
        send(handler, b"", length=len(content))
        for byte in content if handler.command == "GET" else b"":
            handler.wfile.write(bytes([byte]))
            sleep(0.01)

    with web_server(answer) as url:
        assert len(read(f"{url}/export").rows) == 2


def test_s3(monkeypatch: pytest.MonkeyPatch) -> None:
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "testing")
        monkeypatch.setitem(fsspec.config.conf, "s3", {"endpoint_url": f"http://{host}:{port}"})
        store = fsspec.filesystem("s3")
        store.mkdir("lab")
        store.pipe("lab/export/Compounds.csv", (HEADER + ROWS).encode())
        assert len(read("s3://lab/export").rows) == 2
        store.pipe("lab/parts/compounds/1.csv", (HEADER + ROWS).encode())
        store.pipe("lab/parts/compounds/2.csv", (HEADER + "3,c,z\n").encode())
        assert list(read("s3://lab/parts").rows) == [2, 3, 5]
        assert problem("s3://lab/empty").startswith("it cannot be read: ")
        assert problem("s3://nowhere").startswith("it cannot be read: ")
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("s3://key:secret@lab/x: no", "s3://...@lab/x: no"),
        ("https://lab/x?sig=a)secret&a=1", "https://lab/x?..."),
        ("zip://::https://u:p@lab/x.zip", "zip://::https://...@lab/x.zip"),
        ("https://u:p@lab/x?sig=s/users.csv 403", "https://...@lab/x?... 403"),
        ("https://lab/x", "https://lab/x"),
    ],
)
def test_secrets_of_an_address_are_not_shown(text: str, shown: str) -> None:
    assert without_password(text) == shown


def test_missing_package() -> None:
    sentence = problem("gs://lab/export")
    assert sentence == "it cannot be read: Please install gcsfs to access Google Storage; install it with `.venv/bin/pip install gcsfs`."


def test_unknown_kind_of_address() -> None:
    assert problem("carrier-pigeon://lab").startswith("it cannot be read: Protocol not known: carrier-pigeon")
