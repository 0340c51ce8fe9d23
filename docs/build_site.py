"""Build the documentation site: the Markdown pages of this project and an API reference made from its docstrings.

    python docs/build_site.py [FOLDER]      default: site/

Needs no network, and the pages load nothing from other hosts (`docs/theme/main.html` forbids it to the browser).
Zensical renders a folder that this script lays out like the project, so that links between pages work in both.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import reference

PROJECT = Path(__file__).parents[1]

PAGES = {
    "README.md": "lo2core",
    "docs/command-line.md": "Command line",
    "docs/configuration.md": "Configuration",
    "docs/files.md": "Files",
    "docs/formats.md": "Log formats",
    "docs/tables.md": "Tables",
    "docs/growing.md": "Growing logs",
    "docs/templates.md": "Templates",
    "docs/detection.md": "Detection",
    "docs/explainability.md": "Explaining and comparing",
    "docs/performance.md": "Performance",
    "docs/scale.md": "Many machines",
    "docs/reliability.md": "Reliability",
    "docs/architecture.md": "Architecture",
    "docs/glossary.md": "Glossary",
    "CONTRIBUTING.md": "Contributing",
    "SECURITY.md": "Security",
    "CHANGELOG.md": "Changelog",
}
"""Pages in the order of the menu, with their titles there."""


def build(target: Path) -> None:
    """Write the site into `target`, replacing what is there; a warning, such as a broken link, is an error."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        shutil.copytree(PROJECT / "docs" / "theme", work / "theme")
        shutil.copy(PROJECT / "docs" / "zensical.toml", work)
        (work / "lo2core").symlink_to(PROJECT / "lo2core")
        lay_out(work / "pages")
        zensical = Path(sys.executable).with_name("zensical")
        subprocess.run([zensical, "build", "--strict"], cwd=work, check=True)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(work / "site", target)


def lay_out(folder: Path) -> None:
    """Copy pages and pictures, write a page for each module of the package, and the menu (`SUMMARY.md`)."""
    for source in [*PAGES, *(str(picture.relative_to(PROJECT)) for picture in PROJECT.glob("docs/*.png"))]:
        (folder / source).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / source, folder / source)
    menu = [f"* [{title}]({page})" for page, title in PAGES.items()]
    (folder / "api").mkdir()
    menu.append("* API reference")
    for module, path in modules().items():
        indent, name = "    " * (module.count(".") + 1), module.rpartition(".")[2]
        if path.stat().st_size == 0:
            menu.append(f"{indent}* {name}")
            continue
        (folder / "api" / f"{module}.md").write_text(f"# {module}\n\n::: {module}\n")
        menu.append(f"{indent}* [{name}](api/{module}.md)")
    (folder / "SUMMARY.md").write_text("\n".join(menu) + "\n")


def modules() -> dict[str, Path]:
    """The modules of lo2core by their dotted names, a package before its contents."""
    found = {}
    for path in (PROJECT / "lo2core").rglob("*.py"):
        parts = path.relative_to(PROJECT).with_suffix("").parts
        found[".".join(parts[:-1] if path.stem == "__init__" else parts)] = path
    return {name: found[name] for name in sorted(found, key=lambda name: name.split(".")) if "__main__" not in name}


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else PROJECT / "site").resolve()
    reference.write()
    build(target)
    print(target / "index.html")
