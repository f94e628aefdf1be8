import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import InvalidRequirement

from ledger.environments.requirements import decode, logical_lines, parse_requirement, read_requirements

COMMIT = "0123456789abcdef0123456789abcdef01234567"
GIT = f"git+ssh://git@example.org/team/proj.git@{COMMIT}"


def facts(text):
    listed = parse_requirement(text)
    one = listed.package
    return listed.name, one.version, one.wanted, dict(one.origin), listed.marker


# A line, and its name, version, range, origin and marker.
LINES = [
    ("transformers==4.57.6", ("transformers", "4.57.6", "", {}, "")),
    ("Typing_Extensions===4.1", ("typing-extensions", "4.1", "", {}, "")),
    ("transformers >=4.40, <5", ("transformers", None, "<5,>=4.40", {}, "")),
    ("tokenizers == 0.22.*", ("tokenizers", None, "==0.22.*", {}, "")),
    ("accelerate~=1.2", ("accelerate", None, "~=1.2", {}, "")),
    ("numpy", ("numpy", None, "", {}, "")),
    ("pkg==1!2.0.post1+cu121", ("pkg", "1!2.0.post1+cu121", "", {}, "")),
    ("torch==2.6.0 ; extra == 'gpu'", ("torch", "2.6.0", "", {}, 'extra == "gpu"')),
    ('torch==2.4.0 --config-settings="x=y"', ("torch", "2.4.0", "", {}, "")),
    ("torch==2.4.0 --hash=sha256:00 --hash sha256:11", ("torch", "2.4.0", "", {}, "")),
    (
        "numpy @ https://u:p@files.example.org/numpy-1.26.4-cp311-cp311-linux_x86_64.whl#sha256=00",
        (
            "numpy",
            "1.26.4",
            "",
            {
                "url": "https://files.example.org/numpy-1.26.4-cp311-cp311-linux_x86_64.whl",
                "archive": "sha256=00",
            },
            "",
        ),
    ),
    (
        "torch @ file:///tmp/w/torch-2.1.0%2Bcu121-cp311-cp311-linux_x86_64.whl",
        (
            "torch",
            "2.1.0+cu121",
            "",
            {"url": "file:///tmp/w/torch-2.1.0%2Bcu121-cp311-cp311-linux_x86_64.whl"},
            "",
        ),
    ),
    (
        "torch @ file:///feedstock_root/torch_170/work",
        ("torch", None, "", {"url": "file:///feedstock_root/torch_170/work"}, ""),
    ),
    (
        "transformers @ git+https://github.com/x/transformers@v4.40.0",
        ("transformers", None, "", {"url": "https://github.com/x/transformers", "commit": "v4.40.0"}, ""),
    ),
    (
        f"{GIT}#egg=proj&subdirectory=py",
        ("proj", None, "", {"url": "ssh://example.org/team/proj.git", "commit": COMMIT}, ""),
    ),
    (GIT, ("proj", None, "", {"url": "ssh://example.org/team/proj.git", "commit": COMMIT}, "")),
    ("./wheel-1.0-py3-none-any.whl", ("wheel", "1.0", "", {"url": "./wheel-1.0-py3-none-any.whl"}, "")),
    (
        "https://example.org/Pkg_Name-1.2.3.tar.gz ; python_version > '3'",
        (
            "pkg-name",
            "1.2.3",
            "",
            {"url": "https://example.org/Pkg_Name-1.2.3.tar.gz"},
            "python_version > '3'",
        ),
    ),
    ("./src/Mine[dev]", ("mine", None, "", {"url": "./src/Mine"}, "")),
    (
        "C:\\w\\a-1.0-py3-none-any.whl",
        ("a", "1.0", "", {"url": "C:\\w\\a-1.0-py3-none-any.whl"}, ""),
    ),
]


@pytest.mark.parametrize(("text", "read"), LINES, ids=[text for text, _ in LINES])
def test_every_form_of_a_requirement_is_read_as_what_it_is(text, read):
    assert facts(text) == read


def test_extras_and_hashes_are_kept():
    assert parse_requirement("sacrebleu[ko,ja]==2.4").package.extras == ("ja", "ko")
    assert parse_requirement(".[dev]").package.extras == ("dev",)
    assert parse_requirement("a==1 --hash=sha256:00 --hash sha256:11").package.hashes == {
        "sha256:00",
        "sha256:11",
    }


