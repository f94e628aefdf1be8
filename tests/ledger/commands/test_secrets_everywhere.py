"""Secrets are planted wherever a user has them; then every byte that the commands wrote is searched."""

import subprocess
from pathlib import Path

import pytest

from tests.command import run_ledger
from tests.conftest import copy_repository

pytestmark = pytest.mark.timeout(400)

KEY = "c3VwZXJzZWNyZXRrZXltYXRlcmlhbA"
# Where each is planted, under which name, and the part of it that must not be found anywhere.
VARIABLES = {
    "Hugging Face token": ("HF_TOKEN", "hf_{}", "QmFzZTY0SHVnZ2luZ0ZhY2VUb2tlbg"),
    "AWS key id": ("AWS_ACCESS_KEY_ID", "{}", "AKIA1234567890ABCDEF"),
    "AWS secret key": ("AWS_SECRET_ACCESS_KEY", "{}", "wJalrXUtnFEMIxK7MDENGxbPxRfiCYEXAMPLEKEY"),
    "W&B key": ("WANDB_API_KEY", "{}", "0123456789abcdef0123456789abcdef01234567"),
    "OpenAI key": ("OPENAI_API_KEY", "sk-proj-{}", "VGhpc0lzQW5PcGVuQUlLZXk"),
    "own variable": ("DEPLOY_SECRET", "{}", "plain-words-as-secret"),
    "MLflow password": ("MLFLOW_TRACKING_PASSWORD", "{}", "mlflow-pass-77"),
    "MLflow token": ("MLFLOW_TRACKING_TOKEN", "{}", "mlflow-tok-88"),
    "proxy": ("CORPORATE_PROXY", "http://ana:{}@127.0.0.1:9", "proxypass-31"),
    "pip index variable": ("PIP_INDEX_URL", "http://ana:{}@127.0.0.1:9/simple", "pipvarpass-32"),
    "MLflow address": ("MLFLOW_TRACKING_URI", "http://ana:{}@127.0.0.1:9/", "mlflowuripass-33"),
}
ARGUMENTS = {
    "option": (["--token", "{}"], "optiontoken-41"),
    "option with =": (["--password={}"], "optionpass-42"),
    "variable in front": (["HUB_TOKEN={}"], "assigned-43"),
    "basic-auth address": (["https://ana:{}@example.org/x"], "basicauth-44"),
    "token in a query": (["https://example.org/x?token={}&a=b"], "querytoken-45"),
    "GitHub token": (["ghp_{}"], "R2l0SHViVG9rZW5OdW1iZXIx"),
    "GitHub fine-grained token": (["--note", "github_pat_{}"], "11ABCDEFG0123456789_abcdefgh"),
    "GitLab token": (["glpat-{}"], "GitLabToken-1234567890"),
    "Slack token": (["xoxb-{}"], "123456789012-1234567890123-AbCdEf"),
    "JSON Web Token": (["eyJhbGciOiJIUzI1NiJ9.{}.c2ln"], "eyJzdWIiOiIxMjM0NTY3ODkwIn0"),
    "Google key": (["AIza{}"], "SyD-1234567890abcdefghijklmnopqrstu"),
    "private key": (["-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----"], "MIIEpAIBAAKCA"),
    "database address": (["postgresql+psycopg2://ana:{}@db.example.org:5432/mlflow"], "dbpass-46"),
    "Azure signature": (["https://x.blob.core.windows.net/c?sv=2024&sig={}"], "YXp1cmVzaWduYXR1cmU%3D"),
    "Azure account key": (["AccountName=x;AccountKey={}"], "YXp1cmVhY2NvdW50a2V5"),
    "header": (["-H", "Authorization: Bearer {}"], "bearertoken-47"),
    "curl's user": (["-u", "ana:{}"], "curlpass-48"),
    "script": (["import os; os.environ['API_KEY'] = '{}'"], "scriptkey-49"),
}  # fmt: skip
FILES = {
    "pip.conf": "pipconfpass-51",
    "netrc": "netrcpass-52",
    "git remote": "gitremotepass-53",
    "uncommitted change": "uncommitted-54",
    "new file": "newfilepass-55",
    "direct_url": "directurl-56",
    "spec": "specurlpass-57",
    "reason": "hf_UmVhc29uSGFzQVRva2VuSW5JdA",
    "note": "notepass-58",
    "override": "overridepass-59",
    "lockfile": "lockfilepass-60",
}
SECRETS = {
    **{name: part for name, (_, _, part) in VARIABLES.items()},
    **{name: part for name, (_, part) in ARGUMENTS.items()},
    **FILES,
}


