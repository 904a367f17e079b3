#!/usr/bin/env python3
"""What people do at a library's site, from outside and through its load balancer alone. Standard library only.

    probe.py front              TLS, redirect, front page, sign-in page, health
    probe.py day                a librarian's and a patron's day: a book is catalogued, found, asked for, lent and returned
    probe.py kept               what `day` left is there: the document, its loan, its file byte for byte
    probe.py ask                the patron asks for the book again, which writes a mail; gives the loan
    probe.py counts             how many there are of each kind
    probe.py found              a librarian finds the patron
    probe.py watch              asks every two seconds until it is told to stop and somebody is answered; how long each request
                                failed at most, and how long somebody waited

Reads one JSON object: url, address (of the load balancer), ca (a PEM file), people (name to email and password), and for
`kept` what `day` printed. Prints one JSON object; a check that fails ends it with a sentence and status 1.
"""
import hashlib
import http.client
import http.cookies
import json
import random
import signal
import socket
import ssl
import sys
import time
import urllib.parse

WISH = json.load(sys.stdin)
URL = urllib.parse.urlsplit(WISH["url"])
TRUST = ssl.create_default_context(cafile=WISH["ca"])
# statistics drop what calls itself a program
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
WAIT = 90


class Failed(Exception):
    pass


def need(good, what):
    if not good:
        raise Failed(what)


class Balancer(http.client.HTTPSConnection):
    """Speaks to the site by its name, wherever its address is."""

    def connect(self):
        self.sock = self._context.wrap_socket(socket.create_connection((WISH["address"], 443), self.timeout), server_hostname=self.host)


