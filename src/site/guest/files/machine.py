"""Acting on a machine: run, write, install, start. Every function may be called again and then changes nothing."""
import base64
import grp
import hashlib
import json
import os
import pwd
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request

DATA = "/srv/invenioils"
SEARCHED = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# while this file is there, a person is at work: nothing is converged and nothing backed up
MAINTENANCE = "/etc/invenioils/maintenance"
CONTEXT = None


class Trouble(Exception):
    """Something that a person should read. Never holds a secret."""


def program(main):
    """Runs what the command line asks for. A trouble is one sentence and status 1."""
    try:
        sys.exit(main(*sys.argv[1:]))
    except Trouble as trouble:
        print(f"failed: {trouble}", file=sys.stderr)
        sys.exit(1)


class Context:
    """What this run knows: who the machine is, what it shall be, and its secrets."""

    def __init__(self, identity, documents, bundles):
        self.identity = identity
        self.documents = documents
        self.document = documents["main"]
        self.bundles = bundles
        self.role = identity["role"]
        self.index = identity["index"]
        self.name = identity["name"]
        (self.sort, self.thing), = self.document["thing"].items()
        self.nodes = self.document.get("nodes") or []
        self.packages = self.document.get("packages") or {}
        self.settings = self.thing.get("settings") or {}
        self.facts = {}

    @property
    def address(self):
        """This machine's own address in the network of its environment."""
        for node in self.nodes:
            if node["name"] == self.name:
                return node["address"]
        raise Trouble(f"the document names no address for {self.name}")

    @property
    def zone(self):
        return f"{self.thing['name']}.{self.identity['environment']}.internal"

    def secret(self, bundle, name):
        try:
            return self.bundles[bundle][name]
        except KeyError:
            raise Trouble(f"the secret `{name}` of `{bundle}` is not there") from None


def run(*command, stdin=None, env=None, user=None, check=True, timeout=1800):
    """Runs a program and gives its output. Secrets go through `stdin`, never through arguments."""
    if user:
        command = ("setpriv", "--reuid=" + user, "--regid=" + user, "--init-groups", "--") + command
    if not shutil.which(command[0], path=SEARCHED):
        if check:
            raise Trouble(f"`{command[0]}` is not on this machine")
        return ""
    try:
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=timeout, cwd="/",
                              env={**os.environ, "LC_ALL": "C.UTF-8", "HOME": "/" if user else "/root", **(env or {})})
    except subprocess.TimeoutExpired:
        if not check:
            return ""
        raise Trouble(f"`{' '.join(command[:6])}` did not end within {timeout} seconds") from None
    if check and done.returncode != 0:
        told = (done.stderr.strip() or done.stdout.strip())[-800:]
        raise Trouble(f"`{' '.join(command[:6])}` failed ({done.returncode}): {told}")
    return done.stdout


def works(*command, **more):
    try:
        run(*command, **more)
        return True
    except (Trouble, OSError):
        return False


def read(path, otherwise=""):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return otherwise


def read_json(path, otherwise=None):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (FileNotFoundError, ValueError):
        if otherwise is None:
            raise
        return otherwise


def write(path, text, mode=0o600, owner="root", group=None):
    """Writes a file whole or not at all. True: it was not like this before."""
    uid = pwd.getpwnam(owner).pw_uid
    gid = grp.getgrnam(group or ("root" if owner == "root" else owner)).gr_gid
    data = text if isinstance(text, bytes) else text.encode()
    try:
        have = os.stat(path)
        with open(path, "rb") as file:
            if file.read() == data and (have.st_mode & 0o7777, have.st_uid, have.st_gid) == (mode, uid, gid):
                return False
    except FileNotFoundError:
        pass
    folder(os.path.dirname(path))
    handle, beside = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            os.fchown(handle, uid, gid)
            os.fchmod(handle, mode)
            file.flush()
            os.fsync(handle)
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise
    return True


def folder(path, mode=None, owner=None):
    """Makes a folder; with `mode` and `owner`, makes it so even if it was there."""
    os.makedirs(path, exist_ok=True)
    if mode is not None and os.stat(path).st_mode & 0o7777 != mode:
        os.chmod(path, mode)
    if owner and os.stat(path).st_uid != pwd.getpwnam(owner).pw_uid:
        # the volume of a machine that was replaced: numbers of users may differ there
        run("chown", "-R", f"{owner}:", path)


def remove(path):
    try:
        os.unlink(path)
        return True
    except FileNotFoundError:
        return False


def apt(*packages):
    """Installs what is missing, without starting it: it is configured first."""
    have = run("dpkg-query", "-W", "-f", "${Package} ${db:Status-Abbrev}\n").splitlines()
    there = {line.split()[0] for line in have if line.endswith("ii ") or line.endswith("ii")}
    missing = [package for package in packages if package not in there]
    if not missing:
        return False
    run("dpkg", "--configure", "-a", env={"DEBIAN_FRONTEND": "noninteractive"})
    write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", mode=0o755)
    try:
        refresh_package_lists()
        run("apt-get", "install", "-y", "-q", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300",
            "-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold", *missing,
            env={"DEBIAN_FRONTEND": "noninteractive"})
    finally:
        remove("/usr/sbin/policy-rc.d")
    return True


