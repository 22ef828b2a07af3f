"""Tags of the cluster and of what has a name on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from clusters.rapi.caller import Caller
from clusters.rapi.errors import Refused
from clusters.rapi.paths import Dependency, check_segment, check_tags, depends_body, flag

Tagged = Literal["cluster", "group", "instance", "network", "node"]


def tags_path(of: Tagged, name: str) -> str:
    """The path of the tags of something; the cluster's name is left empty. ValueError if the name can't be one."""
    return "/2/tags" if of == "cluster" and not name else f"/2/{of}s/{check_segment(name)}/tags"


class TagCalls(Caller):
    """Tags, by the kind of what bears them and its name."""

    def get_tags(self, of: Tagged, name: str = "") -> frozenset[str]:
        """Tags. NotFound if there is nothing of that name."""
        try:
            value = self._get(tags_path(of, name))
        except Refused as error:
            raise self._not_found_instead(error) from error
        return frozenset(each for each in self._list_of_any(value) if isinstance(each, str))

    def add_tags(
        self,
        of: Tagged,
        name: str,
        tags: Sequence[str],
        *,
        reason: str,
        dry_run: bool = False,
        depends: Sequence[Dependency] = (),
    ) -> int:
        """Add tags. Returns the job id."""
        query = [("tag", each) for each in check_tags(tags)] + flag("dry-run", dry_run)
        return self._submit("PUT", tags_path(of, name), reason=reason, query=query, body=depends_body(depends))

    def remove_tags(
        self,
        of: Tagged,
        name: str,
        tags: Sequence[str],
        *,
        reason: str,
        dry_run: bool = False,
        depends: Sequence[Dependency] = (),
    ) -> int:
        """Remove tags; one that isn't there fails the job. Returns the job id."""
        query = [("tag", each) for each in check_tags(tags)] + flag("dry-run", dry_run)
        return self._submit("DELETE", tags_path(of, name), reason=reason, query=query, body=depends_body(depends))
