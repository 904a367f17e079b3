"""Redis with a password and TLS; of several nodes one is master, and Sentinel moves it."""
import machine
from machine import DATA, run, write

CONF = "/etc/redis/redis.conf"


def apply(context):
    machine.apt("redis-server", "redis-tools")
    machine.folder(DATA + "/redis", mode=0o750, owner="redis")
    changed = write("/etc/redis/server.key", context.secret("server", "tls_key"), mode=0o600, owner="redis")
    changed |= write("/etc/redis/server.crt", context.secret("server", "tls_certificate"), mode=0o644, owner="redis")
    changed |= server(context)
    changed |= machine.drop_in("redis-server.service", machine.needs_data("Restart=always\nRestartSec=2\nReadWritePaths=-/srv/invenioils/redis\n"))
    machine.unit("redis-server.service", changed=changed)
    if len(context.nodes) > 1:
        sentinel(context)
    machine.until(60, lambda: ping(context), "Redis's start")


def server(context):
    memory = machine.memory_mib()
    password = context.secret("server", "password")
    lines = {
        "bind": f"127.0.0.1 {context.address}",
        "protected-mode": "yes",
        "port": 0,
        "tls-port": 6379,
        "tls-cert-file": "/etc/redis/server.crt",
        "tls-key-file": "/etc/redis/server.key",
        "tls-ca-cert-file": "/etc/redis/server.crt",
        "tls-auth-clients": "no",
        "tls-replication": "yes",
        "tls-protocols": '"TLSv1.2 TLSv1.3"',
        "requirepass": password,
        "masterauth": password,
        "supervised": "systemd",
        "daemonize": "no",
        "pidfile": "/run/redis/redis-server.pid",
        "dir": DATA + "/redis",
        "databases": 16,
        # sessions and results must survive a restart; what has no end of its own is never thrown away
        "appendonly": "yes",
        "maxmemory": f"{max(memory * 6 // 10, 64)}mb",
        "maxmemory-policy": "volatile-lru",
        "tcp-keepalive": 60,
        "timeout": 0,
        "loglevel": "notice",
        "logfile": '""',
        "syslog-enabled": "no",
    }
    lines.update(context.settings)
    text = "".join(f"{name} {value}\n" for name, value in lines.items())
    text += "rename-command DEBUG \"\"\n"
    if len(context.nodes) < 2:
        return write(CONF, text, mode=0o640, owner="redis")
    # Redis and Sentinel write who is master into the file: only a new wish of ours replaces it
    own = f"{context.name}.{context.zone}"
    text += f"replica-announce-ip {own}\n"

    def with_leader(wish):
        master = leader(context)
        return wish + (f"replicaof {master} 6379\n" if master != own else "")

    return anew(CONF, text, with_leader)


def anew(path, wish, filled):
    """The wish is kept beside the file, and last: whoever dies in between does both again."""
    beside = path.replace("/etc/redis/", "/etc/redis/wanted-")
    if machine.read(beside) == wish:
        return False
    write(path, filled(wish), mode=0o640, owner="redis")
    return write(beside, wish, mode=0o640, owner="redis")


def leader(context):
    """Whom the other nodes' Sentinels follow, as long as they do: a new machine in its place must not lead beside it."""
    names = [f"{node['name']}.{context.zone}" for node in context.nodes]
    for name in names:
        if not name.startswith(context.name + "."):
            told = ask(context, "-p", "26379", "sentinel", "get-master-addr-by-name", "ils", host=name, check=False).split()
            if told and told[0] in names:
                return told[0]
    return names[0]


def sentinel(context):
    machine.apt("redis-sentinel")
    machine.folder(DATA + "/sentinel", mode=0o750, owner="redis")
    password = context.secret("server", "password")
    majority = len(context.nodes) // 2 + 1
    text = "\n".join([
        f"bind 127.0.0.1 {context.address}", "port 0", "tls-port 26379", "tls-cert-file /etc/redis/server.crt",
        "tls-key-file /etc/redis/server.key", "tls-ca-cert-file /etc/redis/server.crt", "tls-auth-clients no", "tls-replication yes",
        "supervised systemd", "daemonize no", "pidfile /run/sentinel/redis-sentinel.pid", f"dir {DATA}/sentinel", 'logfile ""',
        "sentinel resolve-hostnames yes", "sentinel announce-hostnames yes",
        f"sentinel announce-ip {context.name}.{context.zone}", f"requirepass {password}", f"sentinel sentinel-pass {password}",
        f"sentinel monitor ils @MASTER@ 6379 {majority}", f"sentinel auth-pass ils {password}",
        # those who notice at the same time each vote for themselves, and wait for twice the time of a failover
        f"sentinel down-after-milliseconds ils {2000 + 500 * context.index}", "sentinel failover-timeout ils 6000",
        "sentinel parallel-syncs ils 1", ""])
    changed = anew("/etc/redis/sentinel.conf", text, lambda wish: wish.replace("@MASTER@", leader(context)))
    changed |= machine.drop_in("redis-sentinel.service", machine.needs_data("Restart=always\nRestartSec=2\nReadWritePaths=-/srv/invenioils/sentinel\n"))
    machine.unit("redis-sentinel.service", changed=changed)


def ask(context, *command, host="127.0.0.1", check=True):
    return run("redis-cli", "--no-auth-warning", "--tls", "--cacert", "/etc/redis/server.crt", "--sni", context.zone, "-h", host,
               *command, env={"REDISCLI_AUTH": context.secret("server", "password")}, timeout=10, check=check)


def ping(context):
    try:
        return ask(context, "ping").strip() == "PONG"
    except (machine.Trouble, OSError):
        return False


def health(context):
    return {"cache": "ready" if ping(context) else "does not answer"}


def facts(context):
    if not ping(context):
        return {}
    lines = dict(line.split(":", 1) for line in ask(context, "info").splitlines() if ":" in line)
    return {"version": lines["redis_version"].strip(), "primary": lines["role"].strip() == "master"}
