"""A column of a CSV file, and everything that such a file may be instead."""

import pytest

from ledger.errors import LedgerError
from ledger.utils.csv_series import read_column


def read(tmp_path, content, column="return"):
    path = tmp_path / "M1.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_column(path, column))


@pytest.mark.parametrize(
    "content",
    [
        "time,return\n1,0.5\n2,-1e-3\n",
        "\ufefftime,return\r\n1,0.5\r\n2,-1e-3\r\n",
        'time , return\n"a,b", 0.5\n"c\nd",-0.001\n\n',
        "return,close\n0.5,9\n-0.001",
    ],
    ids=["plain", "byte order mark and CRLF", "quotes and an empty line", "no newline at the end"],
)
def test_a_column_is_read(tmp_path, content):
    assert read(tmp_path, content) == [0.5, -0.001]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "M1.csv has no column 'return': it is empty"),
        ("time,close\n1,2\n", "M1.csv has no column 'return': its header is: time, close"),
        ("return,return\n1,2\n", "M1.csv has two columns 'return': its header is: return, return"),
        ("time,return\n1,0.5\n2,n/a\n", "M1.csv, line 3: 'n/a' is not a number"),
        ("time,return\n1,nan\n", "M1.csv, line 2: 'nan' is not a number"),
        ("time,return\n1,\n", "M1.csv, line 2: '' is not a number"),
        ("time,return\n1\n", "M1.csv, line 2: a missing value is not a number"),
        ("time,return\n1,1e999\n", "M1.csv, line 2: '1e999' is not a number"),
        (b"time,return\n\xff\xfe,1\n", "M1.csv is not UTF-8"),
        ("time,return\n" + "9" * 200_000 + ",1\n", "M1.csv, line 2: field larger than field limit (131072)"),
        ('time,return\n"1,2\n', "M1.csv, line 2: unexpected end of data"),
    ],
)
def test_what_is_no_series_is_told_with_its_line(tmp_path, content, says):
    with pytest.raises(LedgerError) as caught:
        read(tmp_path, content)
    assert caught.value.message == says
    assert caught.value.hint


def test_a_folder_is_no_series(tmp_path):
    with pytest.raises(LedgerError, match="Is a directory"):
        read_column(tmp_path, "return")
