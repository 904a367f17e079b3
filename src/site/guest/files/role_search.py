"""OpenSearch on the machine's own loopback, behind a proxy with TLS and a password; of several nodes each can lead."""
import glob
import json
import os
import shutil
import urllib.request

import machine
import opensearch_release
from machine import DATA, run, write

ETC = "/etc/opensearch"
USER = "ils"
# where nodes reach each other
PEERS = 9300


def apply(context):
    machine.apt("nginx-light", "openssl", "ca-certificates", "procps")
    if not machine.works("id", "-u", "opensearch"):
        run("useradd", "--system", "--home-dir", opensearch_release.HOME, "--shell", "/usr/sbin/nologin", "opensearch")
    program = opensearch_release.installed(context)
    machine.folder(DATA + "/search", mode=0o750, owner="opensearch")
    machine.folder(DATA + "/search/data", mode=0o750, owner="opensearch")
    changed = configured(context, program)
    if len(context.nodes) > 1:
        tunnels(context)
    java = java_home(program, context.thing["version"])
    unit = machine.filled("opensearch.service", HOME=program, JAVA=java, DATA=DATA)
    if write("/etc/systemd/system/opensearch.service", unit, mode=0o644):
        run("systemctl", "daemon-reload")
        changed = True
    machine.unit("opensearch.service", changed=changed)
    proxy(context)
    machine.until(300, lambda: status() is not None, "OpenSearch's start")


def java_home(program, version):
    """The archive's own Java, else one that is here, else Debian's, where it is new enough."""
    own = [program + "/jdk"] + sorted(glob.glob("/usr/lib/jvm/*"), reverse=True)
    least = 11 if version.startswith("2.") else 21
    for home in own:
        if os.path.exists(home + "/bin/java") and major(home) >= least:
            return home
    if least <= 17:
        machine.apt("openjdk-17-jre-headless")
        return glob.glob("/usr/lib/jvm/java-17-openjdk-*")[0]
    raise machine.Trouble(f"OpenSearch {version} needs Java {least} or later, and neither the archive nor Debian has it here")


def major(home):
    for line in machine.read(home + "/release").splitlines():
        if line.startswith("JAVA_VERSION="):
            return int(line.split('"')[1].split(".")[0])
    return 0


