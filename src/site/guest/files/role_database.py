"""PostgreSQL: one node under systemd, or several under Patroni with etcd, which decides who is primary."""
import base64
import hashlib
import hmac
import os

import machine
from machine import DATA, run, write

VERSION = "15"
BIN = f"/usr/lib/postgresql/{VERSION}/bin"
HOME = f"{DATA}/postgresql/{VERSION}"
CLUSTER = HOME + "/main"
ETC = f"/etc/postgresql/{VERSION}/main"
START = ETC + "/start.conf"
UNIT = f"postgresql@{VERSION}-main.service"
NAME = "ils"


def apply(context):
    write("/etc/postgresql-common/createcluster.conf", "create_main_cluster = false\nstart_conf = auto\n", mode=0o644)
    machine.apt(f"postgresql-{VERSION}", f"postgresql-client-{VERSION}", "ssl-cert")
    machine.folder(DATA + "/postgresql", mode=0o755, owner="postgres")
    machine.folder(HOME, mode=0o700, owner="postgres")
    tls = certificate(context)
    if len(context.nodes) > 1:
        import database_cluster
        database_cluster.apply(context, tls)
    else:
        alone(context, tls)
    if primary():
        application(context)


def certificate(context):
    """The service's key and certificate, for the server and, where there are several, for etcd and Patroni."""
    changed = write("/etc/postgresql-common/server.key", context.secret("server", "tls_key"), mode=0o600, owner="postgres")
    changed |= write("/etc/postgresql-common/server.crt", context.secret("server", "tls_certificate"), mode=0o644, owner="postgres")
    return changed


def alone(context, tls):
    """The cluster lies on the volume, its configuration on the machine, as Debian has it."""
    if machine.works("systemctl", "is-enabled", "--quiet", "patroni.service"):
        run("systemctl", "disable", "--now", "patroni.service")
    if not os.path.exists(CLUSTER + "/PG_VERSION"):
        initialize()
    # what Debian's tools know a cluster by; the data may come from a machine that is no more
    machine.folder(f"/etc/postgresql/{VERSION}", mode=0o755, owner="postgres")
    machine.folder(ETC, mode=0o755, owner="postgres")
    write(START, "auto\n", mode=0o644, owner="postgres")
    for name, words in (("environment", ""), ("pg_ctl.conf", "pg_ctl_options = ''\n"), ("pg_ident.conf", "")):
        write(f"{ETC}/{name}", words, mode=0o640 if name == "pg_ident.conf" else 0o644, owner="postgres")
    machine.remove(CLUSTER + "/standby.signal")
    # the whole file is ours: what came with a data directory that was taken over does not count
    places = {"data_directory": CLUSTER, "hba_file": ETC + "/pg_hba.conf", "ident_file": ETC + "/pg_ident.conf",
              "external_pid_file": f"/var/run/postgresql/{VERSION}-main.pid", "unix_socket_directories": "/var/run/postgresql",
              "cluster_name": f"{VERSION}/main"}
    settings = "".join(f"{name} = {quoted(value)}\n" for name, value in {**places, **tuning(context)}.items())
    restart = write(ETC + "/postgresql.conf", settings, mode=0o640, owner="postgres")
    reload = write(ETC + "/pg_hba.conf", "\n".join(rules(context)) + "\n", mode=0o640, owner="postgres") or tls
    restart |= machine.drop_in("postgresql@.service", machine.needs_data(
        "Restart=on-failure\nRestartSec=2\nPrivateTmp=yes\nProtectHome=yes\nNoNewPrivileges=yes\n"))
    machine.unit(UNIT, changed=restart)
    if reload and not restart:
        run("systemctl", "reload", UNIT)
    machine.until(120, lambda: answers(), "PostgreSQL's start")


def initialize():
    """Beside its place first, so that a machine that dies meanwhile leaves no half of a cluster."""
    beside = HOME + "/main.new"
    run("rm", "-rf", beside)
    run(BIN + "/initdb", "-D", beside, "-E", "UTF8", "--locale=C.UTF-8", "--data-checksums",
        "--auth-local=peer", "--auth-host=scram-sha-256", user="postgres")
    os.rename(beside, CLUSTER)


