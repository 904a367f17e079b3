"""An object store by S3's API (also Swift's and Ceph's), with the standard library; or a folder, for trials."""
import contextlib
import datetime
import hashlib
import hmac
import http.client
import os
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree

import machine

PART = 16 * 1024 * 1024
# what one call copies at most: stores allow five times as much, but the answer should not take an hour
PIECE = 1024 * 1024 * 1024


class Bucket:
    def __init__(self, plan):
        self.plan = dict(plan)
        if plan["endpoint"].startswith("file://"):
            self.place = plan["endpoint"][7:] + "/" + plan["bucket"]
        elif plan["endpoint"] and plan["bucket"]:
            self.place = None
        else:
            raise machine.Trouble("the policy names no place for backups yet")

    def call(self, method, name, query=None, body=b"", stream=False, more=None):
        for attempt in range(6):
            request = signed(self.plan, method, name, query or {}, body, more)
            try:
                answer = urllib.request.urlopen(request, timeout=300)
                return answer if stream else (answer.headers, answer.read())
            except urllib.error.HTTPError as refused:
                if self.elsewhere(refused):
                    continue
                if refused.code < 500 and refused.code != 429 or attempt == 5:
                    said = refused.headers.get("x-amz-request-id") or refused.headers.get("x-trans-id") or "no request id"
                    raise machine.Trouble(f"{method} {name or self.plan['bucket']} in the bucket: {refused.code} ({said})") from None
            except (OSError, http.client.HTTPException) as why:
                if attempt == 5:
                    raise machine.Trouble(f"{method} {name} in the bucket: {why}") from None
            time.sleep(2 ** attempt)

    def elsewhere(self, refused):
        """Whether the store calls its region differently than we thought, which it says when asked; from now on so do we."""
        if refused.code not in (301, 307, 400, 403):
            return False
        told = refused.headers.get("x-amz-bucket-region")
        if not told:
            try:
                tree = xml.etree.ElementTree.fromstring(refused.read())
            except (OSError, xml.etree.ElementTree.ParseError):
                return False
            told = next((element.text for element in tree.iter() if element.tag.rpartition("}")[2] == "Region"), None)
        if not told or told == self.plan["region"]:
            return False
        self.plan["region"] = told
        return True

    def region(self):
        """What the store calls its region: links that browsers follow are signed for it. A store that is away says it later."""
        try:
            self.call("GET", "", {"location": ""})
        except machine.Trouble as why:
            print(f"the region of the files' store is not known for sure: {why}", flush=True)
        return self.plan["region"]

    def list(self, prefix):
        if self.place:
            base = os.path.join(self.place, prefix)
            return sorted(prefix + name for name in os.listdir(base)) if os.path.isdir(base) else []
        found, token = [], None
        while True:
            query = {"list-type": "2", "prefix": prefix, "delimiter": "/", **({"continuation-token": token} if token else {})}
            tree = xml.etree.ElementTree.fromstring(self.call("GET", "", query)[1])
            space = tree.tag.partition("}")[0] + "}" if "}" in tree.tag else ""
            found += [key.text for key in tree.iter(space + "Key")]
            token = tree.findtext(space + "NextContinuationToken")
            if not token:
                return found

    def contents(self, prefix):
        """Everything below, however deep: name to size and ETag (None in a folder, which has none)."""
        if self.place:
            found = {}
            for folder, _, names in os.walk(os.path.join(self.place, os.path.dirname(prefix))):
                for path in (os.path.join(folder, name) for name in names):
                    found[os.path.relpath(path, self.place)] = (os.path.getsize(path), None)
            return {name: facts for name, facts in found.items() if name.startswith(prefix)}
        found, token = {}, None
        while True:
            query = {"list-type": "2", "prefix": prefix, **({"continuation-token": token} if token else {})}
            tree = xml.etree.ElementTree.fromstring(self.call("GET", "", query)[1])
            space = tree.tag.partition("}")[0] + "}" if "}" in tree.tag else ""
            for one in tree.iter(space + "Contents"):
                tag = (one.findtext(space + "ETag") or "").strip('"')
                found[one.findtext(space + "Key")] = (int(one.findtext(space + "Size")), tag)
            token = tree.findtext(space + "NextContinuationToken")
            if not token:
                return found

    def copy(self, source, name, target, size):
        """An object of another bucket of the same store, without it passing through here."""
        if self.place:
            path = os.path.join(self.place, target)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            shutil.copyfile(os.path.join(source.place, name), path + ".part")
            return os.replace(path + ".part", path)
        origin = {"x-amz-copy-source": urllib.parse.quote(f"/{source.plan['bucket']}/{name}", safe="/-_.~")}
        if size <= PIECE:
            return stored(self.call("PUT", target, more=origin)[1], target)

        def piece(number, upload):
            span = f"bytes={number * PIECE}-{min((number + 1) * PIECE, size) - 1}"
            query = {"partNumber": str(number + 1), "uploadId": upload}
            return stored(self.call("PUT", target, query, more={**origin, "x-amz-copy-source-range": span})[1], target)

        return self.in_parts(target, lambda upload: [piece(number, upload) for number in range(-(-size // PIECE))])

    def in_parts(self, name, parts_of):
        """Makes one object of parts. `parts_of` uploads them and gives their ETags."""
        begun = xml.etree.ElementTree.fromstring(self.call("POST", name, {"uploads": ""})[1])
        upload = next(element.text for element in begun.iter() if element.tag.endswith("UploadId"))
        try:
            told = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>{tag}</ETag></Part>" for n, tag in enumerate(parts_of(upload), 1))
            whole = f"<CompleteMultipartUpload>{told}</CompleteMultipartUpload>".encode()
            stored(self.call("POST", name, {"uploadId": upload}, whole)[1], name)
        except BaseException:
            # parts that nobody finishes cost money for ever; where they cannot be taken away, the first failure is still the one to tell
            with contextlib.suppress(machine.Trouble):
                self.call("DELETE", name, {"uploadId": upload})
            raise

    def read(self, name):
        return b"".join(self.read_stream(name))

    def read_stream(self, name):
        answer = open(os.path.join(self.place, name), "rb") if self.place else self.call("GET", name, stream=True)
        told = None if self.place else answer.headers["Content-Length"]
        came = 0
        with answer:
            try:
                for block in iter(lambda: answer.read(1 << 20), b""):
                    came += len(block)
                    yield block
            except http.client.HTTPException:
                raise machine.Trouble(f"GET {name} in the bucket: it broke off after {came} bytes") from None
        # a connection that breaks off looks like the end
        if told and came != int(told):
            raise machine.Trouble(f"GET {name} in the bucket: it broke off after {came} of {told} bytes")

    def write(self, name, data):
        if not self.place:
            return self.call("PUT", name, body=data)
        path = os.path.join(self.place, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".part", "wb") as file:
            file.write(data)
        return os.replace(path + ".part", path)

    def delete(self, name):
        if self.place:
            return machine.remove(os.path.join(self.place, name))
        return self.call("DELETE", name)

    def write_stream(self, name, stream):
        """Writes what comes, however long, in parts. Gives its size and SHA-256."""
        whole, size = hashlib.sha256(), 0
        first = full(stream)
        whole.update(first)
        size += len(first)
        if len(first) < PART:
            self.write(name, first)
            return size, whole.hexdigest()
        if self.place:
            path = os.path.join(self.place, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path + ".part", "wb") as file:
                block = first
                while block:
                    file.write(block)
                    block = full(stream)
                    whole.update(block)
                    size += len(block)
            os.replace(path + ".part", path)
            return size, whole.hexdigest()

        def parts(upload):
            nonlocal size
            tags, block = [], first
            while block:
                headers, _ = self.call("PUT", name, {"partNumber": str(len(tags) + 1), "uploadId": upload}, block)
                tags.append(headers["ETag"])
                block = full(stream)
                whole.update(block)
                size += len(block)
            return tags

        self.in_parts(name, parts)
        return size, whole.hexdigest()


def stored(answer, name):
    """The new object's ETag. A store may begin to answer before it has copied it or put it together, and so tell a failure with a 200."""
    try:
        # meanwhile it sends blanks
        tree = xml.etree.ElementTree.fromstring(answer.strip())
    except xml.etree.ElementTree.ParseError:
        raise machine.Trouble(f"storing {name} in the bucket: the answer cannot be read") from None
    tag = next((element.text for element in tree.iter() if element.tag.endswith("ETag")), None)
    if tree.tag.endswith("Error") or not tag:
        told = next((element.text for element in tree.iter() if element.tag.endswith("Code")), "no word why")
        raise machine.Trouble(f"storing {name} in the bucket: {told}")
    return tag


def full(stream):
    """A whole part, or what is left."""
    data = bytearray()
    while len(data) < PART:
        block = stream.read(PART - len(data))
        if not block:
            break
        data += block
    return bytes(data)


def signed(plan, method, name, query, body, more=None):
    """AWS's signature, version 4."""
    address = urllib.parse.urlparse(plan["endpoint"])
    path = urllib.parse.quote(f"{address.path.rstrip('/')}/{plan['bucket']}/{name}".rstrip("/") if not name else f"{address.path.rstrip('/')}/{plan['bucket']}/{name}", safe="/-_.~")
    words = "&".join(f"{urllib.parse.quote(key, safe='-_.~')}={urllib.parse.quote(value, safe='-_.~')}" for key, value in sorted(query.items()))
    now = datetime.datetime.now(datetime.timezone.utc)
    stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    digest = hashlib.sha256(body).hexdigest()
    headers = {"host": address.netloc, "x-amz-content-sha256": digest, "x-amz-date": stamp, **(more or {})}
    names = ";".join(sorted(headers))
    canonical = "\n".join([method, path, words] + [f"{key}:{headers[key]}" for key in sorted(headers)] + ["", names, digest])
    scope = f"{day}/{plan['region']}/s3/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + plan["secret_key"]).encode()
    for part in (day, plan["region"], "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.new(key, text.encode(), "sha256").hexdigest()
    headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={plan['access_key']}/{scope}, SignedHeaders={names}, Signature={signature}"
    url = f"{address.scheme}://{address.netloc}{path}" + (f"?{words}" if words else "")
    return urllib.request.Request(url, data=body if method in ("PUT", "POST") else None, method=method, headers=headers)
