"""What every machine has: its volume, names of its neighbours, package sources, hardening."""
import glob
import os
import subprocess
import time

import alerts
import machine
from machine import DATA, run, write


def apply(context):
    system()
    sources(context)
    neighbours(context)
    if context.role in ("database", "search", "cache", "queue", "storage"):
        volume(context)
    hardening(context)
    log_in(context)
    alerts.apply(context)


def released():
    lines = machine.read("/etc/os-release").splitlines()
    return {key: value.strip('"') for key, _, value in (line.partition("=") for line in lines)}


def system():
    """Versions of services, and where their files lie, are those of one release."""
    about = released()
    if (about.get("ID"), about.get("VERSION_ID")) != ("debian", "12"):
        raise machine.Trouble(f"this machine runs {about.get('PRETTY_NAME') or 'an unknown system'}, and it must be Debian 12: choose such an image in "
                              "the environment's `image`")


def sources(context):
    """Package mirrors of sites without internet access, and the authorities that they and the cloud are trusted by."""
    packages = context.packages
    cloud = machine.read_json("/etc/invenioils/access.json", {}).get("ca_pem")
    changed = False
    for name, pem in (("packages", packages.get("ca_pem")), ("cloud", cloud)):
        path = f"/usr/local/share/ca-certificates/invenioils-{name}.crt"
        changed |= write(path, pem, mode=0o644) if pem else machine.remove(path)
    if changed:
        run("update-ca-certificates")
    mirror = packages.get("apt_mirror")
    ours = "/etc/apt/sources.list.d/invenioils.sources"
    if not mirror:
        machine.remove(ours)
        for path in ["/etc/apt/sources.list.off"] + glob.glob("/etc/apt/sources.list.d/*.off"):
            if os.path.exists(path):
                os.rename(path, path.removesuffix(".off"))
                machine.remove("/var/lib/invenioils/lists")
        return
    name = released()["VERSION_CODENAME"]
    key = "/usr/share/keyrings/debian-archive-keyring.gpg"
    mirror = mirror.rstrip("/")
    text = f"Types: deb\nURIs: {mirror}\nSuites: {name} {name}-updates\nComponents: main\nSigned-By: {key}\n"
    if works_at(f"{mirror}-security/dists/{name}-security/Release"):
        text += f"\nTypes: deb\nURIs: {mirror}-security\nSuites: {name}-security\nComponents: main\nSigned-By: {key}\n"
    if write(ours, text, mode=0o644):
        machine.remove("/var/lib/invenioils/lists")
    for path in ["/etc/apt/sources.list"] + glob.glob("/etc/apt/sources.list.d/*"):
        if path != ours and not path.endswith(".off") and os.path.exists(path):
            os.rename(path, path + ".off")


def works_at(url):
    return machine.works("/usr/bin/python3", "-Ic", "import sys, urllib.request as u; u.urlopen(sys.argv[1], timeout=20)", url)


def neighbours(context):
    """Names that certificates are for, without asking anybody: a block in /etc/hosts."""
    lines = []
    for node in context.nodes:
        names = [f"{node['name']}.{context.zone}", node["name"]]
        lines.append(f"{node['address']} {' '.join(names)}")
    for service in (context.document.get("services") or {}).values():
        for host in service["hosts"]:
            if host["name"] != host["address"]:
                lines.append(f"{host['address']} {host['name']}")
    begin, end = "# invenioils: begin", "# invenioils: end"
    text = machine.read("/etc/hosts")
    if begin in text and end in text:
        before, _, rest = text.partition(begin)
        text = before + rest.partition(end)[2].lstrip("\n")
    block = "\n".join([begin] + lines + [end])
    # cloud-init's own line for this machine says 127.0.1.1, which no neighbour could use: ours come first
    write("/etc/hosts", block + "\n" + text.lstrip("\n"), mode=0o644)
    write("/etc/cloud/cloud.cfg.d/99_invenioils.cfg", "manage_etc_hosts: false\npreserve_hostname: true\n", mode=0o644)


