"""The commit that the work tree is compared with: which one, and its files, read without a checkout."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ledger.errors import LedgerError, UsageError
from ledger.evidence.gate import FIRST_COMMIT
from ledger.git.client import GitError, ask, paths, run, top_of
from ledger.git.pushes import Push

DEFAULT_BRANCHES = ("origin/HEAD", "origin/main", "origin/master", "main", "master")
SHALLOW = "this clone is shallow, and {} is not in it"
UNSHALLOW = "fetch the history: git fetch --unshallow (in actions/checkout: fetch-depth: 0), or name a --base"


@dataclass(frozen=True, slots=True)
class Base:
    """What a branch is compared with. `tree` is a commit, or the empty tree; `name` is what messages show."""

    tree: str
    name: str


class GitHistory:
    """The git history around `root`, a folder in a repository. Paths are relative to `root`.

    Raises LedgerError when there is no git repository.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        try:
            top_of(root)
        except GitError as error:  # none there, a bare one, or one that git does not trust
            if error.said == "not installed":
                raise
            raise LedgerError(
                f"git cannot read {root}: {error.said}", hint="try there: git status"
            ) from error

    def base(self, ref: str | None = None) -> Base:
        """Where HEAD left `ref`, or the default branch if none is named.

        On the default branch itself: HEAD if there are uncommitted changes, else the previous commit.
        Raises UsageError for a ref that does not exist, LedgerError if a shallow clone lacks it.
        """
        if self._commit("HEAD") is None:
            raise LedgerError("there is no commit yet", hint="make the first one: git commit")
        if ref is not None:
            return self._merge_base(self._named(ref))
        branch = next((name for name in DEFAULT_BRANCHES if self._commit(name)), None)
        base = self._merge_base(branch) if branch else None
        if base is None or base.tree == self._commit("HEAD"):
            return self._on_the_branch_itself(branch)
        return base

    def before_push(self, push: Push) -> Base | None:
        """The commit before a push; None if HEAD is not the commit that was pushed.

        Raises LedgerError where the clone lacks it, as after a push that replaced the history.
        """
        if self._commit("HEAD") != self._commit(push.after):
            return None
        commit = self._commit(push.before)
        if commit is None:
            short = push.before[:12]
            if self._is_shallow():
                raise LedgerError(SHALLOW.format(f"{short}, the commit before this push"), hint=UNSHALLOW)
            raise LedgerError(
                f"{short}, the commit before this push, is not in this clone: the push replaced the history",
                hint="compare with a commit that is there: ledger gate --base REF",
            )
        return Base(commit, f"{self._ask('rev-parse', '--short', commit)}, before this push")

    def pushed(self, base: Base) -> list[tuple[Base, Base]]:
        """Each parent and commit between the base and HEAD, oldest first."""
        listed = self._ask("rev-list", "--reverse", "--topo-order", "--parents", "HEAD", f"^{base.tree}")
        pairs = []
        for commit, *parents in map(str.split, listed.splitlines()):
            pairs += [(Base(one, one[:12]), Base(commit, f"commit {commit[:12]}")) for one in parents]
        return pairs

    def file(self, base: Base, path: Path) -> bytes:
        """The content of a file in the base; empty if it has no such file."""
        try:
            return run(self.root, "show", f"{base.tree}:./{self._relative(path)}")
        except GitError:
            return b""

    def changed(self, base: Base, folders: Sequence[Path], patterns: Sequence[str] = ()) -> list[str]:
        """The files that differ between the base and the work tree, including new ones.

        Those below `folders`, and those anywhere that match pathspecs such as `*.txt`.
        """
        places = [*map(self._relative, folders), *patterns]
        diff = self._paths(
            "diff", "--name-only", "--relative", "--no-renames", "-z", base.tree, "--", *places
        )
        return sorted(
            {*diff, *self._paths("ls-files", "-z", "--others", "--exclude-standard", "--", *places)}
        )

    def files(self, pattern: str) -> list[str]:
        """The files of the work tree that match a pathspec such as `*.md`, without those that git ignores."""
        listed = self._paths("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", pattern)
        return sorted({path for path in listed if (self.root / path).is_file()})

    def export(self, base: Base, folders: Sequence[Path], suffixes: Sequence[str], into: Path) -> None:
        """Write the base's files below `folders` with these suffixes into another folder."""
        places = [self._relative(folder) for folder in folders]
        for path in self._paths("ls-tree", "-r", "-z", "--name-only", base.tree, "--", *places):
            if path.endswith(tuple(suffixes)):
                target = into / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(self.file(base, self.root / path))

    def _named(self, ref: str) -> str:
        """The ref, or its remote branch: a CI checkout has `origin/main` and no `main`."""
        found = next((name for name in (ref, f"origin/{ref}") if self._commit(name)), None)
        if found is None:
            raise UsageError(f"unknown branch or commit {ref!r}", hint=f"fetch it: git fetch origin {ref}")
        return found

    def _merge_base(self, name: str) -> Base:
        commit = self._ask("merge-base", name, "HEAD")
        if commit:
            short = self._ask("rev-parse", "--short", commit)
            return Base(commit, name if commit == self._commit(name) else f"{short}, where it left {name}")
        if self._is_shallow():
            raise LedgerError(SHALLOW.format(f"the commit where this branch left {name}"), hint=UNSHALLOW)
        raise LedgerError(f"HEAD and {name} have no commit in common", hint="name another --base")

    def _on_the_branch_itself(self, branch: str | None) -> Base:
        why = f"HEAD is already in {branch}" if branch else "no default branch found"
        head = self._commit("HEAD") or ""
        if self._ask("status", "--porcelain", "--untracked-files=no"):
            return Base(head, f"HEAD, with uncommitted changes ({why})")
        if parent := self._commit("HEAD^"):
            return Base(parent, f"the previous commit ({why})")
        if self._is_shallow():
            raise LedgerError(SHALLOW.format("the commit before HEAD"), hint=UNSHALLOW)
        return Base(self._ask("hash-object", "-t", "tree", "/dev/null"), FIRST_COMMIT)

    def _commit(self, name: str) -> str | None:
        return self._ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}") or None

    def _is_shallow(self) -> bool:
        return self._ask("rev-parse", "--is-shallow-repository") == "true"

    def _relative(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def _ask(self, *command: str) -> str:
        return ask(self.root, *command)

    def _paths(self, *command: str) -> list[str]:
        return paths(self.root, *command)
