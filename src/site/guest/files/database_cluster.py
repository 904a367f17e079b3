"""Several database nodes: Patroni moves the primary, etcd is the majority that decides. Three fail over by themselves."""
import json
import os
import urllib.request

import machine
import role_database
from machine import run, write


# what all nodes must have alike, Patroni takes from its record only
ALIKE = ("max_connections", "max_worker_processes", "max_prepared_transactions", "max_locks_per_transaction", "track_commit_timestamp",
         "wal_level", "max_wal_senders", "max_replication_slots", "wal_keep_size")


def apply(context, tls):
    # a majority of two is both: then the first node alone keeps the record, and the second waits until it is replaced
    members = context.nodes[:3] if len(context.nodes) > 2 else context.nodes[:1]
    machine.apt("patroni", "etcd-client", "python3-psycopg2", "python3-etcd")
    if any(node["name"] == context.name for node in members):
        etcd(context, members, tls)
    if machine.read(role_database.START) == "auto\n":
        # one keeper at a time
        if machine.active(role_database.UNIT) == "ready":
            # Patroni goes on with what ran last, and has all nodes start again for what was to be different
            role_database.alone(context, tls)
        run("systemctl", "disable", "--now", role_database.UNIT)
        # or Debian would start it at the next boot
        write(role_database.START, "manual\n", mode=0o644, owner="postgres")
        run("systemctl", "daemon-reload")
    if context.index and not os.path.exists(role_database.CLUSTER + "/PG_VERSION"):
        # without data it could make an empty database of its own, and who has the data would be shut out
        machine.until(600, lambda: has_database(context, members), "the first node's database")
    config = settings(context, members)
    reload = write("/etc/patroni/config.yml", json.dumps(config, indent=1), mode=0o640, owner="postgres")
    reload |= tls
    restart = machine.drop_in("patroni.service", machine.needs_data("Restart=always\nRestartSec=5\nTimeoutSec=120\nProtectHome=yes\nPrivateTmp=yes\n"))
    # one that was started a moment ago has read it all, and a signal might still end it
    runs = machine.active("patroni.service") == "ready"
    machine.unit("patroni.service", changed=restart)
    if reload and runs and not restart:
        run("systemctl", "reload", "patroni.service", check=False)
    machine.until(300, role_database.answers, "PostgreSQL's start under Patroni")
    # who will lead answers as a standby at first, and passwords and the like are a primary's to set
    machine.until(300, lambda: led(context), "the election of a primary")
    if role_database.primary():
        alike(context)


def etcd(context, members, tls):
    """The record lives as long as its members stay the same; what is in it can be made anew from the databases."""
    machine.apt("etcd-server")
    machine.folder(machine.DATA + "/etcd", mode=0o700, owner="etcd")
    for name in ("key", "crt"):
        text = machine.read(f"/etc/postgresql-common/server.{name}")
        tls |= write(f"/etc/etcd/server.{name}", text, mode=0o600, owner="etcd")
    name = lambda node: f"{node['name']}.{context.zone}"
    own = name({"name": context.name})
    token = "-".join(node["name"] for node in members)
    values = {
        "ETCD_NAME": context.name,
        "ETCD_DATA_DIR": f"{machine.DATA}/etcd/{token}",
        "ETCD_LISTEN_PEER_URLS": f"https://{context.address}:2380",
        "ETCD_LISTEN_CLIENT_URLS": f"https://{context.address}:2379,https://127.0.0.1:2379",
        "ETCD_INITIAL_ADVERTISE_PEER_URLS": f"https://{own}:2380",
        "ETCD_ADVERTISE_CLIENT_URLS": f"https://{own}:2379",
        "ETCD_INITIAL_CLUSTER": ",".join(f"{node['name']}=https://{name(node)}:2380" for node in members),
        "ETCD_INITIAL_CLUSTER_TOKEN": token,
        "ETCD_INITIAL_CLUSTER_STATE": "new",
        "ETCD_CERT_FILE": "/etc/etcd/server.crt",
        "ETCD_KEY_FILE": "/etc/etcd/server.key",
        "ETCD_TRUSTED_CA_FILE": "/etc/etcd/server.crt",
        "ETCD_PEER_CERT_FILE": "/etc/etcd/server.crt",
        "ETCD_PEER_KEY_FILE": "/etc/etcd/server.key",
        "ETCD_PEER_TRUSTED_CA_FILE": "/etc/etcd/server.crt",
        "ETCD_ENABLE_V2": "false",
        "ETCD_AUTO_COMPACTION_RETENTION": "1",
    }
    text = "".join(f'{key}="{value}"\n' for key, value in values.items())
    changed = write("/etc/default/etcd", text, mode=0o640, owner="etcd") or tls
    changed |= machine.drop_in("etcd.service", machine.needs_data("TimeoutStartSec=300\n"))
    # the first of three waits for a second one before it is up
    if changed or not machine.works("systemctl", "is-active", "--quiet", "etcd.service"):
        run("systemctl", "enable", "--quiet", "etcd.service")
        run("systemctl", "restart", "--no-block", "etcd.service")
        machine.until(600, lambda: machine.works("systemctl", "is-active", "--quiet", "etcd.service"), "etcd's start")


