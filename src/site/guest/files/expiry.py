"""Tells in time that the certificate which visitors are shown ends: only an apply renews it."""
import json
import ssl
import time

import alerts
import machine

KEPT = "/var/lib/invenioils/expiry.json"
PORT = 443
DAY = 86400
# days before the end; renewals come due a month before it, so that by then somebody has not applied for two weeks
TOLD_AT = (14, 3)


def watch(context):
    """Looks once a day. Where the site cannot be had there is nothing to say about its certificate."""
    kept = machine.read_json(KEPT, {})
    if time.time() - kept.get("looked", 0) < DAY:
        return
    host, told = context.thing["hostname"], kept.get("told")
    try:
        ends = end_of(host)
    except (OSError, ValueError, machine.Trouble):
        ends = None
    if ends:
        left = (ends - time.time()) / DAY
        passed = [days for days in TOLD_AT if left < days]
        now = [ends, min(passed)] if passed else None
        if now and now != told:
            end = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(ends))
            alerts.send("A certificate ends", f"The certificate of https://{host} {'ends' if left > 0 else 'ended'} on {end}. `terraform apply` "
                        "renews it, or takes the files of a new one")
        told = now
    machine.write(KEPT, json.dumps({"looked": int(time.time()), "told": told}))


def end_of(host):
    shown = ssl.get_server_certificate((host, PORT), timeout=10)
    said = machine.run("openssl", "x509", "-noout", "-enddate", stdin=shown)
    return ssl.cert_time_to_seconds(said.partition("=")[2].strip())
