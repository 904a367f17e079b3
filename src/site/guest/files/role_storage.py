"""The file server: NFS 4 with the volume behind it. In the kernel where it can, in user space where it cannot."""
import machine
from machine import DATA, run, write

FILES = DATA + "/files"
# the application's user has this number on every machine, so that files belong to it wherever they are seen
USER = 20990
PORT_MAPPER = ("rpcbind.service", "rpcbind.socket", "rpc-statd.service", "nfs-ganesha-lock.service")


def apply(context):
    machine.folder(FILES, mode=0o750)
    run("chown", f"{USER}:{USER}", FILES)
    # old versions of the protocol need a port mapper that nobody else needs; masked first, so that it never starts
    run("systemctl", "mask", "--now", *PORT_MAPPER, check=False)
    if in_kernel():
        kernel(context)
    else:
        user_space(context)


def in_kernel():
    run("modprobe", "nfsd", check=False)
    return "nfsd" in machine.read("/proc/filesystems").split()


def kernel(context):
    machine.apt("nfs-kernel-server")
    run("systemctl", "disable", "--now", "nfs-ganesha.service", check=False)
    changed = write("/etc/nfs.conf.d/invenioils.conf", machine.shared_file("nfs.conf") + f"host={context.address}\n", mode=0o644)
    changed |= machine.drop_in("nfs-server.service", machine.needs_data())
    line = f"{FILES} {context.document['cidr']}(rw,sync,no_subtree_check,root_squash,sec=sys,fsid=0)\n"
    if write("/etc/exports.d/invenioils.exports", line, mode=0o644):
        run("exportfs", "-ra", check=False)
    machine.unit("nfs-server.service", changed=changed)


def user_space(context):
    # the kernel's own way of asking for names and keys, which is not there
    run("systemctl", "mask", "run-rpc_pipefs.mount", check=False)
    machine.apt("nfs-ganesha", "nfs-ganesha-vfs")
    values = {"ADDRESS": context.address, "FILES": FILES, "CLIENTS": context.document["cidr"]}
    changed = write("/etc/ganesha/ganesha.conf", machine.filled("ganesha.conf", **values), mode=0o644)
    changed |= machine.drop_in("nfs-ganesha.service", machine.needs_data("Restart=on-failure\nRestartSec=5\n"))
    machine.unit("nfs-ganesha.service", changed=changed)


def serving():
    return any(machine.active(unit) == "ready" for unit in ("nfs-server.service", "nfs-ganesha.service"))


def listening(context):
    wanted = "".join(f"{int(part):02X}" for part in reversed(context.address.split("."))) + ":0801"
    sockets = machine.read("/proc/net/tcp") + machine.read("/proc/net/tcp6")
    return any(wanted in line and " 0A " in line for line in sockets.splitlines()) or "00000000:0801" in sockets


def health(context):
    return {"storage": "ready" if serving() and listening(context) else "does not answer"}


def facts(context):
    used = run("df", "--output=used", "-B1", DATA, check=False).split()
    return {"version": "4.2", "used_bytes": int(used[-1]) if used and used[-1].isdigit() else 0}