class Person:
    """Someone at a browser: cookies, and the token against forgery that the user interface sends back."""

    def __init__(self, name=None):
        self.cookies = {}
        if name:
            who = WISH["people"][name]
            said = self.post("/api/login", {"email": who["email"], "password": who["password"], "_submitButton": "sign-in"})
            need(said.get("email") == who["email"], f"{name} signs in: {said}")
            self.id = str(said["id"])

    def ask(self, method, path, body=None, accept="application/json", timeout=60):
        head = {"Accept": accept, "User-Agent": BROWSER, "Referer": WISH["url"] + "/",
                "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if "csrftoken" in self.cookies:
            head["X_CSRFTOKEN"] = self.cookies["csrftoken"]
        data = body
        if body is not None and not isinstance(body, bytes):
            data, head["Content-Type"] = json.dumps(body).encode(), "application/json"
        elif body is not None:
            head["Content-Type"] = "application/octet-stream"
        connection = Balancer(URL.hostname, context=TRUST, timeout=timeout)
        try:
            connection.request(method, path, body=data, headers=head)
            answer = connection.getresponse()
            found = answer.read()
        finally:
            connection.close()
        for line in answer.msg.get_all("Set-Cookie") or []:
            for name, morsel in http.cookies.SimpleCookie(line).items():
                self.cookies[name] = morsel.value
        return answer.status, found, answer

    def json(self, method, path, body=None, good=(200, 201, 202)):
        status, found, _ = self.ask(method, path, body)
        need(status in good, f"{method} {path} answers {status}: {found[:400].decode(errors='replace')}")
        return json.loads(found or b"null")

    def get(self, path):
        return self.json("GET", path)

    def post(self, path, body=None):
        return self.json("POST", path, body)


def until(what, look):
    """Waits for the worker and for the index, which are not at once."""
    end, last = time.time() + WAIT, None
    while time.time() < end:
        last = look()
        if last:
            return last
        time.sleep(0.5)
    raise Failed(f"{what} did not happen within {WAIT} seconds")


def front():
    plain = http.client.HTTPConnection(WISH["address"], 80, timeout=20)
    plain.request("GET", "/search?q=x", headers={"Host": URL.hostname})
    answer = plain.getresponse()
    need(answer.status in (301, 302, 308) and answer.headers["Location"] == WISH["url"] + "/search?q=x",
         f"HTTP is sent to HTTPS: {answer.status} {answer.headers['Location']}")
    someone = Person()
    for path, holds in (("/", b"<html"), ("/login", b"<html"), ("/ping", b"OK")):
        status, found, _ = someone.ask("GET", path, accept="*/*")
        need(status == 200 and holds in found, f"{path} answers {status}: {found[:200]!r}")
    strange = Balancer(URL.hostname, context=TRUST, timeout=20)
    strange.request("GET", "/", headers={"Host": "elsewhere.example.com"})
    need(strange.getresponse().status in (400, 421), "a strange name is turned away")
    try:
        someone.json("POST", "/api/documents/", {"title": "no"}, good=(400, 401, 403))
        someone.json("POST", "/api/login", {"email": "nobody@example.org", "password": "guessed-once"}, good=(400, 401))
    except Failed as why:
        raise Failed(f"a stranger is let in: {why}") from None
    return {"front": "answers"}


def day():
    librarian = Person("librarian")
    try:
        Person().post("/api/register", {key: WISH["people"]["patron"][key] for key in ("email", "password")})
    except Failed as why:
        need("already" in str(why), why)
    patron = Person("patron")
    mark = "".join(random.choice("bcdfghjklmnpqrstvwxz") for _ in range(9))

    def new(kind, body):
        return librarian.post(f"/api/{kind}/", body)["metadata"]["pid"]

    week = [{"weekday": day, "is_open": True, "times": [{"start_time": "08:00", "end_time": "18:00"}]}
            for day in "monday tuesday wednesday thursday friday saturday sunday".split()]
    # circulation knows one location: the first
    have = librarian.get("/api/locations/?sort=created&size=1")["hits"]["hits"]
    place = have[0]["id"] if have else new("locations", {"name": "Main library", "opening_weekdays": week, "opening_exceptions": []})
    shelf = new("internal-locations", {"name": "Stacks " + mark, "location_pid": place})
    document = new("documents", {"title": f"A history of {mark}", "abstract": "An example.", "authors": [{"full_name": "Doe, J."}],
                                 "document_type": "BOOK", "publication_year": "2024"})
    item = new("items", {"document_pid": document, "internal_location_pid": shelf, "barcode": "B" + mark.upper(),
                         "circulation_restriction": "NO_RESTRICTION", "medium": "PAPERBACK", "status": "CAN_CIRCULATE"})
    e_item = new("eitems", {"document_pid": document, "open_access": True, "eitem_type": "E-BOOK", "description": "A scan"})
    files = librarian.post(f"/api/eitems/{e_item}/bucket")["metadata"]["bucket_id"]
    scan = random.randbytes(3_000_000)
    status, found, _ = librarian.ask("PUT", f"/api/files/{files}/scan.pdf", scan, timeout=120)
    need(status == 200, f"the upload answers {status}: {found[:300]!r}")

    hits = until("finding the document", lambda: (lambda got: got["hits"]["total"] == 1 and got)(patron.get(f"/api/documents/?q={mark}")))
    need(hits["hits"]["hits"][0]["id"] == document, "search finds the document")
    copies = lambda count: until(f"the worker's count of {count} copies", lambda: patron.get(f"/api/documents/{document}")["metadata"].get(
        "circulation", {}).get("available_items_for_loan_count") == count)
    copies(1)
    asked = patron.post("/api/circulation/loans/request", {"document_pid": document, "patron_pid": patron.id, "pickup_location_pid": place,
                                                           "transaction_location_pid": place, "delivery": {"method": "PICKUP"}})
    loan = asked["metadata"]["pid"]
    need(asked["metadata"]["state"] == "PENDING", f"the loan is asked for: {asked['metadata']['state']}")
    words = {"document_pid": document, "item_pid": {"type": "pitmid", "value": item}, "patron_pid": patron.id,
             "transaction_location_pid": place, "transaction_user_pid": librarian.id}
    lent = librarian.post(f"/api/circulation/loans/{loan}/checkout", words)
    need(lent["metadata"]["state"] == "ITEM_ON_LOAN", f"the book is lent: {lent['metadata']['state']}")
    copies(0)
    until("the patron's list of loans", lambda: patron.get(f"/api/circulation/loans/?q=patron_pid:{patron.id}")["hits"]["total"] >= 1)
    back = librarian.post(f"/api/circulation/loans/{loan}/checkin", words)
    need(back["metadata"]["state"] == "ITEM_RETURNED", f"the book is returned: {back['metadata']['state']}")
    copies(1)
    patron.json("POST", "/api/documents/", {"title": "no"}, good=(403,))
    # a word of the kind that statistics count, which goes by the queue
    librarian.post(f"/api/documents/{document}/stats", {"event": "record-view", "key": ""})
    left = {"mark": mark, "document": document, "item": item, "loan": loan, "files": files, "sha256": hashlib.sha256(scan).hexdigest()}
    until("the download, byte for byte", lambda: downloaded(patron, left))
    return left


def downloaded(person, left):
    """The application sends browsers to the object store; a test's store is not among what this process can reach by name."""
    status, found, answer = person.ask("GET", f"/api/files/{left['files']}/scan.pdf", accept="*/*", timeout=120)
    if status in (301, 302) and answer.headers["Location"]:
        return stored(answer.headers["Location"]) == left["sha256"]
    return status == 200 and hashlib.sha256(found).hexdigest() == left["sha256"]


def stored(link):
    place = urllib.parse.urlsplit(link)
    kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
    connection = kind(place.hostname, place.port, timeout=60)
    connection.request("GET", f"{place.path}?{place.query}")
    answer = connection.getresponse()
    data = answer.read()
    need(answer.status == 200, f"the object store answers {answer.status}: {data[:200]!r}")
    return hashlib.sha256(data).hexdigest()


def kept():
    left = WISH["left"]
    patron = Person("patron")
    until("finding the document", lambda: patron.get(f"/api/documents/?q={left['mark']}")["hits"]["total"] == 1)
    loan = patron.get(f"/api/circulation/loans/{left['loan']}")
    need(loan["metadata"]["state"] == "ITEM_RETURNED", f"the loan is there: {loan['metadata']['state']}")
    until("the download, byte for byte", lambda: downloaded(patron, left))
    return {"kept": "all"}


def ask():
    left = WISH["left"]
    patron = Person("patron")
    place = patron.get("/api/locations/?sort=created&size=1")["hits"]["hits"][0]["id"]
    asked = patron.post("/api/circulation/loans/request", {"document_pid": left["document"], "patron_pid": patron.id, "pickup_location_pid": place,
                                                           "transaction_location_pid": place, "delivery": {"method": "PICKUP"}})
    return {"loan": asked["metadata"]["pid"]}


def counts():
    librarian = Person("librarian")
    kinds = ("locations", "internal-locations", "documents", "items", "eitems", "circulation/loans", "vocabularies")
    return {kind: librarian.get(f"/api/{kind}/?size=1")["hits"]["total"] for kind in kinds}


def found():
    """A librarian looks for the patron who stands at the desk."""
    email = WISH["people"]["patron"]["email"]
    hits = Person("librarian").get("/api/patrons/?q=" + urllib.parse.quote(email))["hits"]["hits"]
    need(any(hit["metadata"]["email"] == email for hit in hits), f"{email} among {hits}")
    return {}


# seconds; each look takes a fifth of a second of a processor, which those who come up need as well
PACE = 2.0


def watch():
    """A page that needs database, search and cache. `failed`: the longest time in which each request failed; `longest`: in which
    nobody was answered, be it that requests failed or that one waited."""
    stop = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(True))
    start = time.time()
    someone, asked, failed, longest, since, words = Person(), 0, 0.0, 0.0, None, []
    # told to stop while nobody is answered, it goes on: the end would hide how long that lasts
    while not stop or (since and time.time() < since + WAIT):
        began = time.time()
        asked += 1
        try:
            # as long as the load balancer waits
            status, found, _ = someone.ask("GET", "/api/documents/?size=1", timeout=60)
            # 429: so many in one hour from one address; somebody is there and says so
            need(status in (200, 429), f"{status} {found[:80]!r}")
            longest = max(longest, time.time() - (since or began))
            since = None
        except (Failed, OSError, http.client.HTTPException) as why:
            since = since or began
            failed = max(failed, time.time() - since)
            longest = max(longest, failed)
            words.append(f"after {began - start:.1f} s: {type(why).__name__} {why}"[:160])
        time.sleep(max(0.0, began + PACE - time.time()))
    return {"asked": asked, "refused": len(words), "failed": round(failed, 1), "longest": round(longest, 1), "words": words[:8]}


if __name__ == "__main__":
    try:
        verbs = {"front": front, "day": day, "kept": kept, "ask": ask, "counts": counts, "found": found, "watch": watch}
        print(json.dumps(verbs[sys.argv[1]]()))
    except Failed as why:
        print(why, file=sys.stderr)
        sys.exit(1)
