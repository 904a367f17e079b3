"""Several database nodes: Patroni moves the primary, etcd is the majority that decides. Three fail over by themselves."""
import json

import machine
import role_database
from machine import run, write


def apply(context, tls):
    # a majority of two is both: then the first node alone keeps the record, and the second waits until it is replaced
    members = context.nodes[:3] if len(context.nodes) > 2 else context.nodes[:1]
    machine.apt("patroni", "etcd-client", "python3-psycopg2", "python3-etcd")
    if any(node["name"] == context.name for node in members):
        etcd(context, members, tls)
    if machine.works("systemctl", "is-enabled", "--quiet", role_database.UNIT):
        # one keeper at a time
        run("systemctl", "disable", "--now", role_database.UNIT)
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


def settings(context, members):
    name = f"{context.name}.{context.zone}"
    hba = role_database.rules(context)
    parameters = {key: str(value) for key, value in role_database.tuning(context).items() if key not in ("listen_addresses", "port")}
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
                    "postgresql": {"use_pg_rewind": True, "use_slots": True}},
            "initdb": [{"encoding": "UTF8"}, {"locale": "C.UTF-8"}, "data-checksums"],
        },
        "postgresql": {
            "listen": f"127.0.0.1,{context.address}:5432",
            "connect_address": f"{name}:5432",
            # its own server, whose certificate is for no `localhost`
            "use_unix_socket": True,
            "data_dir": role_database.CLUSTER,
            "bin_dir": role_database.BIN,
            "config_dir": role_database.CLUSTER,
            "parameters": dict(parameters, unix_socket_directories="/var/run/postgresql"),
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
