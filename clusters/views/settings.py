"""A cluster's settings, as /2/info tells them, in the words of the catalogue."""

from typing import Any

from django.utils.translation import gettext as _

from clusters.catalogue import BACKEND, NIC_DEFAULTS, Table, of_hypervisor, of_template
from clusters.described import Section, describe_table
from clusters.views.stored import moment_of, table_of
from ui.moments import tell

_NOTHING: Table = {}


def describe_settings(info: dict[str, Any], hypervisors: list[str]) -> list[Section]:
    """Single values, then each table of parameters."""
    plain = {name: _shown(name, value) for name, value in info.items() if not isinstance(value, dict)}
    hvparams, diskparams = table_of(info.get("hvparams")), table_of(info.get("diskparams"))
    tables: list[tuple[str, Any, Table]] = [
        (_("Cluster"), plain, _NOTHING),
        (_("Defaults for machines"), table_of(info.get("beparams")).get("default"), BACKEND),
        (_("Defaults for network cards"), table_of(info.get("nicparams")).get("default"), NIC_DEFAULTS),
        *((_("Hypervisor %s") % name, hvparams.get(name), of_hypervisor(name)) for name in hypervisors),
        (_("Nodes"), info.get("ndparams"), _NOTHING),
        *((_("Disk template %s") % name, diskparams[name], of_template(name)) for name in sorted(diskparams)),
        (_("Policy for machines"), _flatten(info.get("ipolicy") or {}), _NOTHING),
    ]
    return [Section(title, describe_table(table_of(values), table)) for title, values, table in tables]


def _shown(name: str, value: Any) -> Any:
    if name in ("ctime", "mtime") and (moment := moment_of(value)) is not None:
        return tell(moment)
    return ", ".join(str(each) for each in value) if isinstance(value, list) else value


def _flatten(value: Any, path: str = "") -> dict[str, Any]:
    """Nested tables and lists of tables as one table with paths."""
    if isinstance(value, dict):
        return {
            name: each
            for key, inner in value.items()
            for name, each in _flatten(inner, f"{path}.{key}" if path else str(key)).items()
        }
    if isinstance(value, list) and any(isinstance(each, dict) for each in value):
        return {
            name: each for index, inner in enumerate(value) for name, each in _flatten(inner, f"{path}.{index}").items()
        }
    return {path: ", ".join(str(each) for each in value) if isinstance(value, list) else value}
