import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.utils.redaction import (
    HIDDEN,
    find_secrets,
    scrub_arguments,
    scrub_file,
    scrub_json,
    scrub_text,
    scrub_url,
)

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


TEXTS = {
    "password: hunter2": f"password: {HIDDEN}",
    "os.environ['API_KEY'] = 'abc'": f"os.environ['API_KEY'] = '{HIDDEN}'",
    '{"api_key": "abc", "lr": 1}': f'{{"api_key": "{HIDDEN}", "lr": 1}}',
    "AccountName=x;AccountKey=abc==;y": f"AccountName=x;AccountKey={HIDDEN};y",
    "machine h login u password p4ss": f"machine h {HIDDEN}",
    "Authorization: Basic YW5hOmh1bnRlcg==": f"Authorization: Basic {HIDDEN}",
    "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----!": f"{HIDDEN}!",
    "eos_token: </s>, bos_token='<s>', pad_token_id=1": "eos_token: </s>, bos_token='<s>', pad_token_id=1",
    "max_new_tokens=128 tokenizer: spm": "max_new_tokens=128 tokenizer: spm",
    "가나다: ラ, 10:30, a=b": "가나다: ラ, 10:30, a=b",
}


@pytest.mark.parametrize(("text", "kept"), TEXTS.items())
def test_text_hides_what_is_named_like_a_secret(text, kept):
    assert scrub_text(text, {}) == kept
    assert scrub_text(kept, {}) == kept


def test_the_values_of_secret_variables_are_hidden_wherever_they_stand():
    known = {
        "DEPLOY_SECRET": "correct horse",
        "PROXY": "http://ana:batte4y@h:1",
        "LANG": "C.UTF-8",
        "A_KEY": "ab",
    }
    assert scrub_text("correct horse, batte4y, C.UTF-8, ab", known) == f"{HIDDEN}, {HIDDEN}, C.UTF-8, ab"


def test_json_keeps_its_shape():
    value = {"a": ["hf_" + "x" * 20, 1, None, True], "hub_token": "abc", "api_key": None, "eos_token": "</s>"}
    assert scrub_json(value) == {
        "a": [HIDDEN, 1, None, True],
        "hub_token": HIDDEN,
        "api_key": None,
        "eos_token": "</s>",
    }


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("abcXYZ 가ラ._-", max_size=20),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abc"), inner),
)


@given(PLAIN)
def test_what_holds_no_secret_is_not_changed(value):
    assert scrub_json(value) == value


@given(st.text())
def test_any_text_can_be_scrubbed_and_twice_changes_nothing_more(text):
    once = scrub_text(text, {})
    assert scrub_text(once, {}) == once
    find_secrets(text)


def test_a_secret_is_found_by_line_and_kind_and_is_not_told():
    text = "one\n+index = https://ana:hunter2@example.org/\n+key = 'glpat-0123456789abcdefghij'\n"
    assert find_secrets(text) == [(2, "URL with a password"), (3, "GitLab token")]


@pytest.mark.parametrize(
    "line",
    [
        "git clone https://git@example.org/x.git",
        "password = getpass()",
        "token=os.environ['HF_TOKEN']",
        "api_key: ${API_KEY}",
        "secret_key = settings.secret_key",
        "lr: 2e-4",
        "data: https://example.org/x?lang=ko",
    ],
)
def test_code_that_only_names_a_secret_holds_none(line):
    assert find_secrets(line) == []


def test_a_log_is_rewritten_where_it_holds_one(tmp_path):
    log = tmp_path / "worker.log"
    log.write_bytes(b"one\r\n\xff\n")
    before = log.stat()
    scrub_file(log)
    assert log.stat() == before
    log.write_bytes(b"\xff https://ana:hunter2@h/x?sig=1\n")
    scrub_file(log)
    assert log.read_bytes() == b"\xff https://h/x\n"