def configured(context, program):
    settings = dict(context.settings)
    # half of the memory, and never so much that pointers grow
    heap = int(settings.pop("heap_mib", 0)) or min(machine.memory_mib() // 2, 31 * 1024)
    values = {
        "cluster.name": f"{context.identity['environment']}-{context.thing['name']}",
        "node.name": context.name,
        "path.data": DATA + "/search/data",
        "path.logs": "/var/log/opensearch",
        "http.host": "127.0.0.1",
        "http.port": 9200,
        "transport.host": inside(context, context.name),
        "transport.port": PEERS,
        "action.destructive_requires_name": False,
        # read again whenever it changes: a node that others join goes on meanwhile
        "discovery.seed_providers": "file",
    }
    # of a node that says nothing, though its machine does
    for check in ("leader_check", "follower_check"):
        values[f"cluster.fault_detection.{check}.timeout"] = "5s"
    # for the very first election only: a node that has data has voted before
    if not glob.glob(DATA + "/search/data/nodes/*/_state") and machine.founds(context, PEERS):
        values["cluster.initial_cluster_manager_nodes"] = [context.name]
    values.update(settings)
    machine.folder("/var/log/opensearch", mode=0o750, owner="opensearch")
    if os.path.isdir(program + "/config") and not os.path.exists(ETC + "/jvm.options"):
        shutil.copytree(program + "/config", ETC, dirs_exist_ok=True)
    kept = {"cluster.initial_cluster_manager_nodes"}
    before = machine.read_json(ETC + "/opensearch.yml", {}) if machine.read(ETC + "/opensearch.yml").startswith("{") else {}
    text = json.dumps(values, indent=1, sort_keys=True) + "\n"
    changed = {k: v for k, v in before.items() if k not in kept} != {k: v for k, v in values.items() if k not in kept}
    write(ETC + "/opensearch.yml", text, mode=0o640, owner="root", group="opensearch")
    seeds = "".join(f"{inside(context, node['name'])}:{PEERS}\n" for node in context.nodes)
    write(ETC + "/unicast_hosts.txt", seeds, mode=0o640, owner="root", group="opensearch")
    # of the group that the whole folder gets below: else they would be found changed each time, and it would start again
    changed |= write(ETC + "/jvm.options.d/invenioils.options", f"-Xms{heap}m\n-Xmx{heap}m\n", mode=0o644, group="opensearch")
    changed |= write(ETC + "/log4j2.properties", machine.shared_file("opensearch-log4j2.properties"), mode=0o644, group="opensearch")
    run("chgrp", "-R", "opensearch", ETC)
    os.chmod(ETC, 0o2770)
    return changed


def inside(context, name):
    """Where a node's transport is, seen from any of them: its own on the loopback, the others' at the near end of a tunnel."""
    return f"127.0.1.{[node['name'] for node in context.nodes].index(name) + 1}"


def tunnels(context):
    """Nodes speak to each other without TLS and without a password of their own: HAProxy adds both ends' certificates."""
    machine.apt("haproxy")
    both = "crt /etc/haproxy/search.pem ca-file /etc/haproxy/search.crt verify required"
    pair = context.secret("server", "tls_certificate").rstrip() + "\n" + context.secret("server", "tls_key")
    changed = write("/etc/haproxy/search.pem", pair, mode=0o640, owner="root", group="haproxy")
    changed |= write("/etc/haproxy/search.crt", context.secret("server", "tls_certificate"), mode=0o644)
    ways = [f"listen own\n  bind {context.address}:{PEERS} tcp-ut 4s ssl {both}\n  server own {inside(context, context.name)}:{PEERS}\n"]
    for node in context.nodes:
        name = f"{node['name']}.{context.zone}"
        if node["name"] != context.name:
            ways.append(f"listen {node['name']}\n  bind {inside(context, node['name'])}:{PEERS}\n"
                        f"  server there {node['address']}:{PEERS} ssl {both} verifyhost {name} sni str({name})\n")
    machine.haproxy(ways, changed=changed)


def proxy(context):
    """nginx: TLS and one user, from our own network to the loopback."""
    hashed = password_hash(context)
    changed = write("/etc/nginx/search.users", f"{USER}:{hashed}\n", mode=0o640, owner="root", group="www-data")
    changed |= write("/etc/nginx/search.key", context.secret("server", "tls_key"), mode=0o600)
    changed |= write("/etc/nginx/search.crt", context.secret("server", "tls_certificate"), mode=0o644)
    text = machine.filled("nginx-search.conf", ADDRESS=context.address)
    changed |= write("/etc/nginx/nginx.conf", text, mode=0o644)
    machine.drop_in("nginx.service", "[Service]\nRestart=always\nRestartSec=2\nProtectHome=yes\nPrivateTmp=yes\n")
    machine.unit("nginx.service", changed=changed)


def password_hash(context):
    """Salted, kept as long as the password is the same: a new salt each time would restart the proxy for nothing. With the fewest
    rounds there are: each request is checked, which took longer than many searches, and nobody guesses what we made at random."""
    kept = machine.read_json("/var/lib/invenioils/search-password.json", {})
    password = context.secret("server", "password")
    if kept:
        salt = kept["hash"].removeprefix("$6$").rpartition("$")[0]
        if run("openssl", "passwd", "-6", "-salt", salt, "-stdin", stdin=password).strip() == kept["hash"]:
            return kept["hash"]
    made = run("openssl", "passwd", "-6", "-salt", f"rounds=1000${os.urandom(8).hex()}", "-stdin", stdin=password).strip()
    write("/var/lib/invenioils/search-password.json", json.dumps({"hash": made}))
    return made


def call(method, path, body=None, timeout=30):
    """The search engine itself, without the proxy."""
    data = None if body is None else (body if isinstance(body, bytes) else json.dumps(body).encode())
    kind = "application/x-ndjson" if isinstance(body, bytes) else "application/json"
    request = urllib.request.Request("http://127.0.0.1:9200" + path, data=data, method=method, headers={"Content-Type": kind})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=timeout) as answer:
        return json.loads(answer.read() or b"null")


def status():
    """`green`, `yellow`, `red`; None: no answer. One node is yellow for ever: its indices want a replica."""
    try:
        return call("GET", "/_cluster/health", timeout=10)["status"]
    except (OSError, ValueError, KeyError):
        return None


def guarded(context):
    """Whether the proxy lets in who has the password, and nobody else."""
    opener = machine.vouched(context.secret("server", "tls_certificate"), USER, context.secret("server", "password"), check_name=False)
    try:
        return opener.open(f"https://{context.address}:9200/", timeout=10).status == 200
    except OSError:
        return False


def health(context):
    seen = status()
    if seen is None:
        return {"search": "does not answer"}
    if len(context.nodes) > 1 and machine.active("haproxy.service") != "ready":
        return {"search": "the way to the other nodes is shut"}
    if not guarded(context):
        return {"search": "the proxy does not answer"}
    return {"search": "red: shards are missing" if seen == "red" else "ready"}


def facts(context):
    try:
        return {"version": call("GET", "/")["version"]["number"], "status": status()}
    except (OSError, ValueError, KeyError):
        return {}