def tuning(context):
    """What fits the machine; what the user said wins."""
    memory = machine.memory_mib()
    cores = os.cpu_count() or 1
    settings = {
        "listen_addresses": f"127.0.0.1,{context.address}",
        "port": 5432,
        "ssl": "on",
        "ssl_cert_file": "/etc/postgresql-common/server.crt",
        "ssl_key_file": "/etc/postgresql-common/server.key",
        "ssl_min_protocol_version": "TLSv1.2",
        "password_encryption": "scram-sha-256",
        "max_connections": 200,
        "shared_buffers": f"{max(memory // 4, 64)}MB",
        "effective_cache_size": f"{max(memory * 6 // 10, 128)}MB",
        "maintenance_work_mem": f"{min(max(memory // 16, 32), 1024)}MB",
        "work_mem": f"{min(max(memory // 256, 4), 64)}MB",
        "wal_compression": "on",
        "max_wal_size": "2GB",
        "checkpoint_completion_target": 0.9,
        "random_page_cost": 1.1,
        "max_worker_processes": max(cores, 8),
        "log_checkpoints": "on",
        "log_lock_waits": "on",
        "log_min_duration_statement": "2s",
        "log_statement": "none",
        "idle_in_transaction_session_timeout": "15min",
        "wal_level": "replica",
        "max_wal_senders": 10,
    }
    settings.update(archiving(context))
    settings.update(context.settings)
    return settings


def archiving(context):
    """Continuous archiving, if a backup policy asks for points in time. Switching it on needs one restart."""
    import backups
    if not backups.point_in_time(context):
        return {}
    return {"archive_mode": "on", "archive_timeout": "300s",
            "archive_command": "/usr/bin/python3 -I /usr/local/lib/invenioils/backup.py archive %p %f"}


def quoted(value):
    return "'" + str(value).replace("'", "''") + "'"


def rules(context):
    """Who may come in: our own user from our own network, over TLS and with its password. Nobody else."""
    found = ["local all postgres peer", f"local {NAME} {NAME} scram-sha-256", "local replication postgres peer"]
    found.append(f"hostssl {NAME} {NAME} {context.document['cidr']} scram-sha-256")
    found.append(f"hostssl all all 127.0.0.1/32 scram-sha-256")
    if len(context.nodes) > 1:
        # Patroni looks at its own server as others do
        found.append("local replication replicator scram-sha-256")
        for node in context.nodes:
            found.append(f"hostssl replication replicator {node['address']}/32 scram-sha-256")
            found.append(f"hostssl all replicator,postgres {node['address']}/32 scram-sha-256")
    found.append("host all all all reject")
    return found


def sql(text, database="postgres"):
    return run("psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-d", database, stdin=text, user="postgres").strip()


def answers():
    return machine.works("psql", "-qAtX", "-d", "postgres", "-c", "select 1", user="postgres", timeout=10)


def primary():
    """Whether it leads. What does not answer, or no longer, does not."""
    return follows() == "f"


def follows():
    """Whether it follows another, in PostgreSQL's words: `t` or `f`. Anything else is no answer."""
    return run("psql", "-qAtX", "-d", "postgres", "-c", "select pg_is_in_recovery()", user="postgres", check=False, timeout=10).strip()


def application(context):
    """The application's role and database. Passwords go in as verifiers, so that no log could show them."""
    role(NAME, "login", context.secret("server", "password"))
    role("replicator", "login replication", context.secret("server", "peer_password"))
    if len(context.nodes) > 1:
        # by which a node that led catches up with the one that leads now
        role("postgres", "login superuser", context.secret("server", "admin_password"))
    if not sql(f"select 1 from pg_database where datname = '{NAME}'"):
        sql(f"create database {NAME} owner {NAME} encoding 'UTF8' template template0")
    shut(NAME)


def shut(database):
    """To everybody but its owner."""
    sql(f"revoke all on database {database} from public; revoke create on schema public from public;", database)


def role(name, rights, password):
    have = sql(f"select rolpassword from pg_authid where rolname = '{name}'")
    if not have:
        if not sql(f"select 1 from pg_roles where rolname = '{name}'"):
            sql(f"create role {name} {rights}")
    if not have or not fits(password, have):
        sql(f"alter role {name} {rights} password '{verifier(password, os.urandom(16))}'")


def verifier(password, salt, rounds=4096):
    """SCRAM-SHA-256 as PostgreSQL stores it (RFC 5802)."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, rounds)
    client = hmac.digest(salted, b"Client Key", "sha256")
    server = hmac.digest(salted, b"Server Key", "sha256")
    stored = hashlib.sha256(client).digest()
    text = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return f"SCRAM-SHA-256${rounds}:{text[0]}${text[1]}:{text[2]}"


def fits(password, have):
    try:
        _, middle, _ = have.split("$")
        rounds, salt = middle.split(":")
        return verifier(password, base64.b64decode(salt), int(rounds)) == have
    except ValueError:
        return False


def watch(context):
    if len(context.nodes) > 1 and primary():
        import database_cluster
        database_cluster.watch(context)


def health(context):
    return {"database": "ready" if answers() else "does not answer"}


def facts(context):
    if not answers():
        return {}
    return {"version": sql("show server_version").split()[0], "primary": primary()}