def volume(context):
    """Finds the volume, makes a file system on it if and only if it is empty, and mounts it."""
    marker = DATA + "/.invenioils"
    wanted = context.document.get("volume")
    if wanted is None:
        # nothing said: a folder of the root disk, as in trials
        machine.folder(DATA, mode=0o755)
        write(marker, "no volume\n", mode=0o644)
        return
    if not os.path.ismount(DATA):
        device = device_of(wanted)
        if not has_content(device):
            run("mkfs.ext4", "-q", "-L", "ils-data", "-m", "1", device)
        elif run("blkid", "-p", "-s", "TYPE", "-o", "value", device).strip() != "ext4":
            raise machine.Trouble(f"the volume {wanted} holds something that is not ours; it is left alone")
        machine.folder(DATA)
        line = f"LABEL=ils-data {DATA} ext4 noatime,nodev,nosuid,nofail,x-systemd.device-timeout=30s 0 2"
        table = machine.read("/etc/fstab")
        if line not in table.splitlines():
            kept = [old for old in table.splitlines() if f" {DATA} " not in old]
            write("/etc/fstab", "\n".join(kept + [line]) + "\n", mode=0o644)
            run("systemctl", "daemon-reload")
        run("mount", "-o", "noatime,nodev,nosuid", device, DATA)
    write(marker, wanted + "\n", mode=0o644)
    device = run("findmnt", "-n", "-o", "SOURCE", DATA).strip()
    # a volume that was made larger; nothing happens otherwise
    run("resize2fs", device)


def device_of(wanted):
    """The device by the id that the cloud gave the volume: as virtio (20 letters of it) or as SCSI."""
    for _ in range(180):
        for pattern in (f"virtio-{wanted[:20]}", f"scsi-*{wanted}", f"*{wanted}*", f"*{wanted.replace('-', '')}*"):
            found = [path for path in glob.glob("/dev/disk/by-id/" + pattern) if "-part" not in path]
            if found:
                return os.path.realpath(found[0])
        time.sleep(1)
    raise machine.Trouble(f"the volume {wanted} is not attached")


def has_content(device):
    """Anything at all that is known, partitions too. Doubt counts as content."""
    done = subprocess.run(["blkid", "-p", device], capture_output=True, text=True)
    if done.returncode == 0:
        return True
    if done.returncode != 2:
        raise machine.Trouble(f"what is on {device} cannot be told: {done.stderr.strip()}")
    with open(device, "rb") as file:
        return any(file.read(1 << 20))


def hardening(context):
    machine.apt("nftables", "unattended-upgrades", "systemd-timesyncd", "iproute2")
    if write("/etc/invenioils/firewall.nft", machine.shared_file("firewall.nft"), mode=0o600):
        write("/etc/systemd/system/invenioils-firewall.service", machine.shared_file("invenioils-firewall.service"), mode=0o644)
        run("systemctl", "daemon-reload")
        machine.unit("invenioils-firewall.service", changed=True)
    write("/etc/apt/apt.conf.d/52invenioils", machine.shared_file("unattended-upgrades.conf"), mode=0o644)
    if not machine.works("systemd-detect-virt", "--quiet", "--container"):
        # in a container the host's clock is the clock
        machine.unit("systemd-timesyncd.service", changed=False)
    write("/etc/sysctl.d/60-invenioils.conf", machine.shared_file("sysctl.conf"), mode=0o644)
    run("sysctl", "-q", "-e", "-p", "/etc/sysctl.d/60-invenioils.conf", check=False)


def log_in(context):
    """One user for people, if a key was given; no passwords, no root."""
    if not os.path.exists("/etc/ssh"):
        return
    if write("/etc/ssh/sshd_config.d/10-invenioils.conf", "PermitRootLogin no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nX11Forwarding no\n", mode=0o644):
        run("systemctl", "try-reload-or-restart", "ssh.service", check=False)
    key = context.document.get("ssh_public_key")
    have = machine.works("id", "-u", "operator")
    if key and not have:
        run("useradd", "--create-home", "--shell", "/bin/bash", "operator")
    if key:
        write("/home/operator/.ssh/authorized_keys", key.strip() + "\n", mode=0o600, owner="operator", group="operator")
        run("chown", "operator:operator", "/home/operator/.ssh")
        os.chmod("/home/operator/.ssh", 0o700)
        write("/etc/sudoers.d/90-invenioils", "operator ALL=(ALL) NOPASSWD: ALL\n", mode=0o440)
    elif have:
        machine.remove("/home/operator/.ssh/authorized_keys")
        machine.remove("/etc/sudoers.d/90-invenioils")
