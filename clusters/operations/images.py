"""Which CD images the machines of a cluster can be given."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy, gettext_noop

from clusters.models import Cluster
from clusters.operations.cluster import OnRecord
from objectlog.changes import Change
from objectlog.words import gettext as _
from operations.contract import Ask, Invalid

# So many fit into a choice that one can still read.
MOST = 200
_LONGEST_NAME, _LONGEST_PATH = 100, 1000


@dataclass(frozen=True)
class CdImage:
    """What people call it, and where it is: a path on every node, or an http URL that KVM reads."""

    name: str
    path: str


@dataclass(frozen=True)
class CdImagesParams:
    """All of them, in their order."""

    images: tuple[CdImage, ...] = ()


def read_images(cluster: Cluster) -> list[CdImage]:
    """Those that a cluster's admins listed."""
    return [CdImage(each["name"], each["path"]) for each in cluster.cd_images or []]


class SetCdImages(OnRecord[CdImagesParams]):
    """Whoever may change the settings of a machine chooses from them; paths are for admins alone."""

    verb = "cd-images"
    label = gettext_lazy("CD images")
    icon = "disk"
    question = gettext_lazy("CD images of {target}")
    consequence = gettext_lazy(
        "Whoever may change the settings of a machine can insert these. Machines that have one in their drive keep it."
    )
    params_type = CdImagesParams

    def check(self, ask: Ask[Cluster, CdImagesParams]) -> None:
        images = ask.params.images
        names = [image.name for image in images]
        if len(images) > MOST:
            raise Invalid({"images": _("These are more than %(most)d.") % {"most": MOST}})
        for image in images:
            if not image.name or len(image.name) > _LONGEST_NAME or not image.name.isprintable():
                raise Invalid({"images": _("Give each a name, of at most %d characters.") % _LONGEST_NAME})
            if names.count(image.name) > 1:
                raise Invalid({"images": _("There are two called %s.") % image.name})
            is_path = image.path.startswith(("/", "http://", "https://")) and image.path.isprintable()
            if not is_path or "/../" in image.path or len(image.path) > _LONGEST_PATH:
                raise Invalid({"images": _("%s needs an absolute path, or a URL that begins with http.") % image.name})

    def changes(self, ask: Ask[Cluster, CdImagesParams]) -> list[Change]:
        before, after = ([f"{each.name} = {each.path}" for each in images] for images in
                         (read_images(ask.target), ask.params.images))  # fmt: skip
        return [Change("cd_images", gettext_noop("CD images"), before, after)] if before != after else []

    def perform(self, ask: Ask[Cluster, CdImagesParams]) -> str:
        ask.target.cd_images = [{"name": image.name, "path": image.path} for image in ask.params.images]
        ask.target.save(update_fields=["cd_images"])
        return ""
