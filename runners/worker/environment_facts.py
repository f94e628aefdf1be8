"""What an interpreter's environment is made of, as JSON. Needs Python >= 3.11 and its standard library alone.

    python -P facts.py [NAME …]

NAME: the distributions whose files are digested too. None of them is imported, and no environment variable is
read but those listed here. What this prints is not fit to be kept as it is: the URL that a package came
from may hold a password, which `ledger.environments.environment` takes out.
"""

import base64
import csv
import hashlib
import json
import os
import platform
import re
import sys
from collections.abc import Collection, Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

Facts = dict[str, Any]

# What changes what a model computes, or where it looks for it. Nothing else is ever read.
VARIABLES = (
    "ATEN_CPU_CAPABILITY",
    "CUBLAS_WORKSPACE_CONFIG",
    "CUDA_VISIBLE_DEVICES",
    "HF_HUB_OFFLINE",
    "MKL_CBWR",
    "MKL_NUM_THREADS",
    "NVIDIA_TF32_OVERRIDE",
    "OMP_NUM_THREADS",
    "PYTHONHASHSEED",
    "PYTORCH_ALLOC_CONF",
    "PYTORCH_CUDA_ALLOC_CONF",
    "TOKENIZERS_PARALLELISM",
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
    "TRANSFORMERS_OFFLINE",
)
# Written by the installer, not by the wheel: they differ between environments with equal packages.
INSTALLERS_OWN = {
    "RECORD",
    "RECORD.jws",
    "RECORD.p7s",
    "INSTALLER",
    "REQUESTED",
    "direct_url.json",
    "uv_cache.json",
}
SCRIPT_FOLDERS = {"bin", "Scripts"}
ABOVE = re.compile(r"^(\.\./)+")  # how far up share/ is differs between layouts
MOST_NAMED = 20
NAMED = re.compile(r"^(Name|Version):(.*)$", re.MULTILINE)
AVX512 = {"avx512f", "avx512vl", "avx512bw", "avx512dq", "fma"}
AVX2 = {"avx2", "fma"}


def collect(digested: Collection[str] = (), checked: Collection[str] = ()) -> Facts:
    """The facts of this interpreter.

    `digested`: the normalized names of those whose files are digested; `checked`: of those whose code is only
    looked at for changes.
    """
    found: dict[str, Facts] = {}
    for name, version, dist in first_of_each():
        found[name] = {"version": version, **origin(dist)}
        if name in digested:
            found[name].update(files(dist))
        elif name in checked:
            found[name].update(changed_code(dist))
    return {
        "interpreter": sys.executable,
        "python": {"version": platform.python_version(), "implementation": sys.implementation.name},
        "markers": marker_values(),
        "distributions": found,
        "torch": torch_build(found.get("torch")),
        "machine": machine(found),
        "reported": reported(),
    }


def first_of_each() -> Iterator[tuple[str, str, Distribution]]:
    """Normalized name and version of every distribution; of two with one name the first, as import has it."""
    seen: set[str] = set()
    for dist in distributions():
        metadata = headers(dist)
        name = re.sub(r"[-_.]+", "-", metadata.get("Name", "")).lower()
        if name and name not in seen:
            seen.add(name)
            yield name, metadata.get("Version") or "unknown", dist


def headers(dist: Distribution) -> dict[str, str]:
    """The first Name and Version in its metadata; the library's parser reads all of the description too."""
    # An egg-info has PKG-INFO, or is that file itself.
    text = dist.read_text("METADATA") or dist.read_text("PKG-INFO") or dist.read_text("") or ""
    head = re.split(r"\r?\n\r?\n", text, maxsplit=1)[0]
    return {key: value.strip() for key, value in reversed(NAMED.findall(head))}