def refresh_package_lists():
    stamp = "/var/lib/invenioils/lists"
    try:
        if time.time() - os.stat(stamp).st_mtime < 3600:
            return
    except FileNotFoundError:
        pass
    for attempt in range(5):
        if works("apt-get", "update", "-q", "-o", "DPkg::Lock::Timeout=300", "-o", "APT::Update::Error-Mode=any"):
            write(stamp, "")
            os.utime(stamp)
            return
        time.sleep(5 * (attempt + 1))
    raise Trouble("the package lists cannot be fetched; is there a way out of this network, or an `apt_mirror`?")


def unit(name, *, changed, enabled=True):
    """Sees to it that a unit runs, and again if what it runs on has changed."""
    if enabled:
        if not works("systemctl", "is-enabled", "--quiet", name):
            run("systemctl", "enable", "--quiet", name)
    if changed:
        run("systemctl", "restart", name)
    elif not works("systemctl", "is-active", "--quiet", name):
        run("systemctl", "reset-failed", name, check=False)
        run("systemctl", "start", name)


def drop_in(name, text):
    """Adds to a unit of Debian's. True: it has changed and the unit must be started again."""
    changed = write(f"/etc/systemd/system/{name}.d/invenioils.conf", text, mode=0o644)
    if changed:
        run("systemctl", "daemon-reload")
    return changed


def haproxy(ways, *, changed=False):
    """HAProxy with these ways through it."""
    changed |= write("/etc/haproxy/haproxy.cfg", shared_file("haproxy.cfg") + "".join(ways), mode=0o640, owner="root", group="haproxy")
    changed |= drop_in("haproxy.service", "[Service]\nRestart=always\nRestartSec=1\nProtectHome=yes\nPrivateTmp=yes\n")
    unit("haproxy.service", changed=changed)


def needs_data(more=""):
    """For units that work on the volume: without it they must not start, or they would fill the root disk."""
    return f"[Unit]\nRequiresMountsFor={DATA}\nAssertPathExists={DATA}/.invenioils\n[Service]\n{more}"


def active(name):
    return "ready" if works("systemctl", "is-active", "--quiet", name) else "not running"


def memory_mib():
    """What this machine may use: its own memory, or the limit that it was given."""
    for line in read("/proc/meminfo").splitlines():
        if line.startswith("MemTotal:"):
            have = int(line.split()[1]) // 1024
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        limit = read(path).strip()
        if limit.isdigit():
            have = min(have, int(limit) // 1048576)
    return max(have, 256)


def until(seconds, look, what):
    """Waits for something to become true, and gives it."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise Trouble(f"{what} did not happen within {seconds} seconds")
        time.sleep(1)


def answers(address, port):
    """Whether somebody lets themselves be reached there."""
    try:
        socket.create_connection((address, port), timeout=2).close()
        return True
    except OSError:
        return False


def vouched(pem, user, password, *, check_name=True):
    """Asks a service of this network that shows this certificate and knows this user, without any proxy in between."""
    trust = ssl.create_default_context(cadata=pem)
    trust.check_hostname = check_name
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust))
    opener.addheaders = [("Authorization", "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode())]
    return opener


def met(context, port):
    """Whether any other node of this service answers."""
    return any(answers(node["address"], port) for node in context.nodes if node["name"] != context.name)


def wait_for_others(context, port):
    """A node without data, other than the first, waits until there is one to join, so that nodes that are added to what runs, or took
    the place of others, never begin a cluster beside it."""
    if context.index:
        until(600, lambda: met(context, port), "an answer of another node, to join it,")


def founds(context, port):
    """Whether this node, which has no data, begins a cluster: the first one does, where no other answers."""
    wait_for_others(context, port)
    return context.index == 0 and not met(context, port)


def fetch(url, target, *, sha256=None, tries=4):
    """Downloads a file whole, verified where a checksum is known."""
    beside = target + ".part"
    for attempt in range(tries):
        try:
            with urllib.request.urlopen(url, timeout=120) as answer, open(beside, "wb") as file:
                shutil.copyfileobj(answer, file, 1 << 20)
                told = answer.headers["Content-Length"]
                if told and file.tell() != int(told):
                    raise OSError(f"it broke off after {file.tell()} of {told} bytes")
            break
        except OSError as why:
            if attempt + 1 == tries:
                raise Trouble(f"{url} cannot be fetched: {why}") from None
            time.sleep(3 * (attempt + 1))
    if sha256:
        whole = hashlib.sha256()
        with open(beside, "rb") as file:
            for block in iter(lambda: file.read(1 << 20), b""):
                whole.update(block)
        if whole.hexdigest() != sha256.lower():
            os.unlink(beside)
            raise Trouble(f"{url} is not what was asked for: its SHA-256 is {whole.hexdigest()}")
    os.replace(beside, target)


def shared_file(name):
    """A file that came with these programs."""
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), name), encoding="utf-8") as file:
        return file.read()


def filled(name, **values):
    """The same, with each `@NAME@` replaced."""
    text = shared_file(name)
    for key, value in values.items():
        text = text.replace(f"@{key}@", str(value))
    return text
