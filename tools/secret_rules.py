"""Makes `ledger/utils/secret_rules.json`: `secret_rules.py gitleaks.toml LICENSE`, both of one release.

Kept are the rules whose match begins with a sign of its own (`dapi`, `npm_`). Rules that look for the name of
a service near any word of 32 hex digits would take digests and commits for keys.
"""

import json
import re
import sys
import tomllib
from pathlib import Path

TARGET = Path(__file__).parents[1] / "ledger" / "utils" / "secret_rules.json"
BY_NEAR_NAME = ("(?i)[\\w.-]{0,50}?", "[\\w.-]{0,50}?")
# Whole files, requests and addresses, which the ledger recognises in its own ways.
LEFT_OUT = {"kubernetes-secret-yaml", "nuget-config-password", "sidekiq-sensitive-url", "curl-auth-header",
            "curl-auth-user", "generic-api-key", "jwt", "private-key"}  # fmt: skip
END = "(?:[\\x60'\"\\s;]|\\\\[nr]|$)"


def main(rules: Path, licence: Path) -> None:
    """Write the rules as Python's `re` understands them."""
    kept = []
    for rule in tomllib.loads(rules.read_text(encoding="utf-8"))["rules"]:
        pattern = rule.get("regex", "")
        if not pattern or pattern.startswith(BY_NEAR_NAME) or rule["id"] in LEFT_OUT:
            continue
        pattern = pattern.replace(END, "(?![A-Za-z0-9])").replace("\\z", "\\Z")
        if "(?i)" in pattern:
            pattern = "(?i)" + pattern.replace("(?i)", "")
        re.compile(pattern)
        kept.append({"id": rule["id"], "regex": pattern, "keywords": sorted(rule["keywords"])})
    document = {
        "source": "https://github.com/gitleaks/gitleaks, config/gitleaks.toml",
        "licence": licence.read_text(encoding="utf-8"),
        "rules": sorted(kept, key=lambda rule: str(rule["id"])),
    }
    TARGET.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