def origin(dist: Distribution) -> Facts:
    """Where it came from, if from no index: PEP 610's direct_url.json as far as it distinguishes origins."""
    text = dist.read_text("direct_url.json")
    if not text:
        return {}
    try:
        data = json.loads(text)
        facts = {
            "url": str(data["url"]),
            "editable": bool(data.get("dir_info", {}).get("editable", False)),
            "commit": data.get("vcs_info", {}).get("commit_id"),
            "archive": data.get("archive_info", {}).get("hash"),
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        facts = {"url": "unreadable", "editable": False, "commit": None, "archive": None}
    return {"origin": facts}


def files(dist: Distribution) -> Facts:
    """The digest over the RECORD rows of the wheel's own files, and which of those are not as recorded.

    A file that is missing, or whose size is not the recorded one, was changed after it was installed: it is
    taken as it is now. An edit that keeps the size is not seen: that would take reading every file.
    """
    record = dist.read_text("RECORD")
    if record is None:
        return {"files": None, "changed": []}
    root = Path(str(dist.locate_file("")))
    rows, changed = [], []
    for path, recorded, size in own_rows(record):
        as_recorded = not size or size == size_of(f"{root}/{path}")
        if not as_recorded:
            changed.append(path)
        digest = recorded if as_recorded else digest_now(root / path)
        rows.append(f"{ABOVE.sub('', path)},{digest}\n")
    total = hashlib.sha256("".join(sorted(rows)).encode("utf-8", "surrogateescape"))
    return {"files": f"sha256:{total.hexdigest()}", "changed": changed[:MOST_NAMED]}


def changed_code(dist: Distribution) -> Facts:
    """Which files that run, Python or library, are not of the recorded size; costs a third of `files`."""
    record = dist.read_text("RECORD") or ""
    root = Path(str(dist.locate_file("")))
    rows = "\n".join(row for row in record.splitlines() if ".py," in row or ".so," in row)
    changed = [path for path, _, size in own_rows(rows) if size and size != size_of(f"{root}/{path}")]
    return {"changed": changed[:MOST_NAMED]}


def own_rows(record: str) -> Iterator[tuple[str, str, str]]:
    """Path, digest and size of each file that the wheel itself brought."""
    for row in csv.reader(record.splitlines()):
        if len(row) != 3:
            continue
        path = row[0]
        folder, _, name = path.rpartition("/")
        if name.endswith(".pyc") or (name in INSTALLERS_OWN and folder.endswith(".dist-info")):
            continue
        if path.startswith("../") and SCRIPT_FOLDERS & set(folder.split("/")):
            continue
        yield path, row[1], row[2]


def size_of(path: str) -> str | None:
    """Bytes as RECORD writes them; None where there is no such file."""
    try:
        return str(os.stat(path).st_size)  # noqa: PTH116 - 20,000 files, and pathlib takes twice as long
    except OSError:
        return None


def digest_now(path: Path) -> str:
    """The file's digest in RECORD's own notation, "missing" where it cannot be read."""
    try:
        raw = hashlib.sha256(path.read_bytes()).digest()
    except OSError:
        return "missing"
    return "sha256=" + base64.urlsafe_b64encode(raw).decode().rstrip("=")


def torch_build(torch: Facts | None) -> str | None:
    """Which build of torch this is: the version's local part, else the CUDA that its version.py states."""
    if torch is None:
        return None
    _, plus, local = torch["version"].partition("+")
    if plus:
        return str(local)
    for folder in sys.path:
        try:
            stated = Path(folder, "torch", "version.py").read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        cuda = re.search(r"^cuda\b.*= *'([\d.]+)'", stated, re.MULTILINE)
        return f"cuda {cuda[1]}" if cuda else "plain"
    return "plain"


def machine(found: dict[str, Facts]) -> Facts:
    """What of the machine can change a result."""
    versions = {name: facts["version"] for name, facts in found.items()}
    return {
        "platform": f"{sys.platform}-{platform.machine()}",
        "libc": libc(),
        "cpu_capability": cpu_capability(),
        "cuda": next(
            (versions[name] for name in sorted(versions) if name.startswith("nvidia-cuda-runtime")), None
        ),
        "cudnn": next((versions[name] for name in sorted(versions) if name.startswith("nvidia-cudnn")), None),
        "variables": {name: os.environ[name][:200] for name in VARIABLES if name in os.environ},
    }


def libc() -> str:
    """Such as `glibc 2.36`; what `platform` finds where the C library does not report it."""
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or "unknown"
    except (AttributeError, ValueError, OSError):
        return " ".join(platform.libc_ver()).strip() or "unknown"


def cpu_capability() -> str | None:
    """The vector level that torch picks its CPU kernels by (its DispatchStub.cpp); None off x86."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    flags = re.search(r"^flags\s*:(.*)$", text, re.MULTILINE)
    return level_of(set(flags[1].split())) if flags else None


def level_of(have: set[str]) -> str:
    """The highest level all of whose flags the CPU has."""
    return "AVX512" if have >= AVX512 else "AVX2" if have >= AVX2 else "DEFAULT"


def reported() -> Facts:
    """What is reported but is in no digest: no result depends on it, and rented hosts differ."""
    return {
        "host": platform.node(),
        "kernel": platform.release(),
        "cpus": os.cpu_count(),
        "nvidia_driver": nvidia_driver(),
        "gpus": gpus(),
    }


def nvidia_driver() -> str | None:
    """The kernel module's version."""
    try:
        return Path("/sys/module/nvidia/version").read_text(encoding="ascii").strip()
    except OSError:
        return None


def gpus() -> list[str]:
    """The model of each NVIDIA GPU that the driver lists."""
    models = []
    for path in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information")):
        model = re.search(
            r"^Model:\s*(.+)$", path.read_text(encoding="utf-8", errors="replace"), re.MULTILINE
        )
        models += [model[1].strip()] if model else []
    return models


def marker_values() -> dict[str, str]:
    """PEP 508's environment markers, so that another interpreter can read a lockfile for this one."""
    version = sys.implementation.version
    kind = "" if version.releaselevel == "final" else f"{version.releaselevel[0]}{version.serial}"
    return {
        "implementation_name": sys.implementation.name,
        "implementation_version": f"{version.major}.{version.minor}.{version.micro}{kind}",
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": platform.python_version(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "sys_platform": sys.platform,
    }


if __name__ == "__main__":
    json.dump(collect(set(sys.argv[1:])), sys.stdout)