@pytest.mark.parametrize(
    "text",
    [
        "b = 2",
        "numpy 1.26.4",
        "numpy=1.26.4=py310_0",
        "@EXPLICIT",
        "https://x.org/numpy-1-py310_0.conda",
        "==",
    ],
)
def test_what_is_no_requirement_is_refused(text):
    with pytest.raises(InvalidRequirement):
        parse_requirement(text)


@pytest.fixture
def write(tmp_path):
    def write(text, name="requirements.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def names(listed):
    return [one.name for one in listed]


def test_included_files_and_constraints_are_read_and_a_file_that_includes_itself_ends(write):
    write("b==2\n-r ../requirements.txt\n-c low.txt\n", "in/more.txt")
    write("numpy<2\n-r also.txt\n", "in/low.txt")
    write("scipy<1.15\n", "in/also.txt")
    found = read_requirements(write("a==1\n-rin/more.txt\n--requirement=in/more.txt\n"))
    assert (names(found.listed), names(found.constraints)) == (["a", "b"], ["numpy", "scipy"])
    assert found.unread == []


def test_options_say_where_files_come_from(write):
    found = read_requirements(
        write(
            "-i https://user:${TOKEN}@a.example/simple\n--extra-index-url=https://b.example\n--pre\n"
            "--trusted-host a.example\n--no-binary :all:\na==1\n"
        )
    )
    assert sorted(found.options) == [
        "--extra-index-url https://b.example",
        "--index-url https://a.example/simple",
        "--no-binary :all:",
        "--pre",
    ]
    assert found.unread == []


def test_editable_installs_have_the_name_of_their_project(write, tmp_path):
    write('[project]\nname = "My.Tool"\n', "src/pyproject.toml")
    found = read_requirements(
        write(
            "-e ./src[dev]\n-e .\n"
            "# Editable install with no version control (mt==0.1)\n-e /home/u/elsewhere\n"
            f'--editable "{GIT}#egg=Proj"\n'
        )
    )
    assert [(one.name, one.package.version) for one in found.listed] == [
        ("my-tool", None),
        (tmp_path.name.replace("_", "-"), None),
        ("mt", "0.1"),
        ("proj", None),
    ]
    assert all(one.package.origin["editable"] for one in found.listed)


def test_what_is_not_understood_is_listed_with_its_line(write):
    write("b = 2\n", "more.txt")
    found = read_requirements(
        write("a==1\n--unknown x\n-r missing.txt\n-r more.txt\n-r https://x.org/r.txt\nnumpy 1\n")
    )
    assert names(found.listed) == ["a"]
    assert [sentence.partition(":")[0] for sentence in found.unread] == [
        "line 2",
        "line 3",
        "line 1 of more.txt is not a requirement",
        "line 5",
        "line 6 is not a requirement",
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_lists_are_decoded_as_pip_does(write, encoding):
    bom = "\ufeff" if encoding == "utf-16-be" else ""
    path = write((bom + "ä==1\r\n# 번역\r\nb==2\r\n").replace("ä", "a").encode(encoding))
    assert names(read_requirements(path).listed) == ["a", "b"]


def test_a_file_of_bytes_is_no_list():
    with pytest.raises(UnicodeDecodeError):
        decode(b"\x80\x81")


def test_continued_lines_are_one_and_comments_end():
    text = "a==1 \\\n    --hash=x  # why\n# no\n\nb==2#c \\\n"
    assert list(logical_lines(text)) == [(1, "a==1      --hash=x"), (5, "b==2#c")]


def test_an_included_name_that_no_file_can_have_is_listed(write):
    found = read_requirements(write(b"-r a\0b\n-c \0\nc==1\n"))
    assert names(found.listed) == ["c"]
    assert [line.partition(":")[0] for line in found.unread] == ["line 1", "line 2"]
    assert all("cannot be the name of a file" in line for line in found.unread)


PIECES = st.sampled_from(
    ["-e", "-r", " ", "a", "==", "1.0", " @ ", "git+", "https://", "./", ".whl", "[", "]", ";", "extra",
     "#egg=", "@", "--hash=", "\\\n", "\n", "'", "-", "=", "\0", "python_version", "<", "'3'", "~"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=14).map("".join))
def test_any_text_is_read_or_listed(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / f"any-{sys.version_info[1]}.txt"
    path.write_text(text)
    read_requirements(path)
