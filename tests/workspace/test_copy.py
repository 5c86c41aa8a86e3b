"""Copies of projects: what is copied, linked and left out, and whose code editable installs import."""

from __future__ import annotations

from pathlib import Path

from agent_core.workspace.copy import copy_project, editable_paths
from tests.projects import write_files

FINDER = """
from __future__ import annotations
MAPPING: dict[str, str] = {mapping!r}
NAMESPACES: dict[str, list[str]] = {{}}
def install():
    pass
"""


def test_what_is_copied(tmp_path: Path) -> None:
    root = tmp_path / "p"
    write_files(
        root,
        {
            "a.py": "a\n",
            ".env": "local\n",
            "gen/code.py": "made\n",
            "gen/__pycache__/code.pyc": "",
            "gen/node_modules/m.js": "",
            "myenv/pyvenv.cfg": "",
            "build/out.o": "",
            ".mypy_cache/x.json": "",
        },
    )
    (root / "big.bin").write_bytes(bytes(2_000_000))
    (root / "native.so").write_bytes(bytes(2_000_000))
    ignored = [".env", "gen/", "myenv/", "build/", ".mypy_cache/", "big.bin", "native.so", "gone"]
    copy_project(root, tmp_path / "copy", ["a.py", "gone.py"], ignored)
    found = {str(path.relative_to(tmp_path / "copy")) for path in (tmp_path / "copy").rglob("*") if not path.is_dir()}
    links = {str(path.relative_to(tmp_path / "copy")) for path in (tmp_path / "copy").rglob("*") if path.is_symlink()}
    assert found - links == {"a.py", ".env", "gen/code.py", "native.so"}
    assert links == {"gen/node_modules", "myenv"}
    assert (tmp_path / "copy" / "a.py").stat().st_mtime_ns == (root / "a.py").stat().st_mtime_ns
    (tmp_path / "copy" / "a.py").write_text("changed\n")
    assert (root / "a.py").read_text() == "a\n"


def test_editable_installs_of_every_kind(tmp_path: Path) -> None:
    root, copy = tmp_path / "p", tmp_path / "copy"
    site = tmp_path / "env" / "lib" / "python3.11" / "site-packages"
    mapping = {
        "plain": str(root / "lib" / "plain"),
        "renamed": str(root / "odd folder"),
        "module": str(root / "mods" / "module"),
        "elsewhere": str(tmp_path / "other" / "elsewhere"),
    }
    write_files(root, {"src/x.py": "", "lib/plain/__init__.py": "", "odd folder/__init__.py": "", "mods/module.py": ""})
    write_files(copy, {"odd folder/__init__.py": "WHO = 'copy'\n"})
    write_files(
        site,
        {
            "_sample.pth": f"{root / 'src'}\n",
            "other.pth": f"# comment\nimport os\n{tmp_path / 'other'}\n\nrelative\n",
            "__editable___sample_finder.py": FINDER.format(mapping=mapping),
            "__editable___broken_finder.py": "MAPPING = {",
        },
    )
    shims = tmp_path / "shims"
    found = editable_paths(tmp_path / "env", root, copy, shims)
    assert found == (copy / "src", copy / "lib", shims, copy / "mods")
    assert (shims / "renamed" / "__init__.py").read_text() == "WHO = 'copy'\n"