@pytest.fixture(scope="module")
def written(tmp_path_factory, template_repository):
    """Everything that the commands wrote, by file; what they printed is there as `printed`."""
    place = tmp_path_factory.mktemp("secrets")
    repository = copy_repository(template_repository, place / "repository")
    root = repository.root
    variables = _environment(place)
    _plant(root, place / "home")
    printed = []
    for arguments, changes in _commands():
        done = run_ledger(*arguments, cwd=root, variables={**variables, **changes})
        printed.append("\n".join([*arguments[:2], done.stdout, done.stderr]))
    found = {
        str(path.relative_to(place)): path.read_bytes()
        for folder in (root / ".ledger", root / "experiments", place / "cache", place / "tmp", place / "home")
        for path in folder.rglob("*")
        if path.is_file()
        and path.name not in ("pip.conf", ".netrc", "planted.yaml")
        and "/models/" not in str(path)
    }
    return {**found, "printed": "\n".join(printed).encode()}


def _environment(place: Path) -> dict[str, str]:
    folders = {"HOME": place / "home", "TMPDIR": place / "tmp", "LEDGER_ENVIRONMENTS": place / "cache"}
    for folder in folders.values():
        folder.mkdir()
    planted = {name: text.format(part) for name, text, part in VARIABLES.values()}
    quick = {"PIP_RETRIES": "0", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    configured = {"XDG_CONFIG_HOME": str(place / "home" / ".config")}
    return {**planted, **{name: str(path) for name, path in folders.items()}, **quick, **configured}


def _plant(root: Path, home: Path) -> None:
    (home / ".config" / "pip").mkdir(parents=True)
    index = f"https://ana:{FILES['pip.conf']}@example.org/simple"
    (home / ".config" / "pip" / "pip.conf").write_text(f"[global]\nextra-index-url = {index}\n")
    (home / ".netrc").write_text(f"machine example.org login ana password {FILES['netrc']}\n")
    remote = f"https://ana:{FILES['git remote']}@example.org/x.git"
    subprocess.run(["git", "remote", "add", "origin", remote], cwd=root, check=True)
    (root / "train.py").write_text("print(1)\n")
    subprocess.run(["git", "add", "train.py"], cwd=root, check=True)
    subprocess.run(["git", "commit", "-qm", "train"], cwd=root, check=True)
    (root / "train.py").write_text(f"password = '{FILES['uncommitted change']}'\n")
    (root / ".env").write_text(f"API_KEY={FILES['new file']}\n")
    (root / "experiments" / "planted.yaml").write_text(
        f"extends: exp5\ndata: {{source: 'https://ana:{FILES['spec']}@example.org/x.ko?key={FILES['spec']}'}}\n"
    )
    (root / "lockfiles" / "broken.in").write_text("no-such-thing\n")
    hashed = "no-such-thing==1.0 --hash=sha256:" + "0" * 64
    index = f"--extra-index-url https://ana:{FILES['lockfile']}@127.0.0.1:9/simple"
    (root / "lockfiles" / "broken.txt").write_text(f"{index}\n{hashed}\n")


def _commands():
    """Real calls, those that fail among them."""
    arguments = [one.format(part) for parts, part in ARGUMENTS.values() for one in parts]
    tracked = {"MLFLOW_TRACKING_URI": ""}
    yield ["run", "recorded", "--", "true", *arguments], {}
    yield ["run", "failing", "--json", "--", "sh", "-c", "exit 3", *arguments], {}
    yield ["run", "planted", "--rehearse"], {}
    yield ["run", "planted"], {}
    source = f"https://ana:{FILES['override']}@example.org/y?t={FILES['override']}"
    yield ["run", "exp5", "--set", f"data.source={source}"], {}
    yield ["accept", "recorded", "DUP003", "--why", f"told with {FILES['reason']}"], {}
    yield ["note", "recorded", f"see https://ana:{FILES['note']}@example.org/?k={FILES['note']}"], {}
    yield ["log"], {}
    yield ["show", "recorded", "--json"], {}
    yield ["show", "planted"], {}
    yield ["reproduce", "recorded"], {}
    yield ["reproduce", "planted", "--json"], {}
    yield ["env", "show", "--json"], {}
    for installer in ("pip", "uv"):
        yield ["env", "build", "broken"], {"LEDGER_INSTALLER": installer}
    yield ["diff-env", "recorded", "current", "--json"], {}
    yield ["sync"], {}
    yield ["sync", "--json"], tracked
    yield ["fsck"], {}


def test_something_was_written(written):
    """Else nothing could be found in it."""
    assert len(written) > 15
    everything = b"".join(written.values())
    assert b"--token" in everything
    assert b"example.org" in everything
    assert any(name.endswith("mlflow.db") for name in written)
    assert any(name.endswith(".log") and "cache" in name for name in written)


@pytest.mark.parametrize("name", SECRETS)
def test_no_byte_of_it_holds_the_secret(written, name):
    secret = SECRETS[name].encode()
    assert [path for path, data in written.items() if secret in data] == []


def test_a_bug_report_holds_none(tmp_path, monkeypatch, capsys):
    import tempfile

    import click

    from ledger.cli.boundary import run_command

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    @click.command()
    def broken() -> None:
        raise RuntimeError("no answer from https://ana:bugpass-61@example.org/?token=bugpass-61")

    assert run_command(broken, []) == 4
    (report,) = tmp_path.glob("ledger-bug-*.txt")
    assert "example.org" in report.read_text()
    assert "bugpass-61" not in report.read_text() + capsys.readouterr().err
