"""Whether a column has an index of its own."""

from typing import Any

from django.db import migrations


class AlterIndex(migrations.AlterField):
    """A field that gets or loses its index, and is otherwise as it was.

    SQLite would make the table anew for it, with all rows, and without columns that only the release before knows.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """The index alone, either way: Django calls this for the way back, too."""
        connection = schema_editor.connection
        if connection.vendor != "sqlite":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        field = model._meta.get_field(self.name)
        if field.db_index:
            schema_editor.execute(schema_editor._create_index_sql(model, fields=[field]))
            return
        with connection.cursor() as cursor:
            found = connection.introspection.get_constraints(cursor, model._meta.db_table)
        named = {index.name for index in model._meta.indexes}
        for name, each in found.items():
            if each["index"] and each["columns"] == [field.column] and name not in named:
                schema_editor.execute(f"DROP INDEX {schema_editor.quote_name(name)}")
