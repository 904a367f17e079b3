"""Who hears of what is wrong: web hooks and a mail address, as the environment names them."""
import contextlib
import email.message
import email.utils
import http.client
import json
import os
import smtplib
import ssl
import textwrap
import time
import urllib.request

import machine

WHO = "/etc/invenioils/alerts.json"
ILL = "/var/lib/invenioils/ill.json"
# a machine tries to mend itself twice a minute; what stays ill for longer than this needs somebody
PATIENCE = 600
# alerts that did not arrive, how long until the next try, and how long and how many are kept
UNTOLD = "/var/lib/invenioils/untold"
AGAIN = 300
STALE = 3 * 86400
MOST = 20


def apply(context):
    """Written down, so that a failure is told even while documents and secrets cannot be had. The addresses of hooks are secrets."""
    told = context.bundles.get("alerts", {})
    hooks = [told[name] for name in ("alerts_webhook_url", "alerts_grafana_oncall_url") if told.get(name)]
    address = context.document.get("alert_email")
    machine.write(WHO, json.dumps({"hooks": hooks, "email": address, "environment": context.identity["environment"]}))
    if address:
        machine.apt("python3-dnspython")


def watch(identity, state, words):
    """What stays ill is told once, and once more when it is over."""
    with contextlib.suppress(OSError):
        again()
    kept = machine.read_json(ILL, {})
    name = f"{identity.get('name')} of {identity.get('environment')}"
    if state in ("unhealthy", "trouble"):
        now = {"since": kept.get("since", int(time.time())), "told": kept.get("told", False)}
        if not now["told"] and time.time() - now["since"] > PATIENCE:
            now["told"] = True
            send("A machine is not well", f"{name} has not been well for {PATIENCE // 60} minutes: {state}: {words}")
        machine.write(ILL, json.dumps(now))
    elif state == "ready" and kept:
        if kept.get("told"):
            send("A machine is well again", f"{name} is well again")
        machine.remove(ILL)


def send(title, words):
    """Tells everybody. Whom it does not reach is told later: see `again`."""
    who = machine.read_json(WHO, {})
    missed = [to for to in everybody(who) if not told(who, to, title, words)]
    if not missed:
        return
    try:
        # one file each, since backups and convergence tell side by side
        machine.write(f"{UNTOLD}/{time.time_ns()}", json.dumps({"to": missed, "title": title, "words": words}))
        for name in untold()[:-MOST]:
            machine.remove(f"{UNTOLD}/{name}")
    except OSError as why:
        print(f"an alert that could not be delivered cannot be kept either: {why}", flush=True)


def again():
    """Tells whom an alert did not reach, oldest first. Only once in a while: whoever does not answer holds this machine up."""
    names = untold()
    if not names or time.time() - max(os.stat(f"{UNTOLD}/{name}").st_mtime for name in names) < AGAIN:
        return
    who, deaf = machine.read_json(WHO, {}), set()
    for name in names:
        path, at = f"{UNTOLD}/{name}", int(name) // 10**9
        kept = machine.read_json(path, {"to": []})
        words = f"{kept.get('words')} (this was at {time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime(at))})"
        for to in kept["to"]:
            if to in everybody(who) and to not in deaf and not told(who, to, kept["title"], words):
                deaf.add(to)
        # who is no longer to be told is not
        left = [to for to in kept["to"] if to in deaf]
        if left and time.time() - at < STALE:
            machine.write(path, json.dumps({**kept, "to": left}))
            os.utime(path)
        else:
            machine.remove(path)


def untold():
    return sorted(name for name in os.listdir(UNTOLD) if name.isdigit()) if os.path.isdir(UNTOLD) else []


def everybody(who):
    return who.get("hooks", []) + ([who["email"]] if who.get("email") else [])


def told(who, to, title, words):
    """Whether it arrived. Chat systems and on-call systems take the same small message; their addresses may be secrets."""
    if to == who.get("email"):
        return mail(to, f"InvenioILS {who['environment']}: {title.lower()}", words)
    message = json.dumps({"text": words, "title": title, "message": words}).encode()
    try:
        urllib.request.urlopen(urllib.request.Request(to, data=message, headers={"Content-Type": "application/json"}), timeout=20).close()
        return True
    except (OSError, ValueError, http.client.HTTPException):
        print("an alert could not be delivered to a web hook", flush=True)
        return False


def mail(address, subject, words):
    """Straight to where mail for that address is taken in: a machine has no mail server of its own. Whether it was."""
    letter = email.message.EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = f"InvenioILS <{address}>", address, subject
    letter["Date"] = email.utils.localtime()
    letter.set_content(textwrap.fill(words, 76, break_long_words=False) + "\n")
    why = "nothing takes in mail for it"
    for host in exchangers(address.rpartition("@")[2]):
        try:
            with smtplib.SMTP(host, 25, timeout=20) as post:
                post.ehlo()
                if post.has_extn("starttls"):
                    # whoever takes mail in rarely has a certificate that can be verified: better than in the clear
                    post.starttls(context=ssl._create_unverified_context())
                # no answer is wanted, were it not to arrive
                post.sendmail("", address, letter.as_bytes())
            return True
        except (OSError, smtplib.SMTPException) as fault:
            why = f"{host}: {fault}"
    print(f"an alert could not be mailed to {address}: {why}", flush=True)
    return False


def exchangers(domain):
    """The best first. An address in brackets is its own."""
    if domain.startswith("["):
        return [domain.strip("[]")]
    try:
        import dns.exception
        import dns.resolver
    except ImportError:
        return []
    try:
        found = sorted(dns.resolver.resolve(domain, "MX", lifetime=20), key=lambda it: it.preference)
        return [it.exchange.to_text().rstrip(".") for it in found]
    except dns.resolver.NoAnswer:
        return [domain]
    except dns.exception.DNSException:
        return []
