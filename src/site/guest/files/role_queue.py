"""RabbitMQ: durable queues on the volume, a virtual host and a user of our own; on several nodes a majority keeps every queue."""
import json
import os

import machine
from machine import DATA, run, write

VHOST = "ils"
USER = "ils"


def apply(context):
    machine.folder(DATA + "/rabbitmq", mode=0o755)
    changed = write("/etc/rabbitmq/rabbitmq-env.conf", "\n".join([
        f"NODENAME=rabbit@{context.name}", f"MNESIA_BASE={DATA}/rabbitmq/mnesia", "LOG_BASE=/var/log/rabbitmq",
        f"export ERL_EPMD_ADDRESS={context.address}",
        # a node's data goes by its name, so the name is the same alone and in a cluster, and with it the address
        f"SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {tuple_of(context.address)}'", ""]), mode=0o644)
    epmd(context)
    machine.apt("rabbitmq-server")
    machine.folder(DATA + "/rabbitmq/mnesia", mode=0o750, owner="rabbitmq")
    changed |= write("/etc/rabbitmq/server.key", context.secret("server", "tls_key"), mode=0o600, owner="rabbitmq")
    changed |= write("/etc/rabbitmq/server.crt", context.secret("server", "tls_certificate"), mode=0o644, owner="rabbitmq")
    changed |= write("/var/lib/rabbitmq/.erlang.cookie", context.secret("server", "peer_password"), mode=0o400, owner="rabbitmq")
    changed |= write("/etc/rabbitmq/rabbitmq.conf", config(context), mode=0o640, owner="rabbitmq")
    changed |= machine.drop_in("rabbitmq-server.service", machine.needs_data("Restart=always\nRestartSec=5\nLimitNOFILE=65536\nTimeoutStartSec=300\nProtectHome=yes\nPrivateTmp=yes\n"))
    machine.unit("rabbitmq-server.service", changed=changed)
    machine.until(240, ready, "RabbitMQ's start")
    rights(context)


def tuple_of(address):
    return "{" + address.replace(".", ",") + "}"


def epmd(context):
    """Erlang's port mapper listens where the node looks for it, and nowhere else, also where systemd opens its socket."""
    addresses = ["127.0.0.1", context.address]
    text = "[Socket]\nListenStream=\n" + "".join(f"ListenStream={address}:4369\n" for address in addresses) + "FreeBind=yes\n"
    if machine.drop_in("epmd.socket", text) and machine.works("systemctl", "cat", "epmd.socket"):
        run("systemctl", "stop", "epmd.service", "epmd.socket", check=False)


def config(context):
    memory = machine.memory_mib()
    lines = {
        "listeners.tcp": "none",
        "listeners.ssl.1": f"{context.address}:5671",
        "ssl_options.certfile": "/etc/rabbitmq/server.crt",
        "ssl_options.keyfile": "/etc/rabbitmq/server.key",
        "ssl_options.cacertfile": "/etc/rabbitmq/server.crt",
        "ssl_options.verify": "verify_none",
        "ssl_options.fail_if_no_peer_cert": "false",
        "ssl_options.versions.1": "tlsv1.3",
        "ssl_options.versions.2": "tlsv1.2",
        "vm_memory_high_watermark.absolute": f"{max(memory * 6 // 10, 128)}MiB",
        "disk_free_limit.absolute": "256MB",
        "log.console": "true",
        "log.console.level": "info",
        "heartbeat": 60,
    }
    if len(context.nodes) > 1:
        lines["cluster_formation.peer_discovery_backend"] = "classic_config"
        for number, node in enumerate(context.nodes, 1):
            lines[f"cluster_formation.classic_config.nodes.{number}"] = f"rabbit@{node['name']}"
        lines["cluster_partition_handling"] = "pause_minority"
    lines.update(context.settings)
    return "".join(f"{name} = {value}\n" for name, value in lines.items())


def control(*command, stdin=None, check=True):
    return run("rabbitmqctl", "-q", *command, stdin=stdin, check=check, timeout=120)


def ready():
    return machine.works("rabbitmqctl", "-q", "await_startup", "--timeout", "60", timeout=90)


def rights(context):
    """Passwords go in through standard input."""
    # the application declares its queues without a type
    kind = ["--default-queue-type", "quorum"] if len(context.nodes) > 1 else []
    once(lambda: VHOST in control("list_vhosts", "name").split(), "add_vhost", VHOST, *kind)
    password = context.secret("server", "password")
    once(lambda: USER in users(), "add_user", USER, stdin=password + "\n")
    if not machine.works("rabbitmqctl", "-q", "authenticate_user", USER, stdin=password + "\n"):
        control("change_password", USER, stdin=password + "\n")
    once(lambda: "guest" not in users(), "delete_user", "guest")
    control("set_permissions", "-p", VHOST, USER, ".*", ".*", ".*")
    if len(context.nodes) > 1:
        # queues that were made while there was one node, or fewer than now; RabbitMQ 4 mirrors none any more
        wish = json.dumps({"ha-mode": "all", "ha-sync-mode": "automatic"})
        control("set_policy", "-p", VHOST, "--apply-to", "queues", "mirrored", ".*", wish, check=False)
        run("rabbitmq-queues", "-q", "grow", f"rabbit@{context.name}", "all", "--vhost-pattern", f"^{VHOST}$", check=False, timeout=120)


def users():
    return [line.split("\t")[0] for line in control("list_users").splitlines()]


def once(done, *command, stdin=None):
    """Another node may be quicker: what counts is that it is done."""
    for check in (False, True):
        if done():
            return
        control(*command, stdin=stdin, check=check)


def health(context):
    return {"queue": "ready" if machine.works("rabbitmqctl", "-q", "status", timeout=60) else "does not answer"}


def facts(context):
    version = machine.run("dpkg-query", "-W", "-f", "${Version}", "rabbitmq-server", check=False).split("-")[0]
    waiting = 0
    if os.path.exists(DATA + "/rabbitmq/mnesia"):
        listed = control("list_queues", "-p", VHOST, "messages", check=False)
        waiting = sum(int(word) for word in listed.split() if word.isdigit())
    return {"version": version, "messages": waiting}
