"""Who hears of what is wrong: web hooks and a mail address, as the environment names them."""
import email.message
import email.utils
import json
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
    """Chat systems and on-call systems take the same small message. What cannot be delivered is told in the journal only: there
    is nobody else to tell, and the address may be a secret."""
    who = machine.read_json(WHO, {})
    message = json.dumps({"text": words, "title": title, "message": words}).encode()
    for url in who.get("hooks", []):
        try:
            urllib.request.urlopen(urllib.request.Request(url, data=message, headers={"Content-Type": "application/json"}), timeout=20).close()
        except (OSError, ValueError):
            print("an alert could not be delivered to a web hook", flush=True)
    if who.get("email"):
        mail(who["email"], f"InvenioILS {who['environment']}: {title.lower()}", words)


def mail(address, subject, words):
    """Straight to where mail for that address is taken in: a machine has no mail server of its own."""
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
            return
        except (OSError, smtplib.SMTPException) as fault:
            why = f"{host}: {fault}"
    print(f"an alert could not be mailed to {address}: {why}", flush=True)


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
