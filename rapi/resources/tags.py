"""Tags of the cluster and of what has a name on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from rapi.caller import Caller
from rapi.errors import Refused
from rapi.paths import Dependency, NotSendable, check_segment, check_tags, depends_body, flag
from rapi.words import words as _

Tagged = Literal["cluster", "group", "instance", "network", "node"]


def tags_path(of: Tagged, name: str) -> str:
    """The path of the tags of something. ValueError if the name can't be one; the cluster's is left empty."""
    if of == "cluster":
        if name:
            raise NotSendable(_("RAPI serves one cluster: its tags go without a name."))
        return "/2/tags"
    return f"/2/{of}s/{check_segment(name)}/tags"


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
        return self._change_tags("PUT", of, name, tags, reason, dry_run, depends)

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
        return self._change_tags("DELETE", of, name, tags, reason, dry_run, depends)

    def _change_tags(
        self,
        method: str,
        of: Tagged,
        name: str,
        tags: Sequence[str],
        reason: str,
        dry_run: bool,
        depends: Sequence[Dependency],
    ) -> int:
        query = [("tag", each) for each in check_tags(tags)] + flag("dry-run", dry_run)
        return self._submit(method, tags_path(of, name), reason=reason, query=query, body=depends_body(depends))
