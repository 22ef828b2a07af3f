"""What tests of templates share."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from operations.contract import SITE, Ask, Invalid
from operations.pipeline import run
from tests.creating.conftest import SPEC, Maker
from ui.templatetags.units import SPACE
from virtualmachines.models import MachineTemplate
from virtualmachines.operations.templates import (
    CreateTemplate,
    TemplateParams,
)
from virtualmachines.spec import VMSpec
from virtualmachines.spec.copying import as_template

SMALL = as_template(SPEC)


def keep(maker: Maker, name: str = "small", spec: VMSpec = SMALL, **params: Any) -> MachineTemplate:
    """A template of Alice's for the cluster, unless `params` say otherwise."""
    wanted = TemplateParams(**{"name": name, "cluster": maker.cluster, "spec": spec, **params})
    entry = run(CreateTemplate(), Ask(maker.alice, SITE, wanted))
    return MachineTemplate.objects.get(pk=entry.target_pk)


def refused(maker: Maker, **params: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        keep(maker, **params)
    return caught.value.errors


def page_of(client: Client, url: str, data: dict[str, str] | None = None, status: int = 200) -> str:
    answer = client.get(url) if data is None else client.post(url, data)
    assert answer.status_code == status, re.findall(
        r"error-summary.*?</div>|banner.*?</div>", answer.content.decode(), re.DOTALL
    )
    return unescape(answer.content.decode()).replace(SPACE, " ")
