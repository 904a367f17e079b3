"""RabbitMQ: durable queues on the volume, a virtual host and a user of our own; on several nodes a majority keeps every queue."""
import base64
import hashlib
import json
import os
import re
import socket
import ssl

import machine
from machine import DATA, run, write

VHOST = "ils"
USER = "ils"
PORT = 5671
# where nodes reach each other
PEERS = 25672
IDLE = "+sbwt none +sbwtdcpu none +sbwtdio none"
RIGHTS = {"user": USER, "vhost": VHOST, "configure": ".*", "write": ".*", "read": ".*"}


def apply(context):
    machine.folder(DATA + "/rabbitmq", mode=0o755)
    changed = write("/etc/rabbitmq/rabbitmq-env.conf", "\n".join([
        f"NODENAME=rabbit@{context.name}", f"MNESIA_BASE={DATA}/rabbitmq/mnesia", "LOG_BASE=/var/log/rabbitmq",
        f"export ERL_EPMD_ADDRESS={context.address}",
        # a node's data goes by its name, so the name is the same alone and in a cluster, and with it the address
        # and its threads do not wait for work by spinning, which small machines pay for
        f"SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {tuple_of(context.address)} {IDLE}'", ""]), mode=0o644)
    epmd(context)
    machine.apt("rabbitmq-server")
    machine.folder(DATA + "/rabbitmq/mnesia", mode=0o750, owner="rabbitmq")
    changed |= write("/etc/rabbitmq/server.key", context.secret("server", "tls_key"), mode=0o600, owner="rabbitmq")
    changed |= write("/etc/rabbitmq/server.crt", context.secret("server", "tls_certificate"), mode=0o644, owner="rabbitmq")
    changed |= write("/var/lib/rabbitmq/.erlang.cookie", context.secret("server", "peer_password"), mode=0o400, owner="rabbitmq")
    changed |= write("/etc/rabbitmq/rabbitmq.conf", config(context), mode=0o640, owner="rabbitmq")
    changed |= machine.drop_in("rabbitmq-server.service", machine.needs_data("Restart=always\nRestartSec=5\nLimitNOFILE=65536\nTimeoutStartSec=300\nProtectHome=yes\nPrivateTmp=yes\n"))
    if len(context.nodes) > 1 and not os.path.exists(f"{DATA}/rabbitmq/mnesia/rabbit@{context.name}"):
        machine.wait_for_others(context, PEERS)
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
        "listeners.ssl.1": f"{context.address}:{PORT}",
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
    """Passwords go in through standard input. Each call takes a second or two of a processor: one tells all that there is."""
    password = context.secret("server", "password")
    # the application declares its queues without a type; those of this one can be given to nodes that come later
    there = once(defined(), lambda now: VHOST in names(now, "vhosts"), "add_vhost", VHOST, "--default-queue-type", "quorum")
    there = once(there, lambda now: USER in names(now, "users"), "add_user", USER, stdin=password + "\n")
    if not opens(there, password):
        control("change_password", USER, stdin=password + "\n")
    there = once(there, lambda now: "guest" not in names(now, "users"), "delete_user", "guest")
    if RIGHTS not in there["permissions"]:
        control("set_permissions", "-p", VHOST, USER, ".*", ".*", ".*")
    if len(context.nodes) > 1:
        # queues of the older type, which earlier releases of ours made while there was one node; RabbitMQ 4 mirrors none any more
        wish = json.dumps({"ha-mode": "all", "ha-sync-mode": "automatic"})
        control("set_policy", "-p", VHOST, "--apply-to", "queues", "mirrored", ".*", wish, check=False)
        # all others were made while there were fewer nodes
        machine.until(120, lambda: has_a_part(f"rabbit@{context.name}"), "a part of every queue on this node")


def has_a_part(node):
    """Takes one of each queue that a majority keeps. A queue that just lets another node in refuses this one: whether it has it
    is asked, and not taken for granted."""
    run("rabbitmq-queues", "-q", "grow", node, "all", "--vhost-pattern", f"^{VHOST}$", check=False, timeout=120)
    queues = control("--no-table-headers", "list_queues", "-p", VHOST, "name", "type", "members")
    kept = [line for line in queues.splitlines() if line.split("\t")[1:2] == ["quorum"]]
    return all(node in re.findall(r"rabbit@[\w.-]+", line) for line in kept)


def defined():
    """Virtual hosts, users and what they may."""
    return json.loads(control("export_definitions", "-"))


def names(there, what):
    return [it["name"] for it in there[what]]


def opens(there, password):
    """Whether this is our user's password: four bytes of salt, and the SHA-256 of these and the password."""
    kept = next(base64.b64decode(it["password_hash"]) for it in there["users"] if it["name"] == USER)
    return kept[4:] == hashlib.sha256(kept[:4] + password.encode()).digest()


def once(there, done, *command, stdin=None):
    """Another node may be quicker: what counts is that it is done. Gives what there is then."""
    for check in (False, True):
        if done(there):
            return there
        control(*command, stdin=stdin, check=check)
        there = defined()
    if not done(there):
        raise machine.Trouble(f"`rabbitmqctl {command[0]}` says that it is done, and it is not")
    return there


def health(context):
    """RabbitMQ opens its port last, and shuts it when it is not among the most. Its own tool takes a second of a processor to say so."""
    try:
        with socket.create_connection((context.address, PORT), timeout=10) as way, tls().wrap_socket(way):
            return {"queue": "ready"}
    except OSError:
        return {"queue": "does not answer"}


def tls():
    """Whether it answers is asked, on its own machine; not who it is."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def facts(context):
    return {"version": machine.run("dpkg-query", "-W", "-f", "${Version}", "rabbitmq-server", check=False).split("-")[0]}