MARK = "Zq7Xw9Kd2Lm4"  # part of each planted secret
LONG = f"{MARK}abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJ"
OPTIONS = (
    "--pass",
    "--pw",
    "--pwd",
    "--key",
    "--auth",
    "--wandb-key",
    "--wandb_key",
    "--pat",
    "--secret",
    "--secrets",
    "--token",
    "--private_token",
    "--private-token",
    "--api-key",
    "--hf-token",
    "--github-pat",
    "--password",
    "--passwd",
    "-pass",
    "--client-secret",
    "--secret-access-key",
    "--deploy-key",
    "--mlflow-pw",
    "--OPENAI-KEY",
)
PLANTED = [
    *(f"{option} {LONG[:20]}" for option in OPTIONS),
    *(f"{option}={LONG[:20]}" for option in OPTIONS),
    f"sshpass -p {LONG[:14]} ssh host",
    f"sshpass -p{LONG[:14]} ssh host",
    *(
        f"{name}: {LONG}"
        for name in (
            "Cookie",
            "Set-Cookie",
            "Authorization",
            "Proxy-Authorization",
            "X-Api-Key",
            "x-auth-token",
        )
    ),
    f"curl -H 'Cookie: session={LONG}; theme=dark'",
    f'{{"Authorization": "Bearer {LONG}"}}',
    f"Authorization: token {LONG}",
    *(f"{name}: {MARK}" for name in ("パスワード", "비밀번호", "密码", "暗証番号", "пароль", "contraseña")),
    f"パスワード：{MARK}",
    f"パスワードは{MARK}。",
    f"ana:{MARK}@db.example.org",
    f"ana:{MARK}@localhost",
    f"ana:{MARK}@db:5432/x",
    f"cannot reach https:/ana:{MARK}@h/x",
    f"https://ana:{MARK}@h/x",
    f"redis://:{MARK}@h",
    f"https://h/x?token={MARK}",
    f"mysql -u ana --password={MARK}",
    f"npm_{LONG[:36]}",
    f"dckr_pat_{LONG[:27]}",
    f"sk_live_{LONG[:24]}",
    f"rk_test_{LONG[:24]}",
    f"r8_{LONG[:37]}",
    f"ya29.{LONG}",
    f"SG.{LONG[:22]}.{LONG[:43]}",
    f"123456789:AA{LONG[:33]}",
    "dapi" + "0123456789abcdef" * 2,
    f"hf_{LONG[:34]}",
    f"ghp_{LONG[:36]}",
    f"github_pat_{LONG}",
    f"glpat-{LONG[:20]}",
    f"sk-{LONG}",
    f"sk-ant-api03-{LONG}",
    f"xoxb-{LONG}",
    f"pypi-{LONG}",
    f"AIza{LONG[:35]}",
    f"eyJhbGciOiJIUzI1NiJ9.{LONG}.{LONG}",
    f"hvs.{LONG * 2}",
    f"HF_TOKEN={MARK}",
    f"MY_SERVICE_KEY={MARK}",
    f"AWS_SECRET_ACCESS_KEY={MARK}",
    f'password = "{MARK}"',
    f"api_key: {MARK}",
]


@pytest.mark.parametrize("text", PLANTED)
def test_a_planted_secret_is_hidden_in_text_and_arguments(text):
    for form in ("{}", "the call `{}` failed", "({})", "a=1, {}, b=2"):
        shown = scrub_text(form.format(text), {})
        assert MARK not in shown
        assert "0123456789abcdef" not in shown
    words = scrub_arguments(["sh", "-c", text])
    assert MARK not in " ".join(words)
    if text.startswith(("-", "sshpass", "mysql")):
        assert MARK not in " ".join(scrub_arguments(text.split()))


def test_a_known_secret_is_hidden_in_base64_and_in_a_url():
    import base64

    known = {"DEPLOY_SECRET": "p+s/w?rd é!"}
    for before in ("", "a", "ab", "ana:", "user:"):
        for after in ("", "x", "@host"):
            text = base64.b64encode(f"{before}p+s/w?rd é!{after}".encode()).decode()
            assert HIDDEN in scrub_text(f"header {text}", known)
    assert scrub_text("x?p=p%2Bs%2Fw%3Frd%20%C3%A9%21", known) == f"x?p={HIDDEN}"


def test_no_commit_digest_model_or_run_is_taken_for_a_secret():
    """5,000 names as the journal has them."""
    import random

    seeded = random.Random(7)

    def digits(count):
        return "".join(seeded.choices("0123456789abcdef", k=count))

    models = [
        "facebook/mbart-large-50-many-to-many-mmt",
        "Helsinki-NLP/opus-mt-ko-ja",
        "google/mt5-small",
        "Qwen/Qwen2.5-0.5B",
        "facebook/nllb-200-distilled-600M",
        "openai-community/gpt2",
        "t5-v1_1-base",
    ]
    names = []
    for number in range(500):
        names += [
            digits(40),
            f"sha256:{digits(64)}",
            f"commit: {digits(40)}",
            digits(32),
            f"exp{number}-{digits(6)}",
            f"{models[number % 7]}@{digits(40)}",
            f"out/checkpoint-{number}/model-0000{number % 9}-of-00009.safetensors",
            f"torch=={number % 9}.{number % 13}.0+cpu --hash=sha256:{digits(64)}",
            f"md5 {digits(32)}  exp{number}.ja",
            f"--model {models[number % 7]} --seed {number} --output_dir out/{digits(8)} --key-frames 3",
        ]
    assert len(names) == 5000
    assert [name for name in names if scrub_text(name, {}) != name] == []
    assert [name for name in names if scrub_arguments(name.split()) != name.split()] == []
    assert [name for name in names if find_secrets(name)] == []
