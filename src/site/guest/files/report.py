"""Tells what this machine is: in a file for people, and on the console, where the cloud lets its owner read it."""
import json
import os
import time

import alerts
import machine

STATUS = "/run/invenioils/status.json"
# the console keeps the last lines only, so what has not changed is said again now and then
SAY_AGAIN = 1800


def send(identity, facts, state, words):
    """Nothing secret goes in here: the console is readable for everyone who may see the machine."""
    status = {"node": identity.get("name"), "role": identity.get("role"), "state": state, "why": words[:400], **facts}
    alerts.watch(identity, state, words)
    before = machine.read_json(STATUS, {})
    said = before.pop("at", 0)
    if status != before or time.time() - said > SAY_AGAIN:
        status["at"] = int(time.time())
        machine.write(STATUS, json.dumps(status, sort_keys=True) + "\n", mode=0o644)
        console("invenioils-status: " + json.dumps(status, sort_keys=True, separators=(",", ":")))


def console(line):
    for path in ("/dev/console", "/dev/ttyS0"):
        try:
            handle = os.open(path, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError:
            continue
        try:
            os.write(handle, line.encode() + b"\r\n")
            return
        except OSError:
            continue
        finally:
            os.close(handle)
