"""House rules that no linter knows (docs/architecture.md), read from the source."""

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]
FILES = [
    path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if "migrations" not in path.parts and "__pycache__" not in path.parts
]


@cache
def trees() -> list[tuple[str, ast.Module]]:
    return [(str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))) for path in FILES]


@cache
def nodes() -> list[tuple[str, ast.AST]]:
    return [(name, node) for name, tree in trees() for node in ast.walk(tree)]


def imports_of(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [node.module]
    return []


def test_there_is_something_to_read() -> None:
    assert len(FILES) > 50


def test_imports_stand_at_the_top() -> None:
    def is_ours(node: ast.AST) -> bool:
        return any(module.split(".")[0] in PACKAGES for module in imports_of(node))

    indented = {name for name, node in nodes() if is_ours(node) and node.col_offset}
    found = [
        f"{name}:{inner.lineno}"
        for name, function in nodes()
        if name in indented and isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(function)
        if is_ours(inner)
    ]
    assert found == []


def test_only_the_rapi_client_and_what_asks_sign_in_providers_speak_http() -> None:
    users = {name for name, node in nodes() if "requests" in imports_of(node)}
    assert users
    assert all(name.startswith("rapi/") for name in users - {"people/openid/asking.py"}), users


def test_rows_are_locked_as_each_database_can() -> None:
    """MariaDB refuses the narrower locks: no update and no operation worked there."""
    found = [
        f"{name}:{node.lineno}"
        for name, node in nodes()
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "select_for_update"
        if {word.arg for word in node.keywords} & {"of", "no_key"} and name != "operations/locking.py"
    ]
    assert found == []


def test_only_the_policy_reads_rights() -> None:
    primitives = {"is_superuser", "has_perm", "has_perms", "get_objects_for_user", "get_perms", "user_grants"}
    # they make or find the first administrator, or another when none can sign in
    makers = {"gwm/management/commands/", "gwm/preparation.py", "people/management/commands/rescue_admin.py"}
    found = [
        f"{name}:{node.lineno} {word}"
        for name, tree in trees()
        if not name.startswith("permissions/policy/") and not any(name.startswith(maker) for maker in makers)
        for node in ast.walk(tree)
        for word in [node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""]
        if word in primitives
    ]
    assert found == []


def test_templates_do_not_read_rights() -> None:
    words = ("is_superuser", "perms.", "has_perm")
    found = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in (ROOT / "templates").rglob("*.html")
        for word in words
        if word in path.read_text(encoding="utf-8")
    ]
    assert found == []


def test_no_signals_of_ours() -> None:
    found = [
        f"{name}:{node.lineno}"
        for name, node in nodes()
        if (isinstance(node, ast.Name) and node.id == "receiver")
        or (isinstance(node, ast.ImportFrom) and node.module == "django.dispatch")
    ]
    assert found == []


def test_no_exception_is_swallowed() -> None:
    found = [
        f"{name}:{node.lineno}"
        for name, node in nodes()
        if isinstance(node, ast.ExceptHandler)
        and (
            node.type is None
            or (
                (isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException"))
                and not any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
            )
        )
    ]
    assert found == []


@pytest.mark.parametrize("word", ["TESTING", "PYTEST_CURRENT_TEST"])
def test_production_code_does_not_ask_whether_it_is_tested(word: str) -> None:
    assert [str(path) for path in FILES if word in path.read_text(encoding="utf-8")] == []


def test_mark_safe_only_in_template_tags() -> None:
    users = [
        name
        for name, node in nodes()
        if isinstance(node, ast.Name) and node.id == "mark_safe" and "templatetags" not in name
    ]
    assert users == []


def test_templates_have_no_inline_script_or_style() -> None:
    found = []
    for path in (ROOT / "templates").rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        for word in (" style=", "<style", " onclick=", " onload=", " onsubmit=", " onchange=", "javascript:", "|safe"):
            if word in text:
                found.append(f"{path.relative_to(ROOT)}: {word}")
        for piece in text.split("<script")[1:]:
            if " src=" not in piece.split(">", 1)[0]:
                found.append(f"{path.relative_to(ROOT)}: inline script")
    assert found == []


def test_files_are_about_one_thing() -> None:
    too_long = {
        str(path.relative_to(ROOT)): lines
        for path in FILES
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert too_long == {}


def test_only_the_journal_writes_the_journal() -> None:
    """Neither through the models' managers nor through a row that was read."""
    writing = {"create", "bulk_create", "update", "bulk_update", "delete", "save", "get_or_create", "update_or_create"}
    rows = re.compile(r"\b(Entry|Event|ChainEnd)\.|\b(entry|event|entries|events)\b(?!\.)")
    found = [
        f"{name}:{node.lineno} {ast.unparse(node)}"
        for name, tree in trees()
        if not name.startswith("objectlog/")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in writing
        and rows.search(ast.unparse(node.func.value).split("(")[0])
    ]
    assert found == []


def test_only_the_pipeline_begins_entries() -> None:
    imports = [(name, node) for name, node in nodes() if isinstance(node, ast.ImportFrom)]
    users = {
        name
        for name, node in imports
        if node.module == "objectlog.services" and any(each.name == "begin" for each in node.names)
    }
    assert users == {"operations/pipeline.py"}


def test_tests_in_a_browser_look_again_where_the_content_policy_lets_them() -> None:
    """The browser's own `wait_for_function` evaluates a text in the page, which is refused from the second look on."""
    word = "wait_for_" + "function"
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in (ROOT / "tests").rglob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if f".{word}(" in line
    ]
    assert found == []
