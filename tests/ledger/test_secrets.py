import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.secrets import HIDDEN, scrub_arguments, scrub_text, scrub_url

URLS = {
    "https://example.org/wheels/x.whl": "https://example.org/wheels/x.whl",
    "https://ann@example.org/simple": "https://example.org/simple",
    "https://ann:hunter2@example.org/simple": "https://example.org/simple",
    "https://ann:hun%40ter2@example.org:8080/simple": "https://example.org:8080/simple",
    "https://ann:hunter@2@example.org/simple": "https://example.org/simple",
    "https://ann:hun/ter2@example.org/simple": "https://example.org/simple",
    "https://ann:hun?ter2@example.org/simple": "https://example.org/simple",
    "https://ann:hun#ter2@example.org/simple": "https://example.org/simple",
    "https://example.org/x?token=hunter2&a=b": "https://example.org/x",
    "https://example.org?sig=hunter2": "https://example.org",
    "https://example.org/x#access_token=hunter2": "https://example.org/x",
    "git+https://hunter2@example.org/ann/x.git@v1#egg=x": "git+https://example.org/ann/x.git@v1",
    "git+ssh://git@example.org/ann/x.git": "git+ssh://example.org/ann/x.git",
    "ssh://ann:hunter2@[::1]:22/x": "ssh://[::1]:22/x",
    "http://[::1]:5000/api": "http://[::1]:5000/api",
    "git@example.org:ann/x.git": "example.org:ann/x.git",
    "s3://AKIAX:hunter2@bucket/key": "s3://bucket/key",
    "s3://bucket/key": "s3://bucket/key",
    "postgresql+psycopg2://ann:hunter2@db:5432/mlflow?sslmode=on": "postgresql+psycopg2://db:5432/mlflow",
    "redis://:hunter2@cache:6379/0": "redis://cache:6379/0",
    "sqlite:///runs.db": "sqlite:///runs.db",
    "sqlite:////abs/olute/runs.db": "sqlite:////abs/olute/runs.db",
    "sqlite:///C:/runs/mlflow.db": "sqlite:///C:/runs/mlflow.db",
    "file:///home/ann/x": "file:///home/ann/x",
    "/home/ann/wheels@2/x?.whl": "/home/ann/wheels@2/x?.whl",
    "C:\\wheels\\x.whl": "C:\\wheels\\x.whl",
    "": "",
}


@pytest.mark.parametrize(("url", "kept"), URLS.items())
def test_a_url_keeps_its_address_and_loses_its_secrets(url, kept):
    assert scrub_url(url) == kept


@pytest.mark.parametrize("url", URLS)
def test_scrubbing_twice_changes_nothing_more(url):
    assert scrub_url(scrub_url(url)) == scrub_url(url)


WORDS = st.text("abcXYZ019-_.~%!$&'()*+,;=", min_size=1, max_size=12)


@given(user=WORDS, password=WORDS.map(lambda word: f"<{word}>"), path=WORDS, token=WORDS)
def test_no_well_formed_url_keeps_its_password_or_token(user, password, path, token):
    url = f"https://{user}:{password}@example.org/{path}?key=<{token}>#<{token}>"
    assert scrub_url(url) == f"https://example.org/{path}"


def test_urls_and_keys_inside_text_are_scrubbed():
    text = "cannot reach 'https://ann:hunter2@example.org/x?t=hunter2' with hf_abcdefghijklmnopqrst, retrying"
    assert scrub_text(text) == f"cannot reach 'https://example.org/x' with {HIDDEN}, retrying"


ARGUMENTS = [
    (
        ["train.py", "--password", "hunter2", "--lr", "2e-4"],
        ["train.py", "--password", HIDDEN, "--lr", "2e-4"],
    ),
    (["--api-key=hunter2"], [f"--api-key={HIDDEN}"]),
    (["env", "HF_TOKEN=hunter2", "python"], ["env", f"HF_TOKEN={HIDDEN}", "python"]),
    (["WANDB_API_KEY=hunter2"], [f"WANDB_API_KEY={HIDDEN}"]),
    (["--hub_token", "hunter2"], ["--hub_token", HIDDEN]),
    (["--token", "--verbose"], ["--token", "--verbose"]),
    (
        ["--eos-token", "</s>", "--tokenizer", "spm.model"],
        ["--eos-token", "</s>", "--tokenizer", "spm.model"],
    ),
    (["--max_new_tokens=128"], ["--max_new_tokens=128"]),
    (["--uri", "https://ann:hunter2@example.org"], ["--uri", "https://example.org"]),
    (["--uri=https://ann:hunter2@example.org/"], ["--uri=https://example.org/"]),
    (["echo", "ghp_abcdefghijklmnopqrstuv"], ["echo", HIDDEN]),
]


@pytest.mark.parametrize(("arguments", "kept"), ARGUMENTS)
def test_a_command_line_hides_what_is_named_like_a_secret(arguments, kept):
    assert scrub_arguments(arguments) == kept