def has_database(context, members):
    """Whether the record knows a database: the first node's, which it has long had or has just made."""
    pair = "/etc/postgresql-common/server."
    places = ",".join(f"https://{node['name']}.{context.zone}:2379" for node in members)
    told = run("etcdctl", f"--endpoints={places}", f"--cacert={pair}crt", f"--cert={pair}crt", f"--key={pair}key", "get", "--print-value-only",
               f"/service/{context.thing['name']}/initialize", env={"ETCDCTL_API": "3"}, check=False, timeout=20)
    return bool(told.strip())


def led(context):
    """Whether this node leads, or another. One that is to lead has the record say so before its server is a primary."""
    others = [node for node in cluster(context) if node["name"] != context.name]
    return role_database.primary() or any(node["role"] == "leader" and node["state"] == "running" for node in others)


def parameters(context):
    return {key: str(value) for key, value in role_database.tuning(context).items() if key not in ("listen_addresses", "port")}


def alike(context):
    """What all nodes must have alike and was changed since the record was begun: `watch` has them start again with it."""
    own = parameters(context)
    wish = {key: own.get(key) for key in ALIKE}
    # which is there a moment after the first node leads
    have = machine.until(60, lambda: record(context, "config"), "Patroni's record of all nodes")["postgresql"].get("parameters") or {}
    if {key: have.get(key) for key in ALIKE} != wish and not record(context, "config", {"postgresql": {"parameters": wish}}):
        raise machine.Trouble("Patroni does not take a change of what all nodes must have alike; its log says why")


def watch(context):
    """Nodes that have to start again say so once they have looked into the record, a busy one late, and a standby only when its
    primary has less of what it may not have less of itself. One after the other does, whenever that is."""
    if any(member.get("pending_restart") for member in cluster(context)):
        run("patronictl", "-c", "/etc/patroni/config.yml", "restart", context.thing["name"], "--pending", "--force")


def cluster(context):
    return record(context, "cluster").get("members", [])


def record(context, what, change=None):
    """What the record says of all nodes (`config`) or each says of itself (`cluster`), after a change if there is one. Nothing where
    it cannot be had."""
    opener = machine.vouched(context.secret("server", "tls_certificate"), "patroni", context.secret("server", "peer_password"))
    request = urllib.request.Request(f"https://{context.name}.{context.zone}:8008/{what}", method="PATCH" if change else "GET",
                                     data=json.dumps(change).encode() if change else None, headers={"Content-Type": "application/json"})
    try:
        return json.load(opener.open(request, timeout=20))
    except (OSError, ValueError):
        return {}


def settings(context, members):
    name = f"{context.name}.{context.zone}"
    hba = role_database.rules(context)
    own = parameters(context)
    password = context.secret("server", "peer_password")
    return {
        "scope": context.thing["name"],
        "name": context.name,
        "restapi": {"listen": f"{context.address}:8008", "connect_address": f"{name}:8008",
                    "certfile": "/etc/postgresql-common/server.crt", "keyfile": "/etc/postgresql-common/server.key",
                    "cafile": "/etc/postgresql-common/server.crt",
                    "authentication": {"username": "patroni", "password": password}},
        "ctl": {"cacert": "/etc/postgresql-common/server.crt"},
        "etcd3": {"hosts": [f"{node['name']}.{context.zone}:2379" for node in members], "protocol": "https",
                  # etcd lets in only who shows the service's certificate
                  "cacert": "/etc/postgresql-common/server.crt", "cert": "/etc/postgresql-common/server.crt",
                  "key": "/etc/postgresql-common/server.key"},
        "bootstrap": {
            "dcs": {"ttl": 20, "loop_wait": 5, "retry_timeout": 5, "maximum_lag_on_failover": 1048576,
                    # what was told to be stored is on two machines, as long as there are two
                    "synchronous_mode": len(context.nodes) > 2,
                    "postgresql": {"use_pg_rewind": True, "use_slots": True,
                                   "parameters": {key: own[key] for key in ALIKE if key in own}}},
            "initdb": [{"encoding": "UTF8"}, {"locale": "C.UTF-8"}, "data-checksums"],
        },
        "postgresql": {
            "listen": f"127.0.0.1,{context.address}:5432",
            "connect_address": f"{name}:5432",
            # its own server, whose certificate is for no `localhost`
            "use_unix_socket": True,
            "use_unix_socket_repl": True,
            "data_dir": role_database.CLUSTER,
            "bin_dir": role_database.BIN,
            "config_dir": role_database.CLUSTER,
            "parameters": dict(own, unix_socket_directories="/var/run/postgresql"),
            "pg_hba": hba,
            "authentication": {
                "superuser": {"username": "postgres", "password": context.secret("server", "admin_password"), "sslmode": "verify-full",
                              "sslrootcert": "/etc/postgresql-common/server.crt"},
                "replication": {"username": "replicator", "password": password, "sslmode": "verify-full",
                                "sslrootcert": "/etc/postgresql-common/server.crt"},
                "rewind": {"username": "postgres", "password": context.secret("server", "admin_password"), "sslmode": "verify-full",
                           "sslrootcert": "/etc/postgresql-common/server.crt"},
            },
        },
        "tags": {"nofailover": len(context.nodes) == 2 and context.index != 0},
    }
