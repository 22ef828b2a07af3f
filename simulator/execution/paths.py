"""Where disks are on their node."""

from simulator.model import Instance


def path_of(instance: Instance, index: int) -> str:
    """Where the primary node has a disk when it is active."""
    disk = instance.disks[index]
    paths = {
        "drbd": f"/dev/drbd{index}",
        "rbd": f"/dev/rbd/rbd/{disk.uuid}.rbd.disk{index}",
        "ext": f"/dev/ext/{disk.uuid}.ext.disk{index}",
        "file": f"/srv/ganeti/file-storage/{instance.name}/{disk.uuid}.file.disk{index}",
        "sharedfile": f"/srv/ganeti/shared-file-storage/{instance.name}/{disk.uuid}.sharedfile.disk{index}",
        "gluster": f"/var/run/ganeti/gluster/ganeti/{disk.uuid}.{index}",
    }
    return paths.get(instance.disk_template, f"/dev/xenvg/{disk.uuid}.disk{index}")
