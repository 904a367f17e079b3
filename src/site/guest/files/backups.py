"""What backup policies ask of this machine: whether, when, and what is left of it to tell."""
import hashlib
import json
import os

import machine
from machine import run, write

STATE = "/var/lib/invenioils/backups"


def policies(context):
    """The policies that name this machine's service, by name."""
    own = (context.identity["environment"], context.thing["name"])
    found = {}
    for part, document in context.documents.items():
        if part.startswith("backup.") and own in [(it["environment"], it["name"]) for it in document["policy"]["services"]]:
            found[part[len("backup."):]] = document
    return found


def of_policy(half, policy):
    """The policy's own half of the key pair: its key comes and goes without that of another policy."""
    return hashlib.sha256(f"{half}/{policy}".encode()).hexdigest()[:32]


def point_in_time(context):
    """The first policy that asks for continuous archiving, as its name and document."""
    for name, document in policies(context).items():
        if document["policy"].get("point_in_time_days") and not document["policy"]["paused"]:
            return name, document
    return None


def apply(context):
    """Writes down what the backup program needs, so that it runs without the document's source and without the cloud."""
    machine.folder(STATE, mode=0o700)
    wanted = {}
    for name, document in policies(context).items():
        bundle = context.bundles.get(f"backup.{name}/backup", {})
        policy = document["policy"]
        target = policy.get("target") or {}
        endpoint = document.get("endpoint") or ""
        if not target.get("endpoint"):
            # in the cloud itself: the policy's own key
            bundle = {**bundle, **{half: of_policy(bundle[half], name) for half in ("access_key", "secret_key") if half in bundle}}
        wanted[name] = {
            "schedule": policy["schedule"], "timezone": policy["timezone"], "paused": policy["paused"],
            "verify_schedule": policy.get("verify_schedule"), "retention": policy["retention"],
            "point_in_time_days": policy.get("point_in_time_days", 0),
            "recipients": (policy.get("encryption") or {}).get("recipients") or [],
            "endpoint": endpoint, "region": document.get("region") or "us-east-1",
            "bucket": document.get("bucket") or "", "prefix": (target.get("prefix") or "").strip("/"),
            "access_key": bundle.get("access_key") or target.get("access_key") or "", "secret_key": bundle.get("secret_key", ""),
            "files": [{"service": store["service"], "bucket": store["bucket"], "endpoint": store.get("endpoint") or endpoint,
                       "region": store.get("region") or document.get("region") or "us-east-1"} for store in document.get("files") or []],
            "environment": context.identity["environment"], "service": context.thing["name"], "role": context.role, "node": context.name,
        }
        if wanted[name]["recipients"]:
            machine.apt("age")
    write("/etc/invenioils/backups.json", json.dumps(wanted, sort_keys=True))
    archived = {name: plan for name, plan in wanted.items() if plan["point_in_time_days"] and not plan["paused"]}
    if context.role == "database":
        # the database archives as its own user, who sees nothing else of ours
        write("/etc/postgresql-common/archive.json", json.dumps(archived, sort_keys=True), mode=0o600, owner="postgres")
    units = False
    for name in ("invenioils-backup.service", "invenioils-backup.timer"):
        units |= write(f"/etc/systemd/system/{name}", machine.shared_file(name), mode=0o644)
    if units:
        run("systemctl", "daemon-reload")
    if wanted:
        machine.unit("invenioils-backup.timer", changed=units)
    elif machine.works("systemctl", "is-enabled", "--quiet", "invenioils-backup.timer"):
        run("systemctl", "disable", "--now", "invenioils-backup.timer")


def facts():
    """The newest backup of each policy, for the report."""
    found = {}
    if os.path.isdir(STATE):
        for name in os.listdir(STATE):
            if name.endswith(".json"):
                found[name[:-5]] = machine.read_json(f"{STATE}/{name}", {}).get("latest")
    return {name: latest for name, latest in found.items() if latest}


