"""The examples in the documentation and in docstrings give what stands there."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import brickwork

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
MODULES = sorted(module.name for module in pkgutil.walk_packages(brickwork.__path__, "brickwork."))


def blocks(page: Path) -> list[tuple[int, str]]:
    """Line and text of each fenced block of Python on a page."""
    text = page.read_text(encoding="utf-8")
    found = re.finditer(r"^```(?:python|pycon)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [(text.count("\n", 0, match.start(1)), match[1]) for match in found]


def run(test: doctest.DocTest) -> None:
    """Run it in its own names; a failure reports what was expected and what came."""
    said: list[str] = []
    runner = doctest.DocTestRunner(verbose=False)
    runner.run(test, out=said.append, clear_globs=False)
    assert runner.failures == 0, "".join(said)


@pytest.fixture(autouse=True)
def fresh(monkeypatch, tmp_path):
    """Files go into a folder of their own, automatic names and random seeds start anew."""
    monkeypatch.chdir(tmp_path)
    brickwork.utils.clear_session()
    brickwork.utils.set_random_seed(0)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_pages(page):
    """The blocks of a page are one session; those without prompts only have to run."""
    names: dict[str, object] = {"__name__": "__main__"}
    for line, text in blocks(page):
        if ">>> " not in text:
            exec(compile("\n" * line + text, str(page), "exec"), names)
            continue
        test = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), line)
        test.globs = names  # get_doctest would copy them
        run(test)


def test_the_first_page_shows_what_was_promised():
    text = "".join(block for _, block in blocks(ROOT / "docs" / "first-page.md"))
    assert text.count(">>> ") > 40
    for shown in (
        "-12.0",
        "{'x': -4.0, 'y': -4.0, 'z': 3.0}",
        "array([[24.,  6., 12.]])",
        "0.0003293, 0.01798, 0.9817",
        "GradientError",
    ):
        assert shown in text


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name):
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "brickwork").startswith("brickwork"):
            raise
        pytest.skip(f"needs {error.name}, which is not installed")
    for test in doctest.DocTestFinder(exclude_empty=True).find(module, name):
        if test.examples:
            run(test)


def test_a_wrong_number_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("Text\n\n```python\n>>> 1 + 1\n3\n```\n", encoding="utf-8")
    ((line, text),) = blocks(page)
    with pytest.raises(AssertionError, match=r"line 4[\s\S]*Expected:\s+3\s+Got:\s+2"):
        run(doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), line))
