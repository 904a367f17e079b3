"""Where a machine's document and secrets come from: metadata or files, Barbican or files."""
import base64
import gzip
import json
import os
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request

import machine

METADATA = "http://169.254.169.254/openstack/latest/meta_data.json"
KEPT = "/var/lib/invenioils/documents.json"
KEPT_SECRETS = "/var/lib/invenioils/secrets.json"


def documents(identity):
    """All documents by part: `main`, `backup.<name>`. What was last known where the source does not answer."""
    source = identity["source"]
    try:
        found = from_folder(source["folder"]["path"]) if isinstance(source, dict) else from_metadata()
    except (OSError, ValueError) as why:
        kept = machine.read_json(KEPT, {})
        if not kept:
            raise machine.Trouble(f"the document cannot be fetched: {why}") from None
        print(f"using the last known document: {why}", flush=True)
        return kept
    machine.write(KEPT, json.dumps(found, sort_keys=True))
    return found


def from_folder(path):
    found = {}
    for name in sorted(os.listdir(path)):
        if name.endswith(".json"):
            with open(os.path.join(path, name), encoding="utf-8") as file:
                found[name[:-5]] = json.load(file)
    return found


def from_metadata():
    return unpack(metadata().get("meta") or {})


def metadata():
    """The cloud's metadata service, which shows changes; else what the machine was given when it was made."""
    plain = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for attempt in range(3):
        try:
            with plain.open(METADATA, timeout=10) as answer:
                return json.load(answer)
        except (OSError, ValueError) as why:
            last = why
            time.sleep(1 + attempt)
    if not os.path.exists(KEPT):
        for path in ("/run/cloud-init/instance-data-sensitive.json", "/run/cloud-init/instance-data.json"):
            given = machine.read_json(path, {}).get("ds", {}).get("meta_data")
            if given:
                return given
    raise last


def unpack(meta):
    """Puts documents together that were cut into pieces: `<part>.0` begins with how many there are."""
    found = {}
    for key, first in meta.items():
        part, dot, number = key.rpartition(".")
        count, colon, piece = first.partition(":")
        if not (dot and number == "0" and colon and count.isdigit()):
            continue
        pieces = [piece] + [meta.get(f"{part}.{n}") for n in range(1, int(count))]
        if None in pieces:
            raise ValueError(f"a piece of the document `{part}` is missing")
        found[part] = json.loads(gzip.decompress(base64.b64decode("".join(pieces))))
    return found


def bundles(documents):
    """All secrets by bundle and name."""
    access = machine.read_json("/etc/invenioils/access.json")
    if access["kind"] == "inline":
        return {name: json.loads(text) for name, text in access["bundles"].items()}
    if access["kind"] == "file":
        return machine.read_json(access["path"])
    wanted = {}
    for part, document in documents.items():
        for name, reference in (document.get("secrets") or {}).items():
            wanted[name if part == "main" else f"{part}/{name}"] = reference
    kept = machine.read_json(KEPT_SECRETS, {})
    if {name: it["reference"] for name, it in kept.items()} != wanted:
        kept = fetched(access, wanted, kept)
        machine.write(KEPT_SECRETS, json.dumps(kept, sort_keys=True))
    return {name: it["values"] for name, it in kept.items()}


def fetched(access, wanted, kept):
    """Reads what is new from Barbican. A secret never changes under its reference."""
    store = Barbican(access)
    found = {}
    for name, reference in wanted.items():
        before = kept.get(name)
        same = before and before["reference"] == reference
        found[name] = before if same else {"reference": reference, "values": json.loads(store.payload(reference))}
    return found


class Barbican:
    """As much of OpenStack's API as reading secrets takes."""

    def __init__(self, access):
        self.access = access
        self.context = ssl.create_default_context()
        if access.get("ca_pem"):
            self.context.load_verify_locations(cadata=access["ca_pem"])
        self.token, catalog = self.sign_in()
        self.endpoint = self.key_manager(catalog)

    def call(self, url, headers, body=None):
        for attempt in range(6):
            request = urllib.request.Request(url, data=body, headers=headers)
            try:
                with urllib.request.urlopen(request, timeout=30, context=self.context) as answer:
                    return answer.headers, answer.read()
            except urllib.error.HTTPError as refused:
                if refused.code not in (429, 500, 502, 503, 504) or attempt == 5:
                    request_id = refused.headers.get("x-openstack-request-id", "no request id")
                    raise machine.Trouble(f"{url} answered {refused.code} ({request_id})") from None
            except OSError as why:
                if attempt == 5:
                    raise machine.Trouble(f"{url} cannot be reached: {why}") from None
            time.sleep(2 ** attempt)

    def sign_in(self):
        body = {"auth": {"identity": {"methods": ["application_credential"], "application_credential": {
            "id": self.access["credential_id"], "secret": self.access["credential_secret"]}}}}
        url = self.access["auth_url"].rstrip("/")
        url += "" if url.endswith("/v3") else "/v3"
        headers, answer = self.call(url + "/auth/tokens", {"Content-Type": "application/json"}, json.dumps(body).encode())
        return headers["X-Subject-Token"], json.loads(answer)["token"].get("catalog", [])

    def key_manager(self, catalog):
        region = self.access.get("region")
        for service in catalog:
            if service["type"] == "key-manager":
                for endpoint in service["endpoints"]:
                    if endpoint["interface"] == "public" and region in (None, endpoint.get("region"), endpoint.get("region_id")):
                        return endpoint["url"].rstrip("/")
        raise machine.Trouble("the cloud's catalog has no key manager")

    def payload(self, reference):
        """A reference may name a host that only the cloud itself knows: the catalog's address counts, and the secret's id."""
        base = self.endpoint if self.endpoint.endswith("/v1") else self.endpoint + "/v1"
        secret = urllib.parse.urlparse(reference).path.rstrip("/").rpartition("/")[2]
        _, answer = self.call(f"{base}/secrets/{secret}/payload", {"X-Auth-Token": self.token, "Accept": "text/plain"})
        return answer.decode()
