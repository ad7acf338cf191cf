"""Alembic's own comparison of the project's models with the database, as operations; nothing is written."""

from __future__ import annotations

from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING, Any

from alembic.autogenerate import RevisionContext
from alembic.autogenerate.render import render_op_text
from alembic.operations.ops import MigrateOperation, ModifyTableOps
from alembic.runtime.environment import EnvironmentContext
from alembic.util import CommandError

from expandcontract.errors import ConfigError, PairError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from expandcontract.revisions.project import Project

ARGUMENTS = {
    "message": None,
    "autogenerate": True,
    "sql": False,
    "head": "head",
    "splice": False,
    "branch_label": None,
    "version_path": None,
    "rev_id": None,
    "depends_on": None,
}


@dataclass(frozen=True, slots=True)
class Difference:
    """What the models have and the database has not, or the other way round.

    Attributes:
        operations: What would make the database like the models, in Alembic's order.
        context: Alembic's, which renders them.
    """

    operations: tuple[MigrateOperation, ...]
    context: Any

    def source(self, operations: Iterable[MigrateOperation]) -> tuple[list[str], tuple[str, ...]]:
        """Python statements for ``operations``, and the imports that they need."""
        self.context.imports = set()
        lines = [render_op_text(self.context, operation) for operation in operations]
        return [str(line) for line in lines], tuple(sorted(self.context.imports))


def compare(project: Project) -> Difference:
    """Compare through the project's own ``env.py``; open changes are no difference.

    Raises:
        ConfigError: ``env.py`` names no models.
        PairError: The database lacks revisions of the expand branch.
    """
    revision = RevisionContext(project.config, project.scripts, dict(ARGUMENTS))

    def compared(rev: Any, context: Any) -> list[Any]:
        revision.run_autogenerate(rev, context)
        return []

    environment = EnvironmentContext(
        project.config, project.scripts, fn=compared, as_sql=False, template_args=revision.template_args
    )
    try:
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()), environment:
            project.scripts.run_env()
    except CommandError as exc:
        if "not up to date" in str(exc):
            msg = "the database lacks revisions that the project has, so the models cannot be compared with it"
            raise PairError(msg, hint="alembic upgrade expand@head, or ec advance what is planned") from exc
        msg = f"the models cannot be compared with the database: {exc}"
        raise ConfigError(msg, hint="set target_metadata in env.py to your models' MetaData") from exc
    script = revision.generated_revisions[-1]
    found = tuple(operation for listed in script.upgrade_ops_list for operation in _flat(listed.ops))
    return Difference(found, revision._last_autogen_context)  # noqa: SLF001  # the one that renders what was found


def _flat(operations: Iterable[Any]) -> Iterator[MigrateOperation]:
    for operation in operations:
        if isinstance(operation, ModifyTableOps):
            yield from _flat(operation.ops)
        else:
            yield operation
